package pusher

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Limits of one request (Pusher docs).
const (
	maxPublishChannels = 100
	maxBatch           = 10
)

// postedEvent is an event as a publisher posts it.
type postedEvent struct {
	Name     string    `json:"name"`
	Data     eventData `json:"data"`
	Channels []string  `json:"channels"`
	Channel  string    `json:"channel"`
	SocketID string    `json:"socket_id"`
	Info     string    `json:"info"`
}

// eventData is the data of an event: the string the publisher gave or, where he
// gave any other JSON, that JSON as text. Nil when he gave none.
type eventData []byte

func (d *eventData) UnmarshalJSON(raw []byte) error {
	switch {
	case bytes.Equal(raw, []byte("null")):
		*d = nil
		return nil
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*d = eventData(s)
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return err
	}
	*d = b.Bytes()
	return nil
}

// messages is what the event means for each of its channels.
func (e postedEvent) messages(channels ...string) ([]Message, error) {
	if e.Data == nil {
		return nil, badRequest("data is required")
	}
	messages := make([]Message, len(channels))
	for i, channel := range channels {
		messages[i] = Message{Channel: channel, Event: e.Name, Data: e.Data, Except: e.SocketID}
	}
	return messages, nil
}

// publishPosted publishes what a publisher posted, if he keeps to the rate.
func (s *Server) publishPosted(ctx context.Context, messages []Message) error {
	if !s.publishes.AllowN(time.Now(), len(messages)) {
		return &apiError{http.StatusTooManyRequests, fmt.Sprintf("over %d messages a second", s.opts.PublishRate)}
	}
	if err := s.PublishMessages(ctx, messages); err != nil {
		return publishError(err)
	}
	return nil
}

// postEvent: POST /apps/{id}/events
func (s *Server) postEvent(c call) (any, error) {
	var event postedEvent
	if err := json.Unmarshal(c.body, &event); err != nil {
		return nil, badRequest("the body is not an event in JSON")
	}
	channels := event.Channels
	if len(channels) == 0 && event.Channel != "" {
		channels = []string{event.Channel}
	}
	if len(channels) == 0 || len(channels) > maxPublishChannels {
		return nil, badRequest(fmt.Sprintf("an event goes to 1 to %d channels", maxPublishChannels))
	}
	messages, err := event.messages(channels...)
	if err != nil {
		return nil, err
	}
	if err := checkTogether(channels); err != nil {
		return nil, publishError(err)
	}
	if err := s.publishPosted(c.Context(), messages); err != nil {
		return nil, err
	}
	if event.Info == "" {
		return struct{}{}, nil
	}
	asked := make([]string, len(channels))
	for i := range asked {
		asked[i] = event.Info
	}
	list, err := s.infos(c.Context(), channels, asked)
	if err != nil {
		return nil, err
	}
	infos := make(map[string]channelInfo, len(channels))
	for i, channel := range channels {
		infos[channel] = list[i]
	}
	return map[string]any{"channels": infos}, nil
}

// postBatch: POST /apps/{id}/batch_events. All of the batch is published or, when
// one of its events is not valid, nothing.
func (s *Server) postBatch(c call) (any, error) {
	var posted struct {
		Batch []postedEvent `json:"batch"`
	}
	if err := json.Unmarshal(c.body, &posted); err != nil {
		return nil, badRequest("the body is not a batch in JSON")
	}
	switch n := len(posted.Batch); {
	case n == 0:
		return nil, badRequest("Batch is empty")
	case n > maxBatch:
		return nil, badRequest(fmt.Sprintf("Batch too large (%d > %d)", n, maxBatch))
	}
	var messages []Message
	var channels, asked []string
	anyAsked := false
	for _, event := range posted.Batch {
		m, err := event.messages(event.Channel)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m...)
		channels, asked = append(channels, event.Channel), append(asked, event.Info)
		anyAsked = anyAsked || event.Info != ""
	}
	if err := s.publishPosted(c.Context(), messages); err != nil {
		return nil, err
	}
	if !anyAsked {
		return struct{}{}, nil
	}
	infos, err := s.infos(c.Context(), channels, asked)
	if err != nil {
		return nil, err
	}
	return map[string]any{"batch": infos}, nil
}

// postTerminate: POST /apps/{id}/users/{user}/terminate_connections
func (s *Server) postTerminate(c call) (any, error) {
	if err := s.TerminateUser(c.Context(), c.PathValue("user")); err != nil {
		return nil, publishError(err)
	}
	return struct{}{}, nil
}
