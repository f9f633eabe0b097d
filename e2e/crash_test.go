package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestCrash kills the server under load, again and again on one data folder.
// Whatever was answered with 200 must be in the log, and whatever is in the log
// must be worked off. CRASHES sets how often.
func TestCrash(t *testing.T) {
	crashes := 10
	if n, err := strconv.Atoi(os.Getenv("CRASHES")); err == nil {
		crashes = n
	}
	s := serve(t, t.TempDir())
	var (
		mu       sync.Mutex
		acked    = map[string]bool{}
		unsure   int // sent, and no answer came
		sent     int
		statuses = []string{"PICKED UP", "SHIPPED", "IN TRANSIT", "OUT FOR DELIVERY", "DELIVERED"}
	)
	began := time.Now().Add(-100 * time.Hour).Truncate(time.Second)
	load := func(ctx context.Context, worker, round int) {
		for n := 0; ctx.Err() == nil; n++ {
			parcel := worker*1_000_000 + round*10_000 + n/len(statuses)
			body := event(fmt.Sprintf("C%09d", parcel), 500_000_000+parcel, fmt.Sprintf("ORD-%d", parcel),
				statuses[n%len(statuses)], began.Add(time.Duration(n%len(statuses))*time.Hour))
			a, err := s.do(ctx, http.MethodPost, "/api/webhooks/courier", []byte(body), "x-api-key", webhookToken)
			mu.Lock()
			sent++
			switch {
			case err != nil:
				unsure++
			case a.status == http.StatusOK:
				var ok struct{ EventID string }
				if json.Unmarshal(a.body, &ok) == nil && ok.EventID != "" {
					acked[ok.EventID] = true
				}
			}
			mu.Unlock()
		}
	}
	for round := range crashes {
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for w := range 8 {
			workers.Go(func() { load(ctx, w, round) })
		}
		// A moment that differs from round to round, and at least some work.
		before := len(snapshotOf(&mu, acked))
		s.await(20*time.Second, "acknowledged pushes", func() bool {
			return len(snapshotOf(&mu, acked)) > before+50+37*round%400
		})
		s.kill()
		cancel()
		workers.Wait()
		s.start(nil)
	}
	s.settled()

	kept := map[string]string{}
	for page := 1; ; page++ {
		p := s.logs(fmt.Sprintf("page=%d&limit=200", page))
		for _, row := range p.Data {
			kept[row.EventID] = row.Status
		}
		if page >= p.TotalPages {
			break
		}
	}
	lost, unprocessed := 0, 0
	for id := range acked {
		switch kept[id] {
		case "":
			lost++
			t.Errorf("acknowledged and lost: %s", id)
		case "processed", "duplicate":
		default:
			unprocessed++
			t.Errorf("%s is %s", id, kept[id])
		}
	}
	t.Logf("%d crashes, %d sent, %d acknowledged, %d without an answer, %d in the log; lost %d, not processed %d",
		crashes, sent, len(acked), unsure, len(kept), lost, unprocessed)
}

func snapshotOf(mu *sync.Mutex, m map[string]bool) map[string]bool {
	mu.Lock()
	defer mu.Unlock()
	c := make(map[string]bool, len(m))
	for k := range m {
		c[k] = true
	}
	return c
}
