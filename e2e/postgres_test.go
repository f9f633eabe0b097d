package e2e

import (
	"database/sql"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// On PostgreSQL: parcels come shuffled and twice, the server is killed in the
// middle of them, and two servers share what is left and what comes.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	address := storetest.PostgresURL(t)
	setting := "DATABASE_URL=" + address
	one := serve(t, t.TempDir(), setting)

	simulate(t, one, 30, 11)
	one.settled()
	all := one.logs("limit=1").Total
	if processed, repeated := one.logs("status=processed&limit=1").Total, one.logs("status=duplicate&limit=1").Total; processed+repeated != all || repeated == 0 {
		t.Errorf("%d rows: %d processed and %d repeats", all, processed, repeated)
	}

	// Everything acknowledged before the kill is there after it.
	const pushed = 300
	var (
		wg           sync.WaitGroup
		mu           sync.Mutex
		acknowledged []string
	)
	killed := make(chan struct{})
	for c := range 6 {
		wg.Go(func() {
			for i := c; i < pushed; i += 6 {
				awb := fmt.Sprintf("KILL%04d", i)
				a, err := one.do(t.Context(), "POST", "/api/webhooks/courier",
					[]byte(event(awb, 700000+i, "K-"+awb, "IN TRANSIT", time.Now().Add(-time.Hour))), "x-api-key", webhookToken)
				if err != nil {
					return // it is dead
				}
				mu.Lock()
				if a.status == 200 {
					acknowledged = append(acknowledged, awb)
				}
				if len(acknowledged) == pushed/3 {
					close(killed)
				}
				mu.Unlock()
			}
		})
	}
	<-killed
	one.kill()
	wg.Wait()
	one.start([]string{setting})
	pronounceDead(t, address)
	two := serve(t, t.TempDir(), setting)
	two.settled()
	for _, awb := range acknowledged {
		if o := two.order("K-" + awb); len(o.Shipments) != 1 {
			t.Errorf("%s: %+v", awb, o)
		}
	}

	// Both take in and work off, and each shows what the other took in.
	wg.Go(func() { simulate(t, one, 20, 12) })
	wg.Go(func() { simulate(t, two, 20, 12) })
	wg.Wait()
	one.settled()
	if a, b := one.logs("limit=1").Total, two.logs("limit=1").Total; a != b || a <= all+len(acknowledged) {
		t.Errorf("one server counts %d rows and the other %d", a, b)
	}
	for _, status := range []string{"failed", "parked"} {
		if n := one.logs("status=" + status + "&limit=1").Total; n != 0 {
			t.Errorf("%d webhooks are %s", n, status)
		}
	}
	for i, s := range []*server{one, two} {
		awb := fmt.Sprint("EACH", i)
		s.push(event(awb, 800000+i, "E-"+awb, "DELIVERED", time.Now().Add(-time.Minute)))
	}
	two.settled()
	for i := range 2 {
		for _, s := range []*server{one, two} {
			if o := s.order(fmt.Sprint("E-EACH", i)); o.Status != "delivered" {
				t.Errorf("%+v", o)
			}
		}
	}
	for _, s := range []*server{one, two} {
		if code := s.stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if strings.Contains(s.log.String(), "level=ERROR") {
			t.Errorf("errors in the log:\n%s", tail(s.log.String(), 4000))
		}
	}
}

// simulate sends made-up journeys, out of order and some of them twice.
func simulate(t *testing.T, s *server, parcels, seed int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), "simulate", "--url="+s.url, "--token="+webhookToken, "--admin-token="+adminToken,
		fmt.Sprint("--parcels=", parcels), fmt.Sprint("--seed=", seed), "--rate=400", "--shuffle", "--duplicates=0.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("simulate: %v\n%s", err, out)
	}
}

// pronounceDead lets the time pass after which a killed server counts as dead.
func pronounceDead(t *testing.T, address string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE holders SET seen_at = 0`); err != nil {
		t.Fatal(err)
	}
}
