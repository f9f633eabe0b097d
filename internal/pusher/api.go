package pusher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Limits of one API request (Pusher docs, but for the body's).
const (
	maxBodyBytes       = 1 << 20
	maxPublishChannels = 100
	maxBatch           = 10
)

// apiError is an answer other than 200.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func badRequest(message string) error   { return &apiError{http.StatusBadRequest, message} }
func unauthorized(message string) error { return &apiError{http.StatusUnauthorized, message} }

// call is a verified request: its signature was this app's, for this very body.
type call struct {
	*http.Request
	query pairs
	body  []byte
}

// routes are the paths of the API. A method is checked after the path, so that a
// wrong one is told apart from a wrong path.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		handle       func(call) (any, error)
	}{
		{http.MethodPost, "events", s.postEvent},
		{http.MethodPost, "batch_events", s.postBatch},
		{http.MethodGet, "channels", s.getChannels},
		{http.MethodGet, "channels/{channel}", s.getChannel},
		{http.MethodGet, "channels/{channel}/users", s.getUsers},
	} {
		mux.HandleFunc("/apps/{id}/"+route.path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := s.answer(w, r, route.method, route.handle)
			if err != nil {
				s.logInternal(r, err)
				writeError(w, err)
				return
			}
			writeJSON(w, http.StatusOK, answer)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{http.StatusNotFound, "not found"})
	})
	return mux
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, method string, handle func(call) (any, error)) (any, error) {
	app := s.opts.App
	if r.PathValue("id") != app.ID {
		return nil, &apiError{http.StatusNotFound, "app id does not exist"}
	}
	if r.Method != method {
		w.Header().Set("Allow", method)
		return nil, &apiError{http.StatusMethodNotAllowed, "method not allowed"}
	}
	// The signature before the body: a stranger's megabyte is not read.
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	bodyMD5, err := app.verify(method, []string{r.URL.Path, asked}, r.URL.RawQuery, time.Now())
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return nil, &apiError{http.StatusRequestEntityTooLarge, fmt.Sprintf("a request body may have %d bytes", maxBodyBytes)}
		}
		return nil, badRequest("the body could not be read")
	}
	if err := checkBody(body, bodyMD5); err != nil {
		return nil, err
	}
	if app.Disabled {
		return nil, &apiError{http.StatusForbidden, "app is disabled"}
	}
	return handle(call{Request: r, query: parseQuery(r.URL.RawQuery), body: body})
}

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

// channelInfo is what a publisher may ask to know about a channel.
type channelInfo struct {
	SubscriptionCount *int `json:"subscription_count,omitempty"`
}

func (s *Server) info(channel, asked string) channelInfo {
	var info channelInfo
	if asks(asked, "subscription_count") {
		n := s.hub.count(channel)
		info.SubscriptionCount = &n
	}
	return info
}

func asks(info, attribute string) bool {
	for a := range strings.SplitSeq(info, ",") {
		if strings.TrimSpace(a) == attribute {
			return true
		}
	}
	return false
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
	if err := s.publish(c.Context(), messages); err != nil {
		return nil, publishError(err)
	}
	if event.Info == "" {
		return struct{}{}, nil
	}
	infos := make(map[string]channelInfo, len(channels))
	for _, channel := range channels {
		infos[channel] = s.info(channel, event.Info)
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
	if len(posted.Batch) == 0 || len(posted.Batch) > maxBatch {
		return nil, badRequest(fmt.Sprintf("a batch has 1 to %d events", maxBatch))
	}
	var messages []Message
	asked := false
	for _, event := range posted.Batch {
		m, err := event.messages(event.Channel)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m...)
		asked = asked || event.Info != ""
	}
	if err := s.publish(c.Context(), messages); err != nil {
		return nil, publishError(err)
	}
	if !asked {
		return struct{}{}, nil
	}
	infos := make([]channelInfo, len(posted.Batch))
	for i, event := range posted.Batch {
		infos[i] = s.info(event.Channel, event.Info)
	}
	return map[string]any{"batch": infos}, nil
}

// getChannels: GET /apps/{id}/channels?filter_by_prefix&info
func (s *Server) getChannels(c call) (any, error) {
	prefix, info := c.query.get("filter_by_prefix"), c.query.get("info")
	if asks(info, "user_count") && kindOf(prefix).guard != presence {
		return nil, badRequest("user_count is for presence channels: filter_by_prefix must begin with presence-")
	}
	infos := make(map[string]channelInfo)
	counted := asks(info, "subscription_count")
	s.hub.each(func(name string, watchers int) {
		if !strings.HasPrefix(name, prefix) {
			return
		}
		var i channelInfo
		if counted {
			i.SubscriptionCount = &watchers
		}
		infos[name] = i
	})
	return map[string]any{"channels": infos}, nil
}

// getChannel: GET /apps/{id}/channels/{channel}?info
func (s *Server) getChannel(c call) (any, error) {
	name, info := c.PathValue("channel"), c.query.get("info")
	if err := checkChannel(name); err != nil {
		return nil, badRequest(err.Error())
	}
	k := kindOf(name)
	switch {
	case asks(info, "user_count") && k.guard != presence:
		return nil, badRequest("user_count is for presence channels")
	case asks(info, "cache") && !k.cache:
		return nil, badRequest("cache is for cache channels")
	case asks(info, "user_count"), asks(info, "cache"):
		return nil, badRequest(fmt.Sprintf("%v: %s channels", ErrNotServed, k))
	}
	answer := struct {
		Occupied bool `json:"occupied"`
		channelInfo
	}{s.hub.count(name) > 0, s.info(name, info)}
	return answer, nil
}

// getUsers: GET /apps/{id}/channels/{channel}/users
func (s *Server) getUsers(c call) (any, error) {
	if kindOf(c.PathValue("channel")).guard != presence {
		return nil, badRequest("only presence channels have users")
	}
	return nil, badRequest(ErrNotServed.Error() + ": presence channels")
}

// publishError gives a refused publish its status.
func publishError(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return &apiError{http.StatusRequestEntityTooLarge, err.Error()}
	case errors.Is(err, ErrInvalidChannel), errors.Is(err, ErrInvalidEvent), errors.Is(err, ErrInvalidSocketID), errors.Is(err, ErrNotServed):
		return badRequest(err.Error())
	}
	return away(err)
}

// clusterError is trouble with the cluster: the caller may try again.
type clusterError struct{ error }

func (e clusterError) Unwrap() error { return e.error }

func away(err error) error { return clusterError{err} }

// logInternal keeps what the caller is not told. The path's pattern and not the
// path: a channel's name may be a secret.
func (s *Server) logInternal(r *http.Request, err error) {
	if e := (*apiError)(nil); !errors.As(err, &e) {
		s.log.Error("api.failed", "method", r.Method, "route", r.Pattern, "error", err)
	}
}

// writeError answers with the error; what is no apiError is the server's own
// trouble, and none of the caller's business.
func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	switch {
	case errors.As(err, &e):
	case errors.As(err, new(clusterError)):
		e = &apiError{http.StatusServiceUnavailable, "not possible at the moment; try again"}
	default:
		e = &apiError{http.StatusInternalServerError, "internal error"}
	}
	writeJSON(w, e.status, map[string]any{"error": e.message, "code": e.status})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal error","code":500}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
