package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/replicas"
	"github.com/webazaar/waybill/internal/simulate"
)

const (
	parcels  = 16
	watchers = 3  // of each order
	senders  = 8  // connections that push
	rate     = 80 // pushes a second, when nothing is broken
	lastFor  = 3 * time.Second
	// rightWithin is how long after the last push was worked off a screen may be
	// wrong: a gap is noticed with the next event, a dead connection by a ping.
	rightWithin = 40 * time.Second
)

// A round is one lot of parcels, its watchers, and a fault in the middle.
type round struct {
	t      *testing.T
	fleet  *replicas.Fleet
	socket string // where watchers connect
	client *http.Client
	plan   []simulate.Push
	orders map[string]string // id by number
	retold atomic.Int64      // pushes that had to be sent again
}

// play goes through the faults, each in a round of its own.
func play(t *testing.T, f *replicas.Fleet, socket string, faults []fault) {
	t.Helper()
	faults = slices.DeleteFunc(faults, func(f fault) bool { return !strings.Contains(f.name, os.Getenv("CHAOS_ONLY")) })
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	t.Cleanup(client.CloseIdleConnections)
	var pushes, updates, wrong, played int
	for n := range rounds(faults) {
		if t.Failed() {
			break
		}
		fault := faults[n%len(faults)]
		r := &round{t: t, fleet: f, socket: socket, client: client, orders: map[string]string{}}
		pushed, told, bad := r.play(fault, n)
		pushes, updates, wrong, played = pushes+pushed, updates+told, wrong+bad, played+1
	}
	t.Logf("%d rounds, %d pushes, %d updates heard by %d watchers a round, %d of them wrong at the end", played, pushes, updates, parcels*watchers, wrong)
}

func (r *round) play(broken fault, n int) (pushed, updates, wrong int) {
	t := r.t
	var err error
	r.plan, err = simulate.Plan(simulate.Options{
		Parcels: parcels, Shuffle: n%2 == 1, Duplicates: 0.1, Seed: 1 + rand.Uint64N(1<<40), Now: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.register()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	var all []*watcher
	watch := func(each int) {
		for _, id := range r.orders {
			for range each {
				w := newWatcher(r.fleet.URL, r.socket, replicas.AppKey, id, len(all))
				all = append(all, w)
				running.Go(func() { w.run(ctx) })
			}
		}
	}
	watch(watchers - 1)
	await(t, 30*time.Second, "watchers that are subscribed", func() bool { return everyone(all, func(w *watcher) bool { return w.live }) })

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		r.send(ctx)
	}()
	pause(ctx, time.Second+rand.N(time.Second))
	mend := broken.breaks()
	watch(1) // some come in the middle of it
	pause(ctx, lastFor/2+rand.N(lastFor))
	mend()
	<-sent
	r.settle()

	truth := map[string]state{}
	for _, id := range r.orders {
		await(t, 20*time.Second, "snapshot of an order", func() bool {
			s, err := fetch(ctx, r.client, r.fleet.Nodes()[0].URL(), id)
			truth[id] = s
			return err == nil
		})
	}
	began := time.Now()
	right := func(w *watcher) bool { return w.state == truth[w.order] }
	for !everyone(all, right) && time.Since(began) < rightWithin {
		pause(ctx, 20*time.Millisecond)
	}
	took := time.Since(began)
	var gaps, connects int
	for _, w := range all {
		w.mu.Lock()
		updates += w.events
		gaps += w.gaps
		connects += w.connects
		if !right(w) {
			wrong++
			t.Errorf("%s: a watcher of %s holds %+v, and right is %+v (subscribed %v, %d connections, %d reads, closed %v)",
				broken.name, w.order, w.state, truth[w.order], w.live, w.connects, w.reads, w.went)
		}
		w.mu.Unlock()
	}
	t.Logf("%-34s %4d pushes (%d again), %5d updates, %d gaps mended, %d connections for %d watchers; all right %s after the last was worked off",
		broken.name, len(r.plan), r.retold.Load(), updates, gaps, connects, len(all), took.Round(10*time.Millisecond))
	return len(r.plan), updates, wrong
}

func everyone(all []*watcher, is func(*watcher) bool) bool {
	for _, w := range all {
		w.mu.Lock()
		ok := is(w)
		w.mu.Unlock()
		if !ok {
			return false
		}
	}
	return true
}

// register makes an order of each parcel, so that it can be watched before the
// first push.
func (r *round) register() {
	r.t.Helper()
	for _, p := range r.plan {
		number := p.Parcel().Number
		if r.orders[number] != "" {
			continue
		}
		var made struct{ Data struct{ ID string } }
		status, body := r.call(r.t.Context(), http.MethodPost, "/api/orders", fmt.Sprintf(`{"number":%q}`, number), "Authorization", "Bearer "+replicas.AdminToken)
		if err := json.Unmarshal(body, &made); err != nil || made.Data.ID == "" {
			r.t.Fatalf("register %s: %d %s", number, status, body)
		}
		r.orders[number] = made.Data.ID
	}
}

// send pushes the plan at a rate; what is not answered 200 is sent again, as
// Shiprocket does, until it is.
func (r *round) send(ctx context.Context) {
	due := make(chan simulate.Push)
	var under sync.WaitGroup
	for range senders {
		under.Go(func() {
			for p := range due {
				body := string(p.Body())
				for ctx.Err() == nil {
					if status, _ := r.call(ctx, http.MethodPost, "/api/webhooks/courier", body, "x-api-key", replicas.WebhookToken); status == http.StatusOK {
						break
					}
					r.retold.Add(1)
					pause(ctx, 100*time.Millisecond)
				}
			}
		})
	}
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for _, p := range r.plan {
		select {
		case <-ctx.Done():
		case <-tick.C:
			due <- p
		}
	}
	close(due)
	under.Wait()
}

// settle waits until every push has been worked off and every effect carried out.
func (r *round) settle() {
	r.t.Helper()
	await(r.t, time.Minute, "end of the work", func() bool {
		_, body := r.call(r.t.Context(), http.MethodGet, "/api/webhooks/logs?status=pending&limit=1", "", "Authorization", "Bearer "+replicas.AdminToken)
		var page struct {
			Success bool
			Total   int
		}
		return json.Unmarshal(body, &page) == nil && page.Success && page.Total == 0
	})
}

// call is one request; status 0 is no answer.
func (r *round) call(ctx context.Context, method, path, body string, headers ...string) (int, []byte) {
	req, err := http.NewRequestWithContext(ctx, method, r.fleet.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := r.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil
	}
	return res.StatusCode, read
}
