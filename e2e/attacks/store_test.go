package attacks

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// A relay stands between a server and its database, and can be cut.
type relay struct {
	t      *testing.T
	to     string
	addr   string
	under  sync.WaitGroup
	mu     sync.Mutex
	l      net.Listener
	ends   map[net.Conn]bool
	frozen chan struct{} // not nil: nothing passes until it is closed
}

func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	r := &relay{t: t, to: to, addr: "127.0.0.1:0", ends: map[net.Conn]bool{}}
	r.restore()
	t.Cleanup(func() {
		r.thaw()
		r.cut()
		r.under.Wait()
	})
	return r
}

// restore lets connections pass.
func (r *relay) restore() {
	r.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.l, r.addr = l, l.Addr().String()
	r.mu.Unlock()
	r.under.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r.under.Go(func() { r.pass(nc) })
		}
	})
}

// cut ends all connections and lets none be opened.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.l.Close()
	for nc := range r.ends {
		nc.Close()
	}
}

// freeze lets nothing pass, and ends nothing: a network that swallows.
func (r *relay) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = make(chan struct{})
}

func (r *relay) thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen != nil {
		close(r.frozen)
		r.frozen = nil
	}
}

func (r *relay) pass(near net.Conn) {
	far, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", r.to)
	if err != nil {
		near.Close()
		return
	}
	r.mu.Lock()
	r.ends[near], r.ends[far] = true, true
	r.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], &thawing{r, way[1]})
			near.Close()
			far.Close()
		})
	}
	both.Wait()
	r.mu.Lock()
	delete(r.ends, near)
	delete(r.ends, far)
	r.mu.Unlock()
}

// thawing hands on what it reads when nothing is frozen.
type thawing struct {
	r  *relay
	nc net.Conn
}

func (w *thawing) Read(p []byte) (int, error) {
	n, err := w.nc.Read(p)
	w.r.mu.Lock()
	frozen := w.r.frozen
	w.r.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return n, err
}

// behindRelay is a server whose PostgreSQL can be cut off.
func behindRelay(t *testing.T) (s *server, r *relay, endLeases func()) {
	t.Helper()
	direct := storetest.PostgresURL(t)
	address, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	if address.Port() == "" {
		address.Host = net.JoinHostPort(address.Hostname(), "5432")
	}
	r = startRelay(t, address.Host)
	address.Host = r.addr
	// What was being worked off when the database went waits for the end of its
	// lease, two minutes; outages in earnest wait for it.
	endLeases = func() {
		if full() {
			return
		}
		conn, err := pgx.Connect(t.Context(), direct)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(t.Context(), `UPDATE webhooks SET due_at = received_at WHERE status = 'pending'`); err != nil {
			t.Fatal(err)
		}
	}
	return serve(t, "DATABASE_URL="+address.String()), r, endLeases
}

// outage is how long the database is gone.
func outage() time.Duration {
	if full() {
		return 30 * time.Second
	}
	return 3 * time.Second
}

// A database that is gone costs 503s and nothing else, and is used again when it
// is back.
func TestStoreGone(t *testing.T) {
	s, r, endLeases := behindRelay(t)
	st := s.stream(10 * time.Millisecond)
	st.goesOn(50)
	r.cut()
	cut := time.Now()
	s.await(10*time.Second, "refusal", func() bool { _, refused := st.counts(); return refused > 0 })
	if a := s.proven(event("GONE", 1, "IN TRANSIT", time.Now())); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a push meanwhile: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	if got := s.run.Readiness(); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz meanwhile: %d", got)
	}
	<-time.After(outage() - time.Since(cut))
	before, _ := st.counts()
	r.restore()
	back := time.Now()
	s.await(30*time.Second, "acknowledgement after the outage", func() bool { now, _ := st.counts(); return now > before })
	took := time.Since(back)
	st.goesOn(50)
	st.end()
	endLeases()
	m := st.verify()
	if st.refused[503] != m.refused && !st.stalled(t) {
		t.Errorf("answers: %s", counted(st.refused))
	}
	said := s.out.String()
	if told := strings.Count(said, "intake.refusing"); told == 0 || told > 10 || !strings.Contains(said, "intake.recovered") {
		t.Errorf("the alarm was told %d times", told)
	}
	report(t, fmt.Sprintf("store gone for %s", outage()), "all connections to PostgreSQL cut, none opened",
		fmt.Sprintf("%d × 503; acknowledging again %s after it was back", m.refused, took.Round(10*time.Millisecond)), m)
}

// A network that swallows what is sent makes pushes wait; none is acknowledged
// that was not kept.
func TestStoreFrozen(t *testing.T) {
	s, r, endLeases := behindRelay(t)
	st := s.stream(10 * time.Millisecond)
	st.goesOn(50)
	r.freeze()
	before, _ := st.counts()
	<-time.After(outage())
	during, _ := st.counts()
	r.thaw()
	st.goesOn(50)
	st.end()
	endLeases()
	m := st.verify()
	if during-before > 50 {
		t.Errorf("%d were acknowledged while nothing reached the database", during-before)
	}
	if st.refused[503] != m.refused && !st.stalled(t) {
		t.Errorf("answers: %s", counted(st.refused))
	}
	report(t, fmt.Sprintf("store silent for %s", outage()), "nothing passes between server and PostgreSQL",
		fmt.Sprintf("pushes wait, %d × 503 after 10 s", m.refused), m)
}
