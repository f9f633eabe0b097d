package pusher

import (
	"bytes"
	"encoding/json"
	"strings"
)

// inbound is one message of a client.
type inbound struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

// handle does what one message of a client asks for. Nothing in a message closes
// the connection but a false sign-in (Pusher docs); what cannot be done is answered
// with an error. It may wait for the cluster, for a bounded time.
func (c *conn) handle(msg []byte) {
	var in inbound
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
		c.signIn(in.Data)
	case strings.HasPrefix(in.Event, clientPrefix):
		c.clientEvent(in)
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

// decode takes the data of a message as an object, and also as a string that holds
// one, which some client libraries send.
func decode(data json.RawMessage, v any) error {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '"' {
		var inner string
		if err := json.Unmarshal(data, &inner); err != nil {
			return err
		}
		data = []byte(inner)
	}
	return json.Unmarshal(data, v)
}
