package pusher

import (
	"encoding/json"
	"fmt"

	"golang.org/x/time/rate"
)

// clientEvent passes an event of this watcher on to the others in the channel.
func (c *conn) clientEvent(in inbound) {
	o := &c.server.opts
	k := kindOf(in.Channel)
	s := c.seats[in.Channel]
	switch {
	case !o.ClientEvents:
		c.complain(codeClientEvent, "The app does not have client messaging enabled")
		return
	case k.guard != private && k.guard != presence:
		c.complain(0, "Client event rejected: only private and presence channels that are not encrypted take them")
		return
	case s == nil:
		c.complain(0, "Cannot broadcast client event (connection not subscribed to channel "+clip(in.Channel)+")")
		return
	case len(in.Event) > maxEventName:
		c.complain(0, fmt.Sprintf("Client event rejected: its name may have %d characters", maxEventName))
		return
	}
	// Counted before it is looked at further: a flood of bad ones is a flood.
	if c.events == nil {
		c.events = rate.NewLimiter(rate.Limit(o.ClientEventRate), o.ClientEventRate)
	}
	if !c.events.Allow() {
		c.complain(codeClientEvent, fmt.Sprintf("Client event rejected: a connection may send %d a second", o.ClientEventRate))
		return
	}
	var data eventData
	if len(in.Data) > 0 {
		if err := json.Unmarshal(in.Data, &data); err != nil {
			c.complain(0, "Client event rejected: its data is broken")
			return
		}
	}
	if data == nil {
		data = eventData("null")
	}
	if len(data) > o.MaxEventBytes {
		c.complain(0, fmt.Sprintf("Client event rejected: %d bytes of data, %d are allowed", len(data), o.MaxEventBytes))
		return
	}
	m := Message{Channel: in.Channel, Event: in.Event, Data: data, Except: c.id}
	if s.member != nil {
		m.User = s.member.User
	}
	ctx, cancel := c.server.bounded()
	defer cancel()
	if err := o.Cluster.Publish(ctx, []Message{m}); err != nil {
		c.complain(0, "Client event rejected: not possible at the moment")
		return
	}
	o.Observer.ClientEvent()
	c.server.webhooks.add(webhookEvent{
		Name: webhookClientEvent, Channel: m.Channel, Event: m.Event, Data: string(m.Data), SocketID: c.id, UserID: m.User,
	})
}
