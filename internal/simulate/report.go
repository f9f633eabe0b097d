package simulate

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	redrawEvery = 200 * time.Millisecond // on a terminal
	printEvery  = 10 * time.Second       // elsewhere
)

// String is the report in a few lines.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d pushes of %d parcels in %s", r.Seed, r.Planned, r.Parcels, r.Took.Round(10*time.Millisecond))
	if seconds := r.Took.Seconds(); seconds > 0 {
		fmt.Fprintf(&b, " (%.1f/s)", float64(r.Acknowledged)/seconds)
	}
	fmt.Fprintf(&b, "\nacknowledged %d (%d as duplicates), refused %d, unanswered %d, retries %d\n",
		r.Acknowledged, r.Duplicates, r.Refused, r.Unanswered, r.Retries)
	if l := r.Log; l != nil {
		fmt.Fprintf(&b, "stored %d: processed %d, duplicate %d, parked %d, ignored %d, rejected %d, failed %d, pending %d\n",
			l.Stored, l.Processed, l.Duplicate, l.Parked, l.Ignored, l.Rejected, l.Failed, l.Pending)
	}
	return b.String()
}

func (r Report) progress(since time.Duration) string {
	return fmt.Sprintf("%d of %d  acknowledged %d  duplicates %d  refused %d  retries %d  %.0f/s",
		r.Acknowledged+r.Refused+r.Unanswered, r.Planned, r.Acknowledged, r.Duplicates, r.Refused, r.Retries,
		float64(r.Acknowledged)/max(since.Seconds(), 0.001))
}

// shown does the work and shows the counts on out meanwhile: on a terminal as
// one line that is written over, elsewhere as a line now and then.
func (t *tally) shown(out io.Writer, began time.Time, work func() error) error {
	if out == nil {
		return work()
	}
	every, before, after := printEvery, "", "\n"
	if terminal(out) {
		every, before, after = redrawEvery, "\r", "\x1b[K" // clears what a longer line left
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = io.WriteString(out, before+t.counts().progress(time.Since(began))+after)
			}
		}
	}()
	err := work()
	close(done)
	<-stopped
	if before != "" {
		_, _ = io.WriteString(out, before+after)
	}
	return err
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
