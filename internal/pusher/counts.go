package pusher

import (
	"context"
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
	if k.countAgain(ctx, due, counts) {
		return now.Add(reportEvery)
	}
	return next
}

// countAgain sees to it that channels that changed since they were counted are
// told of once more: another node may have counted later and told earlier.
func (k *keeper) countAgain(ctx context.Context, channels []string, told []int) bool {
	counts, err := k.server.opts.Cluster.Counts(ctx, channels)
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := false
	for i, name := range channels {
		if counts[i] != told[i] {
			k.counting[name] = struct{}{}
			changed = true
		}
	}
	return changed
}

// countMessage tells the watchers of a channel how many they are.
func countMessage(channel string, n int) Message {
	return Message{Channel: channel, Event: eventCount, Data: fmt.Appendf(nil, `{"subscription_count":%d}`, n)}
}
