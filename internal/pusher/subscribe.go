package pusher

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// cacheMissEvery is how often it may be said of one channel that it keeps no last
// event.
const cacheMissEvery = 10 * time.Second

// subscription is the data of pusher:subscribe and pusher:unsubscribe.
type subscription struct {
	Channel     string `json:"channel"`
	Auth        string `json:"auth"`
	ChannelData string `json:"channel_data"`
}

// subscriptionError is why a subscription was refused, as its channel hears it.
type subscriptionError struct {
	kind    string // AuthError, LimitReached, InvalidChannel, InvalidData, ServerError
	message string
	status  int
}

// unavailable is what a watcher hears when the cluster could not be asked. The
// connection stays until the cluster answers again; see owe.
var unavailable = &subscriptionError{"ServerError", "The subscription is not possible at the moment", http.StatusServiceUnavailable}

func unauthorizedFor(channel kind) *subscriptionError {
	return &subscriptionError{"AuthError", "The connection is unauthorized: no valid signature for this " + channel.String() + " channel", http.StatusUnauthorized}
}

func (c *conn) subscribe(data json.RawMessage) {
	var sub subscription
	if err := decode(data, &sub); err != nil || sub.Channel == "" {
		c.complain(0, "Invalid subscription: data must be an object with a channel")
		return
	}
	if c.seats[sub.Channel] != nil {
		c.complain(0, "Existing subscription to channel "+sub.Channel)
		return
	}
	s, why := c.take(sub)
	if why != nil {
		c.push(subscriptionErrorFrame(clip(sub.Channel), *why))
		return
	}
	if c.seats == nil {
		c.seats = make(map[string]*seat, 1)
	}
	c.seats[s.channel.name] = s // the channel's own string: a crowd shares one copy
}

// take gives the watcher his seat, and tells him so, or says why he gets none.
func (c *conn) take(sub subscription) (*seat, *subscriptionError) {
	if err := checkChannel(sub.Channel); err != nil {
		return nil, &subscriptionError{"InvalidChannel", err.Error(), http.StatusBadRequest}
	}
	o := &c.server.opts
	k := kindOf(sub.Channel)
	s := &seat{conn: c}
	switch k.guard {
	case open:
	case private, encrypted:
		if !o.App.signedChannel(sub.Auth, c.id, sub.Channel) {
			return nil, unauthorizedFor(k)
		}
	case presence:
		m, why := c.membership(sub)
		if why != nil {
			return nil, why
		}
		s.member = m
	case user:
		if c.identity == nil || userPrefix+c.identity.id != sub.Channel {
			return nil, &subscriptionError{"AuthError", "The connection is not signed in as this user", http.StatusUnauthorized}
		}
	}
	if len(c.seats) >= o.MaxSubscriptions {
		return nil, &subscriptionError{"LimitReached", fmt.Sprintf("A connection may have %d subscriptions", o.MaxSubscriptions), int(CodeOverCapacity)}
	}
	if k.guard == user {
		c.server.hub.unmute(c.identity.seat, subscribedFrame(sub.Channel))
		return c.identity.seat, nil
	}
	var err error
	if s.member == nil && !k.cache {
		err = c.server.sit(s, sub.Channel, subscribedFrame(sub.Channel))
	} else {
		err = c.server.sitPending(s, sub.Channel, k)
	}
	switch {
	case errors.Is(err, ErrFull):
		return nil, &subscriptionError{"LimitReached", fmt.Sprintf("The channel has its %d members", o.MaxMembers), int(CodeOverCapacity)}
	case err != nil:
		c.owe()
		return nil, unavailable
	}
	if k.guard != open {
		c.authorized.Store(true)
	}
	return s, nil
}

// sitPending takes a seat in a channel with more to say than that: who is in it,
// and what its last event was. What is delivered before that is known waits.
func (s *Server) sitPending(seat *seat, channel string, k kind) error {
	seat.pending = new(pending)
	if seat.member != nil {
		s.keeper.anew.RLock()
		defer s.keeper.anew.RUnlock()
	}
	if err := s.sit(seat, channel, nil); err != nil {
		return err
	}
	ctx, cancel := s.bounded()
	defer cancel()
	var last []byte
	missed := false
	if k.cache {
		m, _, ok, err := s.opts.Cluster.Recall(ctx, channel)
		switch {
		case err != nil:
			s.hub.leave(seat)
			return err
		case ok:
			last = messageFrame(m)
		default:
			last, missed = cacheMissFrame(channel), true
		}
	}
	if seat.member == nil {
		s.hub.welcome(seat, subscribedFrame(channel), last)
	} else if err := s.enter(ctx, seat, channel, last); err != nil {
		return err
	}
	if missed && s.webhooks != nil && s.hub.missedLast(seat, time.Now()) {
		s.webhooks.add(webhookEvent{Name: webhookCacheMiss, Channel: channel})
	}
	return nil
}

func (c *conn) unsubscribe(data json.RawMessage) {
	var sub subscription
	if err := decode(data, &sub); err != nil || sub.Channel == "" {
		c.complain(0, "Invalid unsubscription: data must be an object with a channel")
		return
	}
	s := c.seats[sub.Channel]
	if s == nil {
		c.complain(0, "No current subscription to channel "+clip(sub.Channel)+", or subscription in progress")
		return
	}
	delete(c.seats, sub.Channel)
	if c.identity != nil && s == c.identity.seat {
		c.server.hub.mute(s)
		return
	}
	c.server.leave(s)
}

// standUp gives up all that the connection has in channels.
func (c *conn) standUp() {
	for _, s := range c.seats {
		if c.identity == nil || s != c.identity.seat {
			c.server.leave(s)
		}
	}
	c.seats = nil
	if c.identity == nil {
		return
	}
	for _, s := range c.identity.watching {
		c.server.leave(s)
	}
	c.server.leave(c.identity.seat)
}
