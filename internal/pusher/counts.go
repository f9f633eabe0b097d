package pusher

import (
	"fmt"
	"time"
)

// manyWatchers and manyEvery bound how often many are told how many they are (Pusher
// docs).
const (
	manyWatchers = 100
	manyEvery    = 5 * time.Second
)

// count tells the watchers of channels that changed how many they are.
func (k *keeper) count(now time.Time) (next time.Time) {
	k.mu.Lock()
	var due []string
	for name := range k.counting {
		at := k.toldMany[name].Add(manyEvery)
		if at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		delete(k.counting, name)
		due = append(due, name)
	}
	k.mu.Unlock()
	for name, told := range k.toldMany {
		if now.Sub(told) >= manyEvery {
			delete(k.toldMany, name)
		}
	}
	if len(due) == 0 {
		return next
	}
	ctx, cancel := k.server.bounded()
	defer cancel()
	counts, err := k.server.opts.Cluster.Counts(ctx, due)
	if err != nil {
		return next // the next change is told
	}
	messages := make([]Message, len(due))
	for i, name := range due {
		messages[i] = countMessage(name, counts[i])
		k.server.webhooks.add(webhookEvent{Name: webhookCount, Channel: name, Count: &counts[i]})
		if counts[i] > manyWatchers {
			k.toldMany[name] = now
		}
	}
	k.server.tell(messages...)
	return next
}

// countMessage tells the watchers of a channel how many they are.
func countMessage(channel string, n int) Message {
	return Message{Channel: channel, Event: eventCount, Data: fmt.Appendf(nil, `{"subscription_count":%d}`, n)}
}
