package pusher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// WebhookTarget is an address that is told what happens in the app's channels, in
// signed POST requests (Pusher docs). What it does not answer with 2xx is sent
// again, with longer and longer pauses, for five minutes; meanwhile up to a
// thousand events wait for it, and more are given up.
type WebhookTarget struct {
	URL string
	// Events are the names it wants, of channel_occupied, channel_vacated,
	// member_added, member_removed, client_event, cache_miss and subscription_count.
	// Empty is all.
	Events []string
	// ChannelPrefix leaves out channels that do not begin so.
	ChannelPrefix string
	// Header is sent along.
	Header http.Header
}

// Names of the events that webhooks tell of.
const (
	webhookOccupied      = "channel_occupied"
	webhookVacated       = "channel_vacated"
	webhookMemberAdded   = "member_added"
	webhookMemberRemoved = "member_removed"
	webhookClientEvent   = "client_event"
	webhookCacheMiss     = "cache_miss"
	webhookCount         = "subscription_count"
)

func (t WebhookTarget) check() error {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("pusher: a webhook's URL must be http:// or https:// and a host")
	}
	for _, name := range t.Events {
		if !slices.Contains([]string{
			webhookOccupied, webhookVacated, webhookMemberAdded, webhookMemberRemoved, webhookClientEvent, webhookCacheMiss, webhookCount,
		}, name) {
			return fmt.Errorf("pusher: there is no webhook event %q", name)
		}
	}
	return nil
}

func (t WebhookTarget) wants(e webhookEvent) bool {
	return (len(t.Events) == 0 || slices.Contains(t.Events, e.Name)) && strings.HasPrefix(e.Channel, t.ChannelPrefix)
}

// webhookEvent is one event as a webhook tells of it.
type webhookEvent struct {
	Name     string `json:"name"`
	Channel  string `json:"channel"`
	Event    string `json:"event,omitempty"`
	Data     string `json:"data,omitempty"`
	SocketID string `json:"socket_id,omitempty"`
	UserID   string `json:"user_id,omitempty"`
	Count    *int   `json:"subscription_count,omitempty"`
}

// webhooks passes events to the targets that want them. The methods of a nil one do
// nothing.
type webhooks struct {
	senders []*sender
	running sync.WaitGroup
	cancel  context.CancelFunc // of tries under way
}

func newWebhooks(s *Server, targets []WebhookTarget) *webhooks {
	if len(targets) == 0 {
		return nil
	}
	h := new(webhooks)
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	for _, t := range targets {
		sender := newSender(t, s.opts.App, s.opts.Observer, s.log)
		h.senders = append(h.senders, sender)
		h.running.Go(func() { sender.run(ctx) })
	}
	return h
}

// add has the event sent; it does not wait.
func (h *webhooks) add(e webhookEvent) {
	if h == nil {
		return
	}
	for _, s := range h.senders {
		if s.target.wants(e) {
			s.add(e)
		}
	}
}

// member tells of the member whose own channel this is.
func (h *webhooks) member(event, name string) {
	channel, user, _ := strings.Cut(strings.TrimPrefix(name, memberPrefix), "#")
	h.add(webhookEvent{Name: event, Channel: channel, UserID: user})
}

// close sends what waits, without patience, and returns when nothing runs any more.
func (h *webhooks) close() {
	if h == nil {
		return
	}
	for _, s := range h.senders {
		close(s.closing)
	}
	cut := time.AfterFunc(webhookDrain, h.cancel)
	h.running.Wait()
	cut.Stop()
	h.cancel()
}
