package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/relay"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// behindRelay is a server whose PostgreSQL can be cut off.
func behindRelay(t *testing.T) (*server, *relay.Relay) {
	t.Helper()
	r, address, err := relay.Before(storetest.PostgresURL(t), "5432")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return serve(t, "DATABASE_URL="+address), r
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
	s, r := behindRelay(t)
	st := s.stream(10 * time.Millisecond)
	st.goesOn(50)
	r.Cut()
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
	if err := r.Restore(); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	s.await(30*time.Second, "acknowledgement after the outage", func() bool { now, _ := st.counts(); return now > before })
	took := time.Since(back)
	st.goesOn(50)
	st.end()
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
	s, r := behindRelay(t)
	st := s.stream(10 * time.Millisecond)
	st.goesOn(50)
	r.Freeze()
	before, _ := st.counts()
	<-time.After(outage())
	during, _ := st.counts()
	r.Thaw()
	st.goesOn(50)
	st.end()
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
