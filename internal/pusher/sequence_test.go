package pusher

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func (b *bundle) counted(t *testing.T, sequence ...int64) {
	t.Helper()
	for _, n := range sequence {
		if err := b.PublishMessages(t.Context(), []Message{{Channel: "x", Event: "e", Data: fmt.Append(nil, n), Sequence: n}}); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *client) wantCounted(sequence ...int64) {
	c.t.Helper()
	for _, n := range sequence {
		c.wantText("e", fmt.Sprint(n))
	}
	c.alive()
}

func TestMessagesThatCameTooEarlyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		c := b.watcher(t)
		c.subscribe("x")
		b.counted(t, 7, 8) // the first is taken as it comes
		c.wantCounted(7, 8)
		b.counted(t, 11, 10)
		c.wantCounted()
		b.counted(t, 9)
		c.wantCounted(9, 10, 11)

		// What does not come within 100 ms is not waited for.
		start := time.Now()
		b.counted(t, 13)
		time.Sleep(holdFor / 2)
		b.counted(t, 15)
		c.wantText("e", "13")
		if d := time.Since(start); d != holdFor {
			t.Errorf("held for %v", d)
		}
		b.counted(t, 12) // late, at once
		c.wantText("e", "12")
		c.wantText("e", "15")
		if d := time.Since(start); d != holdFor*3/2 {
			t.Errorf("held for %v", d)
		}
		b.counted(t, 15, 3) // again, and long past: the watcher can tell
		c.wantCounted(15, 3)
		b.publish(t, "x", "e", "0") // not counted, not held
		c.wantCounted(0)
		b.counted(t, 16)
		c.wantCounted(16)
	})
}

// A publisher that goes wrong makes nobody keep more than a bound.
func TestTooManyThatCameTooEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		c := b.watcher(t)
		c.subscribe("x")
		b.counted(t, 1)
		c.wantCounted(1)
		for n := range int64(holdMost) {
			b.counted(t, n+3)
		}
		c.alive()
		b.counted(t, holdMost+3)
		for n := range int64(holdMost + 1) {
			c.wantText("e", fmt.Sprint(n+3))
		}
		c.alive()
	})
}

// However messages come, each is delivered once, none waits for ever, and those
// that are less than 100 ms late come in order.
func TestOrderOfCountedMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		order := rapid.Permutation([]int64{2, 3, 4, 5, 6, 7, 8, 9}).Draw(r, "order")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 150), len(order), len(order)).Draw(r, "pauses")
		wrong := "" // rapid must not be told inside the bubble
		synctest.Test(t, func(t *testing.T) {
			b := setupPipe(t)
			c := b.watcher(t)
			c.subscribe("x")
			b.counted(t, 1)
			start := time.Now()
			at := map[int64]time.Duration{}
			for i, n := range order {
				time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
				at[n] = time.Since(start)
				b.counted(t, n)
			}
			time.Sleep(holdFor)
			var got []int64
			for _, f := range c.sofar() {
				var n int64
				_, _ = fmt.Sscan(f.text(t), &n)
				got = append(got, n)
			}
			if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
				wrong = fmt.Sprintf("delivered %v", got)
				return
			}
			for i, n := range got {
				if i > 0 && n < slices.Max(got[:i]) && !lateForOne(got[:i], at, n) {
					wrong = fmt.Sprintf("%d at %v, not late: %v %v", n, at[n], got, at)
				}
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// lateForOne says whether n came when the time of one that was delivered before it
// was up.
func lateForOne(delivered []int64, at map[int64]time.Duration, n int64) bool {
	return slices.ContainsFunc(delivered, func(other int64) bool { return other > n && at[n] >= at[other]+holdFor })
}
