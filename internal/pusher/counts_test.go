package pusher

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestSubscriptionCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2, func(o *Options) { o.SubscriptionCount = true })
		count := func(c *client, n int) {
			t.Helper()
			c.wantText(eventCount, fmt.Sprintf(`{"subscription_count":%d}`, n))
		}
		c := nodes[0].watcher(t)
		c.subscribe("x")
		count(c, 1)
		other := nodes[1].watcher(t)
		other.subscribe("x")
		count(c, 2)
		other.leave()
		count(c, 1)
		// Not for presence channels, which tell more.
		c.enter("presence-x", "a")
		time.Sleep(time.Minute)
		c.alive()

		// Many are told at most every five seconds.
		var crowd []*client
		for range 100 {
			w := nodes[1].watcher(t)
			w.subscribe("x")
			crowd = append(crowd, w)
		}
		count(c, 101)
		start := time.Now()
		crowd[0].leave()
		for _, w := range crowd[1:] {
			count(w, 101)
		}
		count(c, 100)
		if d := time.Since(start); d < 4*time.Second || d > 6*time.Second {
			t.Errorf("told again after %v", d)
		}
		for _, w := range crowd[1:] {
			count(w, 100)
		}
	})
}
