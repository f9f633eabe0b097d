package pusher

import (
	"context"
	"slices"
	"strings"
	"time"
)

// settleAfter is how long a channel may be empty, or a user gone, before that
// counts: a page that is loaded anew is away for a moment only.
const settleAfter = 3 * time.Second

type settling struct {
	at       time.Time
	channels []string
}

// settleLater sees to it that channels that nobody sits in are asked about again.
func (k *keeper) settleLater(channels []string) {
	if len(channels) == 0 {
		return
	}
	k.mu.Lock()
	k.settling = append(k.settling, settling{time.Now().Add(settleAfter), channels})
	k.mu.Unlock()
	k.server.hub.wake()
}

// settle ends the occupation of channels that stayed empty.
func (k *keeper) settle(now time.Time) (next time.Time) {
	k.mu.Lock()
	var due []string
	for len(k.settling) > 0 && !k.settling[0].at.After(now) {
		due = append(due, k.settling[0].channels...)
		k.settling = k.settling[1:]
	}
	if len(k.settling) > 0 {
		next = k.settling[0].at
	}
	k.mu.Unlock()
	if len(due) == 0 {
		return next
	}
	ctx, cancel := k.server.bounded()
	defer cancel()
	// No report meanwhile: who comes back would be told of first.
	k.flushing.Lock()
	defer k.flushing.Unlock()
	vacated, err := k.server.opts.Cluster.Settle(ctx, due)
	if err != nil {
		k.settleLater(due)
		return next
	}
	k.ended(vacated)
	k.returned(ctx, vacated)
	return next
}

// returned tells of users who came to another node, which may have said so before
// this one said that they were gone.
func (k *keeper) returned(ctx context.Context, vacated []string) {
	users := slices.DeleteFunc(slices.Clone(vacated), func(name string) bool { return !strings.HasPrefix(name, userPrefix) })
	if len(users) == 0 {
		return
	}
	counts, err := k.server.opts.Cluster.Counts(ctx, users)
	if err != nil {
		return
	}
	for i, name := range users {
		if counts[i] > 0 {
			k.server.tell(watchlistMessage(strings.TrimPrefix(name, userPrefix), "online"))
		}
	}
}

// began and ended draw the conclusions from what the census says of channels.
func (k *keeper) began(occupied []string) {
	k.conclude(occupied, "online", webhookMemberAdded, webhookOccupied)
}

func (k *keeper) ended(vacated []string) {
	k.conclude(vacated, "offline", webhookMemberRemoved, webhookVacated)
}

// conclude tells watchlists what a user is now, and webhooks what became of a
// member or of a channel.
func (k *keeper) conclude(channels []string, user, member, channel string) {
	var told []Message
	for _, name := range channels {
		switch id, isUser := strings.CutPrefix(name, userPrefix); {
		case isUser:
			told = append(told, watchlistMessage(id, user))
		case strings.HasPrefix(name, memberPrefix):
			k.server.webhooks.member(member, name)
		default:
			k.server.webhooks.add(webhookEvent{Name: channel, Channel: name})
		}
	}
	k.server.tell(told...)
}
