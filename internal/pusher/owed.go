package pusher

import (
	"fmt"
	"time"
)

// Watchers who were refused a channel, or their sign-in, because the cluster could
// not be asked do not ask again by themselves: pusher-js asks once for each
// connection. So as soon as the cluster answers they are sent away, and subscribe where they
// come back.

// owe notes that the watcher was refused what he may have.
func (c *conn) owe() {
	c.owed.Store(true)
	k := c.server.keeper
	k.news(func() {
		if k.owing.IsZero() {
			k.owing = time.Now().Add(retryAfter)
		}
	})
}

// pay sends away those who are owed something, if the cluster can be asked again,
// and says when to try next; zero when nobody is.
func (k *keeper) pay(now time.Time) (next time.Time) {
	k.mu.Lock()
	due := k.owing
	k.mu.Unlock()
	if due.IsZero() || due.After(now) {
		return due
	}
	err := k.probe()
	k.mu.Lock()
	if err != nil {
		k.owing = time.Now().Add(retryAfter)
		due = k.owing
		k.mu.Unlock()
		return due
	}
	k.owing = time.Time{}
	k.mu.Unlock()
	s := k.server
	var owed []*conn
	s.mu.Lock()
	for c := range s.conns {
		if c.owed.Load() {
			owed = append(owed, c)
		}
	}
	s.mu.Unlock()
	s.sendAwayLater(owed, "what was refused is possible now")
	return time.Time{}
}

// probe says whether channels can be followed and the census asked.
func (k *keeper) probe() error {
	ctx, cancel := k.server.bounded()
	defer cancel()
	name := "#probe-" + k.server.node
	if err := k.server.opts.Cluster.Follow(ctx, name); err != nil {
		return err
	}
	k.server.opts.Cluster.Unfollow(name)
	if _, err := k.server.opts.Cluster.Counts(ctx, []string{name}); err != nil {
		return fmt.Errorf("ask the census: %w", err)
	}
	return nil
}
