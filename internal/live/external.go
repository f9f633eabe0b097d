package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	sdk "github.com/pusher/pusher-http-go/v5"
)

// ExternalOptions name an app on a Soketi or Pusher server.
type ExternalOptions struct {
	AppID, Key, Secret string
	Host               string // host:port of its HTTP API
	Secure             bool
	Timeout            time.Duration // of one request, default 5 s
}

// External publishes to a Soketi or Pusher server over its HTTP API, at most
// ten events in a request, which is what a batch may hold (Pusher docs).
type External struct {
	client *sdk.Client
}

var _ BatchPublisher = (*External)(nil)

const batchEvents = 10

// NewExternal makes a publisher; nothing is sent before Publish.
func NewExternal(o ExternalOptions) *External {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	return &External{client: &sdk.Client{
		AppID: o.AppID, Key: o.Key, Secret: o.Secret, Host: o.Host, Secure: o.Secure,
		HTTPClient: &http.Client{Timeout: o.Timeout, Transport: plainAnswers{http.DefaultTransport}},
	}}
}

// Refusal is an outside server's no to a request. A lasting one will be the
// same next time: the events are at fault, not the server.
type Refusal struct {
	Status  int
	Message string
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused with %d: %s", r.Status, r.Message) }

// Lasting reports whether the events themselves were refused. Wrong keys and
// unknown apps (401, 403, 404) are the settings' fault: they can be mended, and
// the events wait for it.
func (r *Refusal) Lasting() bool {
	return r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge
}

// Mend says what to do about the refusal.
func (r *Refusal) Mend() string {
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "check SOKETI_APP_KEY and SOKETI_APP_SECRET, and that both machines' clocks are right"
	case http.StatusNotFound:
		return "check SOKETI_APP_ID, SOKETI_HOST and SOKETI_PORT"
	case http.StatusTooManyRequests:
		return "the server limits the rate of publishing: raise its limit or the plan"
	}
	return "see the outside server's own log"
}

// Publish implements Publisher.
func (e *External) Publish(ctx context.Context, m Message) error {
	return e.PublishAll(ctx, []Message{m})
}

// PublishAll implements BatchPublisher: all events were taken when it returns
// nil. A request that was refused for good because of one of its events is
// repeated event by event; those refused alone are left out and reported as a
// *Lost.
func (e *External) PublishAll(_ context.Context, messages []Message) error {
	var events []sdk.Event
	for _, m := range messages {
		for _, channel := range m.Channels {
			events = append(events, sdk.Event{Channel: channel, Name: m.Event, Data: string(m.Data)})
		}
	}
	var lost Lost
	for len(events) > 0 {
		n := min(batchEvents, len(events))
		if err := e.send(events[:n], &lost); err != nil {
			return err
		}
		events = events[n:]
	}
	if lost.Events > 0 {
		return &lost
	}
	return nil
}

// Lost says that some events were refused for good; all others were taken.
type Lost struct {
	Events int
	Last   error
}

func (l *Lost) Error() string {
	return fmt.Sprintf("%d event(s) refused for good: %v", l.Events, l.Last)
}

func (l *Lost) Unwrap() error { return l.Last }

func (e *External) send(events []sdk.Event, lost *Lost) error {
	_, err := e.client.TriggerBatch(events)
	refusal, refused := errors.AsType[*Refusal](err)
	switch {
	case err == nil:
		return nil
	case !refused || !refusal.Lasting():
		return err
	case len(events) > 1:
		for i := range events {
			if err := e.send(events[i:i+1], lost); err != nil {
				return err
			}
		}
		return nil
	}
	lost.Events++
	lost.Last = refusal
	return nil
}

// plainAnswers turns every answer that is not a plain success into a *Refusal.
// Soketi answers some errors with 200 and the code in the body (soketi 1.6.1).
type plainAnswers struct{ http.RoundTripper }

// maxAnswer is more than any success has to say.
const maxAnswer = 64 << 10

func (p plainAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	var said struct {
		Error string `json:"error"`
		Code  int    `json:"code"`
	}
	_ = json.Unmarshal(body, &said) // a plain text says nothing
	switch {
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, &Refusal{Status: res.StatusCode, Message: string(bytes.TrimSpace(body[:min(len(body), 200)]))}
	case said.Error != "":
		return nil, &Refusal{Status: said.Code, Message: said.Error}
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
