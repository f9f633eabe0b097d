package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A server that is told to stop under load stops being ready first, finishes
// what is under way, and loses nothing that it has acknowledged.
func TestSIGTERMUnderLoad(t *testing.T) {
	s := serve(t, "DRAIN_SECONDS=1")
	const rounds = 2
	var acknowledged, refused, during int
	var streams []*stream
	for range rounds {
		st := s.stream(2 * time.Millisecond)
		streams = append(streams, st)
		st.goesOn(200)
		if err := s.run.Terminate(); err != nil {
			t.Fatal(err)
		}
		s.await(5*time.Second, "end of readiness", func() bool { return s.run.Readiness() == http.StatusServiceUnavailable })
		// Balancers notice now; what still comes is taken.
		before, turned := st.counts()
		st.goesOn(50)
		if _, now := st.counts(); now > turned && !st.stalled(t) {
			t.Errorf("%d pushes were turned away while it was still answering", now-turned)
		}
		s.ended()
		st.end()
		after, lost := st.counts()
		acknowledged, refused, during = acknowledged+after, refused+lost, during+after-before
		if n := st.refused[0]; n != lost && !st.stalled(t) {
			t.Errorf("answers: %s", counted(st.refused))
		}
		s.start()
	}
	m := meanwhile{}
	var all []time.Duration
	for _, st := range streams {
		v := st.verify()
		m.acknowledged += v.acknowledged
		m.refused += v.refused
		m.lost += v.lost
		all = append(all, st.latencies...)
	}
	m.p50, m.p99 = quantile(all, 0.5), quantile(all, 0.99)
	if strings.Contains(s.out.String(), "level=ERROR") && !streams[0].stalled(t) && !streams[1].stalled(t) {
		t.Error("errors in the log")
	}
	report(t, "SIGTERM under load", fmt.Sprintf("%d times at 500 pushes a second", rounds),
		fmt.Sprintf("exit code 0; %d pushes taken after /readyz had turned 503; the rest met a closed port", during), m)
}
