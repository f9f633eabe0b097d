package inbox

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 4 * time.Second, 3: 16 * time.Second, 5: 256 * time.Second,
		6: 15 * time.Minute, 8: 15 * time.Minute, 1000: 15 * time.Minute,
	} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := backoff(attempt)
			seen[d] = true
			if d < want*3/4 || d > want*5/4 {
				t.Errorf("after try %d: %s, want %s within a quarter", attempt, d, want)
			}
		}
		if len(seen) < 10 {
			t.Errorf("after try %d: %d different waits of 50: rows that failed together come back together", attempt, len(seen))
		}
	}
}
