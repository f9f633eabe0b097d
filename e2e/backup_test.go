package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// load pushes parcels from several senders until it is stopped, and remembers
// which were acknowledged.
type load struct {
	mu           sync.Mutex
	acknowledged []string
	stop         context.CancelFunc
	senders      sync.WaitGroup
}

func startLoad(t *testing.T, s *server) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for c := range 4 {
		l.senders.Go(func() {
			for i := c; ctx.Err() == nil; i += 4 {
				awb := fmt.Sprintf("LOAD%05d", i)
				a, err := s.do(ctx, "POST", "/api/webhooks/courier",
					[]byte(event(awb, 900000+i, "B-"+awb, "OUT FOR DELIVERY", time.Now().Add(-time.Hour))), "x-api-key", webhookToken)
				if err != nil || a.status != 200 {
					if ctx.Err() == nil {
						t.Errorf("a push during the backup: %d, %v", a.status, err)
					}
					return
				}
				l.mu.Lock()
				l.acknowledged = append(l.acknowledged, awb)
				l.mu.Unlock()
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	l.stop()
	l.senders.Wait()
}

// sofar is what was acknowledged, once that is at least n.
func (l *load) sofar(s *server, n int) []string {
	s.t.Helper()
	var all []string
	s.await(30*time.Second, fmt.Sprint(n, " acknowledged pushes"), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		all = append(all[:0], l.acknowledged...)
		return len(all) >= n
	})
	return all
}

// holds fails unless a server has every parcel in its log and believes of it
// what the other does.
func holds(t *testing.T, restored, original *server, awbs []string, made map[string]bool) {
	t.Helper()
	restored.settled()
	original.settled()
	for _, awb := range awbs {
		if p := restored.logs("awb=" + awb); p.Total != 1 {
			t.Errorf("%s: %d rows in the log", awb, p.Total)
			continue
		}
		got, want := restored.order("B-"+awb), original.order("B-"+awb)
		if made[awb] && got.ID != want.ID {
			t.Errorf("%s has the id %s, want %s", awb, got.ID, want.ID)
		}
		// What was acknowledged and not yet worked off when it was copied is
		// worked off in both places, and gets ids of its own there.
		for _, shipments := range [][]map[string]any{got.Shipments, want.Shipments} {
			for _, shipment := range shipments {
				delete(shipment, "id")
			}
		}
		if got.Status != want.Status || got.Version != want.Version || fmt.Sprint(got.Shipments) != fmt.Sprint(want.Shipments) {
			t.Errorf("%s is believed to be\n%+v, want\n%+v", awb, got, want)
		}
	}
}

// made are those parcels that a server has made an order for by now.
func (s *server) made(awbs []string) map[string]bool {
	s.t.Helper()
	made := map[string]bool{}
	s.await(30*time.Second, "orders", func() bool {
		for _, awb := range awbs {
			var found struct{ Data []shopOrder }
			s.admin("GET", "/api/orders?number=B-"+awb, "").json(s.t, &found)
			if len(found.Data) == 1 {
				made[awb] = true
			}
		}
		return len(made) > 0
	})
	return made
}

// Copied while pushes come in, restored elsewhere and served there.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	l := startLoad(t, s)
	before := l.sofar(s, 200)
	made := s.made(before)
	file := filepath.Join(t.TempDir(), "waybill.backup")
	run(t, []string{"DATA_DIR=" + s.dir}, binary(t), "backup", file)
	l.sofar(s, len(before)+50) // the server goes on
	l.end()

	dir := filepath.Join(t.TempDir(), "elsewhere")
	if out := run(t, []string{"DATA_DIR=" + dir}, binary(t), "restore", file); !strings.Contains(out, "restored into "+dir) {
		t.Errorf("restore: %s", out)
	}
	holds(t, serve(t, dir), s, before, made)
}

// The commands that docs/operating.md gives for PostgreSQL, under load too.
func TestPostgreSQLBackupUnderLoad(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	from, to := newDatabase(t), newDatabase(t)
	s := serve(t, t.TempDir(), "DATABASE_URL="+from)
	l := startLoad(t, s)
	before := l.sofar(s, 200)
	made := s.made(before)
	dump := filepath.Join(t.TempDir(), "waybill.dump")
	sh := func(command, address string) {
		t.Helper()
		run(t, []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + address, "FILE=" + dump}, "sh", "-c", command)
	}
	sh(`pg_dump --format=custom --file="$FILE" "$DATABASE_URL"`, from)
	l.sofar(s, len(before)+50)
	l.end()
	sh(`pg_restore --no-owner --exit-on-error --single-transaction --dbname="$DATABASE_URL" "$FILE"`, to)

	restored := serve(t, t.TempDir(), "DATABASE_URL="+to)
	pronounceDead(t, to) // the other server was at work when it was copied
	holds(t, restored, s, before, made)
}

// newDatabase is the URL of an empty database that goes when the test ends.
func newDatabase(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Del("search_path")
	address.RawQuery = query.Encode()
	db, err := sql.Open("pgx", address.String())
	if err != nil {
		t.Fatal(err)
	}
	name := "waybill_test_" + strings.ToLower(ulid.Make().String())
	if _, err := db.Exec(`CREATE DATABASE ` + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	address.Path = "/" + name
	return address.String()
}

// run runs a command to its end and returns what it printed.
func run(t *testing.T, environ []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}
