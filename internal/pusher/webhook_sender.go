package pusher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of what is done for one target.
const (
	webhookQueue   = 1000             // events that wait
	webhookBatch   = 100              // events of one request
	webhookTimeout = 10 * time.Second // one try
	webhookPause   = time.Second      // after the first try; each later one is twice as long
	webhookFor     = 5 * time.Minute  // from the first try of a request to the last
	webhookDrain   = 5 * time.Second  // for all that waits, when the server is closed
)

// sender sends events to one target, in their order.
type sender struct {
	target   WebhookTarget
	app      App
	observer Observer
	log      *slog.Logger
	client   *http.Client

	mu      sync.Mutex
	waiting []webhookEvent
	more    chan struct{} // has room for one
	closing chan struct{}
}

func newSender(t WebhookTarget, app App, observer Observer, log *slog.Logger) *sender {
	return &sender{
		target: t, app: app, observer: observer, log: log,
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
			// A redirect could lead anywhere, with the app's signature.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		more: make(chan struct{}, 1), closing: make(chan struct{}),
	}
}

func (s *sender) add(e webhookEvent) {
	s.mu.Lock()
	full := len(s.waiting) >= webhookQueue
	if !full {
		s.waiting = append(s.waiting, e)
	}
	s.mu.Unlock()
	if full {
		s.observer.Webhooks(0, 1)
		return
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// take returns what is to be sent together, or nil when nothing waits.
func (s *sender) take() []webhookEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), webhookBatch)
	batch := s.waiting[:n:n]
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	return batch
}

// run sends until the sender is closed, and then what still waits, until ctx ends.
func (s *sender) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for {
		batch := s.take()
		if len(batch) > 0 {
			s.deliver(ctx, batch)
			continue
		}
		select {
		case <-s.more:
		case <-s.closing:
			if batch = s.take(); len(batch) == 0 {
				return
			}
			s.deliver(ctx, batch)
		}
	}
}

// deliver tries until the target has taken the batch or there is no more use in it.
func (s *sender) deliver(ctx context.Context, batch []webhookEvent) {
	first := time.Now()
	body, err := json.Marshal(struct {
		Time   int64          `json:"time_ms"`
		Events []webhookEvent `json:"events"`
	}{first.UnixMilli(), batch})
	last := false
	for pause := webhookPause; err == nil; pause *= 2 {
		if err = s.post(ctx, body); err == nil {
			s.observer.Webhooks(len(batch), 0)
			return
		}
		if last || time.Since(first)+pause > webhookFor {
			break
		}
		last = s.wait(pause)
		err = nil
	}
	s.observer.Webhooks(0, len(batch))
	s.log.Warn("webhook.given_up", "events", len(batch), "error", err)
}

// wait waits, and says whether the server is being closed: one more try then.
func (s *sender) wait(pause time.Duration) (closing bool) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-s.closing:
		return true
	}
}

func (s *sender) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range s.target.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Pusher-Key", s.app.Key)
	r.Header.Set("X-Pusher-Signature", s.app.sign(string(body)))
	res, err := s.client.Do(r)
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err // without the address, which may be a secret
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("answered with status %d", res.StatusCode)
	}
	return nil
}
