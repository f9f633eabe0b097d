package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// A stream is Shiprocket's pushing that goes on during an attack: each push is
// due at its time, however long those before it take; one without any answer is
// sent again.
type stream struct {
	s       *server
	headers []string
	name    string
	stop    chan struct{}
	under   sync.WaitGroup

	mu           sync.Mutex
	sent         int
	longest      time.Duration // between two pushes that were due
	acknowledged []string      // event ids
	again        int           // sent again, for want of any answer
	refused      map[int]int
	closed       error           // why the newest of those had no answer
	latencies    []time.Duration // of the acknowledged, since they were due
}

// tries is how often a push is sent that gets no answer at all, as the carrier
// does: a machine at its end drops a connection now and then.
const tries = 3

// streams counts the streams of a test binary, so that no two send the same.
var streams struct {
	mu sync.Mutex
	n  int
}

// stream begins to push so often, with these headers besides a proof: a token
// and a signature by turns.
func (s *server) stream(every time.Duration, headers ...string) *stream {
	streams.mu.Lock()
	streams.n++
	st := &stream{s: s, headers: headers, name: fmt.Sprintf("LIVE%02dX", streams.n), stop: make(chan struct{}), refused: map[int]int{}}
	streams.mu.Unlock()
	st.under.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		last := time.Now()
		for n := 0; ; n++ {
			due := time.Now()
			st.mu.Lock()
			st.longest = max(st.longest, due.Sub(last))
			st.mu.Unlock()
			last = due
			st.under.Go(func() { st.push(n, due) })
			select {
			case <-tick.C:
			case <-st.stop:
				return
			}
		}
	})
	return st
}

func (st *stream) push(n int, due time.Time) {
	awb := fmt.Sprintf("%s%06d", st.name, n)
	body := event(awb, 500_000_000+n, []string{"PICKED UP", "IN TRANSIT", "OUT FOR DELIVERY", "DELIVERED"}[n%4], due.Add(-time.Hour))
	proof := []string{"x-api-key", webhookToken}
	if n%2 == 1 {
		proof = []string{"X-Shiprocket-Signature", signature(webhookSecret, body)}
	}
	var a answer
	var err error
	for range tries {
		a, err = st.s.do(context.Background(), http.MethodPost, webhookPath, body, append(proof, st.headers...)...)
		if a.status != 0 {
			break
		}
		st.mu.Lock()
		st.again++
		st.closed = err
		st.mu.Unlock()
	}
	took := time.Since(due)
	var said struct{ EventID string }
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sent++
	if err != nil || a.status != http.StatusOK || json.Unmarshal(a.body, &said) != nil || said.EventID == "" {
		st.refused[a.status]++
		return
	}
	st.acknowledged = append(st.acknowledged, said.EventID)
	st.latencies = append(st.latencies, took)
}

// counts are how many pushes were acknowledged and turned away so far.
func (st *stream) counts() (acknowledged, refused int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, n := range st.refused {
		refused += n
	}
	return len(st.acknowledged), refused
}

// goesOn waits until so many more were acknowledged.
func (st *stream) goesOn(more int) {
	st.s.t.Helper()
	before, _ := st.counts()
	st.s.await(time.Minute, "acknowledgement", func() bool {
		now, _ := st.counts()
		return now >= before+more
	})
}

// stalled reports whether the whole machine stood still for so long that time
// limits were over when it went on, as virtual ones do. What was turned away
// then was not the attack's work.
func (st *stream) stalled(t *testing.T) bool {
	t.Helper()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.longest < 3*time.Second {
		return false
	}
	t.Logf("the machine stood still for %s", st.longest.Round(time.Second))
	return true
}

// end stops the stream and waits for the answers under way.
func (st *stream) end() {
	close(st.stop)
	st.under.Wait()
}

// A meanwhile is how Shiprocket fared during an attack.
type meanwhile struct {
	acknowledged, refused, lost int
	p50, p99                    time.Duration
}

func (m meanwhile) String() string {
	return fmt.Sprintf("meanwhile %d pushes acknowledged, %d turned away, %d lost, p50 %s, p99 %s", m.acknowledged, m.refused, m.lost, round(m.p50), round(m.p99))
}

// verify looks for every acknowledged push in the log, worked off.
func (st *stream) verify() meanwhile {
	st.s.t.Helper()
	st.s.settled()
	processed := map[string]bool{}
	for _, r := range st.s.rows("status=processed") {
		processed[r.EventID] = true
	}
	m := meanwhile{acknowledged: len(st.acknowledged)}
	for _, id := range st.acknowledged {
		if !processed[id] {
			m.lost++
		}
	}
	for _, n := range st.refused {
		m.refused += n
	}
	m.p50, m.p99 = quantile(st.latencies, 0.5), quantile(st.latencies, 0.99)
	return m
}

// undisturbed is verify for attacks that may not cost Shiprocket anything.
func (st *stream) undisturbed(t *testing.T) meanwhile {
	t.Helper()
	m := st.verify()
	if st.stalled(t) {
		return m
	}
	if m.refused > 0 {
		t.Errorf("pushes were turned away: %s, %v", counted(st.refused), st.closed)
	}
	if st.again > 3+st.sent/50 {
		t.Errorf("%d of %d pushes had no answer at first: %v", st.again, st.sent, st.closed)
	}
	if m.p99 > 5*time.Second {
		t.Errorf("intake's p99 is %s", m.p99)
	}
	return m
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[min(int(q*float64(len(d))), len(d)-1)]
}
