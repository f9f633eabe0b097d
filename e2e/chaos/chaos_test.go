package chaos

import (
	"context"
	crand "crypto/rand"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/process"
	"github.com/webazaar/waybill/e2e/relay"
	"github.com/webazaar/waybill/e2e/replicas"
	"github.com/webazaar/waybill/internal/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	process.Forget()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// rounds is how many rounds a test goes: CHAOS, or one for each fault.
func rounds(faults []fault) int {
	if n, err := strconv.Atoi(os.Getenv("CHAOS")); err == nil {
		return n
	}
	return len(faults)
}

// A fault breaks something and returns what mends it.
type fault struct {
	name   string
	breaks func() (mend func())
}

func await(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", what, within)
		}
		<-tick.C
	}
}

// Everything the replicas share, over Redis: replicas killed and stopped, Redis
// killed, cut off and silent, PostgreSQL cut off and its sessions ended.
func TestReplicasOverRedis(t *testing.T) {
	r := startRedis(t)
	toRedis, redisURL, err := relay.Before(r.url(), "6379")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(toRedis.Close)
	f, faults := fleet(t, redisURL)
	faults = append(faults,
		fault{"Redis killed, and back empty", func() func() { r.kill(); return r.start }},
		fault{"Redis cut off", func() func() { toRedis.Cut(); return restored(t, toRedis) }},
		fault{"Redis silent", func() func() { toRedis.Freeze(); return toRedis.Thaw }},
	)
	play(t, f, f.URL, faults)
}

// The same with PostgreSQL alone, whose NOTIFY carries the messages.
func TestReplicasOverPostgreSQL(t *testing.T) {
	f, faults := fleet(t, "")
	play(t, f, f.URL, faults)
}

// fleet is three replicas on a PostgreSQL that can be taken away, and the faults
// that all fleets have.
func fleet(t *testing.T, redisURL string, settings ...string) (*replicas.Fleet, []fault) {
	t.Helper()
	if testing.Short() {
		t.Skip("chaos takes its time; run without -short")
	}
	direct := storetest.PostgresURL(t)
	toPostgres, address, err := relay.Before(direct, "5432")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(toPostgres.Close)
	address, name := named(t, address)
	f, err := replicas.Start(replicas.Options{Nodes: 3, DatabaseURL: address, RedisURL: redisURL, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for i, n := range f.Nodes() {
				said := n.Log()
				t.Logf("replica %d:\n%s", i+1, said[max(0, len(said)-6000):])
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	some := func() *replicas.Node { return f.Nodes()[rand.IntN(len(f.Nodes()))] }
	back := func(n *replicas.Node) func() {
		return func() {
			if err := n.Start(); err != nil {
				t.Fatal(err)
			}
			if err := n.Ready(30 * time.Second); err != nil {
				t.Fatalf("%v\n%s", err, n.Log())
			}
		}
	}
	return f, []fault{
		{"a replica killed", func() func() { n := some(); n.Kill(); return back(n) }},
		{"a replica stopped in order", func() func() {
			n := some()
			if code, err := n.Stop(); code != 0 || err != nil {
				t.Errorf("stopped with code %d, %v", code, err)
			}
			return back(n)
		}},
		{"two replicas killed", func() func() {
			one, two := f.Nodes()[0], f.Nodes()[2]
			one.Kill()
			two.Kill()
			return func() { back(one)(); back(two)() }
		}},
		{"PostgreSQL cut off", func() func() { toPostgres.Cut(); return restored(t, toPostgres) }},
		{"PostgreSQL silent", func() func() { toPostgres.Freeze(); return toPostgres.Thaw }},
		{"all sessions of PostgreSQL ended", func() func() { endSessions(t, direct, name); return func() {} }},
	}
}

func restored(t *testing.T, r *relay.Relay) func() {
	return func() {
		if err := r.Restore(); err != nil {
			t.Fatal(err)
		}
	}
}

// named gives the sessions of whoever uses the URL a name of their own, so that
// they can be told from those of tests beside this one.
func named(t *testing.T, address string) (with, name string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	name = "chaos-" + strings.ToLower(crand.Text()[:10])
	q.Set("application_name", name)
	u.RawQuery = q.Encode()
	return u.String(), name
}

// endSessions ends what the replicas have open in the database, as its restart
// would.
func endSessions(t *testing.T, address, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, name); err != nil {
		t.Fatal(err)
	}
}
