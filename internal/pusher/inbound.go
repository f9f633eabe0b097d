package pusher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// handle does what one message of a client asks for. Nothing in a message closes
// the connection (Pusher docs); what cannot be done is answered with an error.
func (c *conn) handle(msg []byte) {
	var in struct {
		Event string          `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(msg, &in); err != nil {
		c.complain(0, "Invalid JSON: a message is an object with an event and data")
		return
	}
	switch {
	case in.Event == eventPing:
		c.push(pongFrame)
	case in.Event == eventPong:
	case in.Event == eventSubscribe:
		c.subscribe(in.Data)
	case in.Event == eventUnsubscribe:
		c.unsubscribe(in.Data)
	case in.Event == eventSignin:
		c.complain(0, "Sign-in is not served by this app")
	case strings.HasPrefix(in.Event, "client-"):
		c.complain(codeClientEvent, "The app does not have client messaging enabled")
	default:
		c.complain(0, "Unsupported event received on socket: "+clip(in.Event))
	}
}

func (c *conn) complain(code Code, message string) {
	c.push(errorFrame(code, message))
}

// clip shortens what a client sent before it is sent back.
func clip(s string) string {
	if len(s) > maxChannelName {
		return s[:maxChannelName] + "…"
	}
	return s
}

// subscription is the data of pusher:subscribe and pusher:unsubscribe.
type subscription struct {
	Channel string `json:"channel"`
	Auth    string `json:"auth"`
}

// decodeSubscription takes the data as an object, and also as a string that holds
// one, which some client libraries send.
func decodeSubscription(data json.RawMessage) (subscription, error) {
	var sub subscription
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '"' {
		var inner string
		if err := json.Unmarshal(data, &inner); err != nil {
			return sub, err
		}
		data = []byte(inner)
	}
	err := json.Unmarshal(data, &sub)
	return sub, err
}

// subscriptionError is why a subscription was refused, as its channel hears it.
type subscriptionError struct {
	kind    string // AuthError, LimitReached, InvalidChannel, NotServed
	message string
	status  int
}

func (c *conn) subscribe(data json.RawMessage) {
	sub, err := decodeSubscription(data)
	if err != nil || sub.Channel == "" {
		c.complain(0, "Invalid subscription: data must be an object with a channel")
		return
	}
	if c.seats[sub.Channel] != nil {
		c.complain(0, "Existing subscription to channel "+sub.Channel)
		return
	}
	if why := c.refusal(sub); why != nil {
		c.push(subscriptionErrorFrame(clip(sub.Channel), *why))
		return
	}
	s := c.server.hub.join(c, sub.Channel, subscribedFrame(sub.Channel))
	if c.seats == nil {
		c.seats = make(map[string]*seat, 1)
	}
	c.seats[s.channel.name] = s // the channel's own string: a crowd shares one copy
}

// refusal says why the subscription cannot be, or nil.
func (c *conn) refusal(sub subscription) *subscriptionError {
	if err := checkChannel(sub.Channel); err != nil {
		return &subscriptionError{"InvalidChannel", err.Error(), http.StatusBadRequest}
	}
	k := kindOf(sub.Channel)
	switch {
	case !k.served():
		return &subscriptionError{"NotServed", fmt.Sprintf("%s channels are not served by this app", k), http.StatusNotImplemented}
	case k.guard == private && !c.server.opts.App.signedChannel(sub.Auth, c.id, sub.Channel):
		return &subscriptionError{"AuthError", "The connection is unauthorized: invalid signature for this channel", http.StatusUnauthorized}
	case len(c.seats) >= c.server.opts.MaxSubscriptions:
		return &subscriptionError{"LimitReached", fmt.Sprintf("A connection may have %d subscriptions", c.server.opts.MaxSubscriptions), int(CodeOverCapacity)}
	}
	return nil
}

func (c *conn) unsubscribe(data json.RawMessage) {
	sub, err := decodeSubscription(data)
	if err != nil || sub.Channel == "" {
		c.complain(0, "Invalid unsubscription: data must be an object with a channel")
		return
	}
	s := c.seats[sub.Channel]
	if s == nil {
		c.complain(0, "No current subscription to channel "+clip(sub.Channel)+", or subscription in progress")
		return
	}
	delete(c.seats, sub.Channel)
	c.server.hub.leave(s)
}
