package simulate

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// webhookPath is the one of the two that Shiprocket's form accepts.
	webhookPath = "/api/webhooks/courier"
	tryFor      = 15 * time.Second // one request
	retryFor    = time.Minute      // one push, all its tries
	firstPause  = 100 * time.Millisecond
	longPause   = 5 * time.Second
	longestWait = 30 * time.Second // however long Retry-After asks for
	answerLimit = 64 << 10
)

// A poster pushes to one server, as Shiprocket would.
type poster struct {
	base          string
	token, secret string
	client        *http.Client
	idle          func() // closes what the poster opened itself
}

func newPoster(base, token, secret string, client *http.Client, connections int) (*poster, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("simulate: server's address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("simulate: the server's address %q is not like http://127.0.0.1:5000", base)
	}
	s := &poster{base: strings.TrimRight(base, "/"), token: token, secret: secret, client: client, idle: func() {}}
	if client == nil {
		t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute}
		s.client, s.idle = &http.Client{Transport: t}, t.CloseIdleConnections
	}
	return s, nil
}

// outcome is what became of one push.
type outcome struct {
	acknowledged bool
	duplicate    bool // acknowledged as already processed
	retries      int
	refusal      *refusal // answered, and not to be tried again
	err          error    // never answered for good
}

// refusal is an answer that another try would not change.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, r.message)) }

// send pushes the body until it is answered for good: a server that is not
// there, or says 429 or 5xx, is tried again for a minute, with pauses that grow
// or that its Retry-After asks for.
func (s *poster) send(ctx context.Context, body []byte) outcome {
	var out outcome
	began := time.Now()
	pause := firstPause
	for {
		answer, wait, err := s.try(ctx, body)
		if err == nil {
			out.acknowledged, out.duplicate = true, answer.duplicate()
			return out
		}
		if r, final := errors.AsType[*refusal](err); final && !r.temporary() {
			out.refusal = r
			return out
		}
		if wait == 0 {
			wait = pause/2 + rand.N(pause)
			pause = min(2*pause, longPause)
		}
		if ctx.Err() != nil || time.Since(began)+wait > retryFor {
			out.err = err
			return out
		}
		if out.err = pauseFor(ctx, wait); out.err != nil {
			return out
		}
		out.retries++
	}
}

func (r *refusal) temporary() bool {
	return r.status == http.StatusTooManyRequests || r.status >= 500
}

// try is one request. wait is what Retry-After asks for, zero for nothing.
func (s *poster) try(ctx context.Context, body []byte) (answer answer, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+webhookPath, bytes.NewReader(body))
	if err != nil {
		return answer, 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "waybill-simulate")
	if s.token != "" {
		req.Header.Set("X-Api-Key", s.token)
	}
	if s.secret != "" {
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write(body)
		req.Header.Set("X-Shiprocket-Signature", hex.EncodeToString(mac.Sum(nil)))
	}
	status, header, err := s.do(req, &answer)
	if err != nil {
		return answer, 0, err
	}
	if status != http.StatusOK {
		if answer.Message == "" {
			answer.Message = http.StatusText(status)
		}
		return answer, retryAfter(header.Get("Retry-After")), &refusal{status, answer.Message}
	}
	return answer, 0, nil
}

// answer is what the webhook endpoint says.
type answer struct {
	Message string `json:"message"`
	Status  string `json:"status"` // of the original; of duplicates only
}

func (a answer) duplicate() bool { return a.Status != "" }

// do carries out a request and reads its answer into into, if it is JSON.
func (s *poster) do(req *http.Request, into any) (int, http.Header, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil && resp.StatusCode == http.StatusOK {
		return 0, nil, &refusal{resp.StatusCode, "this is not how Waybill answers at " + req.URL.Path}
	}
	return resp.StatusCode, resp.Header, nil
}

// retryAfter reads the header in both its forms, and waits half a minute at
// most.
func retryAfter(value string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	return max(0, min(wait, longestWait))
}

func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
