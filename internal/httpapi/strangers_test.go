package httpapi_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

const webhookSecret = "a-webhook-secret-of-the-tests-0123456789"

// signing lets pushes be signed too.
func signing(log inbox.Log) func(*httpapi.Options) {
	return func(o *httpapi.Options) {
		o.Inbox = inbox.New(inbox.Options{
			Log: log, Verifier: shiprocket.NewVerifier([]string{webhookToken}, []string{webhookSecret}, ""), Logger: slog.New(slog.DiscardHandler),
		})
	}
}

func signature(body string) string {
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// keepsAll is a log that takes everything.
type keepsAll struct{ inbox.Log }

func (keepsAll) Append(_ context.Context, w inbox.Webhook) (inbox.Appended, error) {
	return inbox.Appended{EventID: w.EventID, Status: w.Status}, nil
}

// Who fails to prove himself again and again is no longer told why; the proven
// from the same address are never touched, and neither is anybody else.
func TestUnprovenFloodsAreLimited(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, peer, other string }{
		{"IPv4", "203.0.113.9:1000", "203.0.113.10:1000"},
		{"IPv6", "[2001:db8::9]:1000", "[2001:db8:0:1::9]:1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, signing(keepsAll{}))
			refused := map[int]int{}
			var last answer
			for n := range 500 {
				peer := tt.peer
				if tt.name == "IPv6" { // a home has as many addresses as it likes
					peer = fmt.Sprintf("[2001:db8::%x]:1000", n+1)
				}
				headers := [][]string{
					nil,
					{"x-api-key", fmt.Sprint("guess-", n)},
					{"X-Shiprocket-Signature", "00", "x-api-key", webhookToken},
					{"X-Shiprocket-Signature", strings.Repeat("0", 64)},
				}[n%4]
				last = h.do("POST", "/api/webhooks/courier", `{"awb":"1"}`, append(headers, "peer", peer)...)
				refused[last.status]++
			}
			if refused[401] != 50 || refused[429] != 450 {
				t.Errorf("%v, want 50 of 401 and the rest 429", refused)
			}
			last.is(429, `{"success":false,"code":"rate_limited","message":"too many requests without a proof of their sender; try again in a moment"}`)
			if last.header.Get("Retry-After") == "" || last.header.Get("Connection") != "close" {
				t.Errorf("headers %v", last.header)
			}
			for n := range 500 {
				body := fmt.Sprintf(`{"awb":"%d","current_status":"IN TRANSIT","order_id":"%d"}`, n, n)
				proof := [][]string{{"x-api-key", webhookToken}, {"Authorization", webhookToken}, {"X-Shiprocket-Signature", signature(body)}}[n%3]
				if a := h.do("POST", "/api/webhooks/courier", body, append(proof, "peer", tt.peer)...); a.status != http.StatusOK {
					t.Fatalf("a proven push of the same peer: %d %s", a.status, a.body)
				}
			}
			if a := h.do("POST", "/api/webhooks/courier", "{}", "peer", tt.other); a.status != http.StatusUnauthorized {
				t.Errorf("somebody else: %d", a.status)
			}
			h.now = h.now.Add(time.Minute)
			if a := h.do("POST", "/api/webhooks/courier", "{}", "peer", tt.peer); a.status != http.StatusUnauthorized {
				t.Errorf("a minute later: %d", a.status)
			}
		})
	}
}

// A body is not read for a sender whom it could not prove.
func TestBodiesOfTheUnprovenAreNotRead(t *testing.T) {
	t.Parallel()
	h := setup(t, signing(keepsAll{}))
	for _, headers := range [][]string{
		{},
		{"x-api-key", "wrong"},
		{"Authorization", "Bearer wrong"},
		{"X-Shiprocket-Signature", "no signature"},
		{"X-Shiprocket-Signature", "", "x-api-key", webhookToken},
	} {
		body := &zeros{}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/webhooks/courier", body)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		h.api.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || body.read != 0 {
			t.Errorf("%v: %d after %d bytes", headers, w.Code, body.read)
		}
	}
}

// stuck is a large body that stands still in its middle until it is let go.
type stuck struct {
	before  io.Reader
	reached chan<- struct{}
	letGo   <-chan struct{}
	told    bool
}

func (s *stuck) Read(p []byte) (int, error) {
	if n, err := s.before.Read(p); err == nil {
		return n, nil
	}
	if !s.told {
		s.told = true
		s.reached <- struct{}{}
	}
	<-s.letGo
	return 0, io.EOF
}

// Large bodies whose signature may be right are read a few at a time, and of
// one peer fewer; what real pushes weigh is always read.
func TestLargeUnprovenBodiesAreBounded(t *testing.T) {
	t.Parallel()
	h := setup(t, signing(keepsAll{}))
	reached, letGo := make(chan struct{}), make(chan struct{})
	var under sync.WaitGroup
	hold := func(peer string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/webhooks/courier",
			&stuck{before: strings.NewReader(strings.Repeat(" ", 100_000)), reached: reached, letGo: letGo})
		r.RemoteAddr = peer
		r.Header.Set("X-Shiprocket-Signature", strings.Repeat("0", 64))
		under.Go(func() {
			w := httptest.NewRecorder()
			h.api.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("a held body is answered %d", w.Code)
			}
		})
		<-reached
	}
	large := strings.Repeat(" ", 100_000) + `{"awb":"1"}`
	try := func(peer, body string, headers ...string) int {
		return h.do("POST", "/api/webhooks/courier", body, append(headers, "peer", peer)...).status
	}
	signed := func(body string) []string { return []string{"X-Shiprocket-Signature", signature(body)} }
	for range 4 {
		hold("203.0.113.9:1")
	}
	if got := try("203.0.113.9:1", large, signed(large)...); got != http.StatusTooManyRequests {
		t.Errorf("a fifth large body of one peer: %d", got)
	}
	for n := range 28 {
		hold(fmt.Sprintf("203.0.113.%d:1", 100+n))
	}
	if got := try("198.51.100.1:1", large, signed(large)...); got != http.StatusServiceUnavailable {
		t.Errorf("with all places taken: %d", got)
	}
	small := `{"awb":"1","x":"` + strings.Repeat("x", 12_000) + `"}`
	for what, got := range map[string]int{
		"signed, of an ordinary size":                     try("203.0.113.9:1", small, signed(small)...),
		"large, with a token":                             try("203.0.113.9:1", large, "x-api-key", webhookToken),
		"signed, of an ordinary size, from somebody else": try("198.51.100.1:1", small, signed(small)...),
	} {
		if got != http.StatusOK {
			t.Errorf("%s: %d", what, got)
		}
	}
	close(letGo)
	under.Wait()
	if got := try("203.0.113.9:1", large, signed(large)...); got != http.StatusOK {
		t.Errorf("afterwards: %d", got)
	}
}

// halting is a log that can be made to refuse.
type halting struct {
	inbox.Log
	err error
}

func (l *halting) Append(_ context.Context, w inbox.Webhook) (inbox.Appended, error) {
	return inbox.Appended{EventID: w.EventID, Status: w.Status}, l.err
}

// Trouble is told when it begins, each minute, and when it ends; not for every
// push that is turned away.
func TestTroubleIsToldAndEnds(t *testing.T) {
	t.Parallel()
	log := &halting{}
	h := setup(t, signing(log))
	push := func() answer {
		return h.do("POST", "/api/webhooks/courier", `{"awb":"1","current_status":"IN TRANSIT"}`, "x-api-key", webhookToken)
	}
	count := func(line string) int { return strings.Count(h.lines.String(), line) }
	push().is(200, `{"success":true,"message":"Webhook received and queued for processing","eventId":"1-IN_TRANSIT-`+sum12(`{"awb":"1","current_status":"IN TRANSIT"}`)+`"}`)
	log.err = &tracking.Error{Code: tracking.Unavailable, Message: "the database is not available", Err: fmt.Errorf("append webhook: database or disk is full (13)")}
	for range 200 {
		a := push()
		a.is(503, `{"success":false,"code":"unavailable","message":"the database is not available"}`)
		if a.header.Get("Retry-After") == "" {
			t.Fatal("Retry-After is missing")
		}
		h.now = h.now.Add(time.Second)
	}
	if n := count("intake.refusing"); n != 4 {
		t.Errorf("told %d times in 200 s", n)
	}
	if l := h.lines.String(); !strings.Contains(l, "database or disk is full") || !strings.Contains(l, "free space on the disk") || strings.Contains(l, "http.failed") {
		t.Errorf("log:\n%s", l)
	}
	// A sender who does not wait for his answer says nothing about the disk.
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(gone, http.MethodPost, "/api/webhooks/courier", strings.NewReader(`{"awb":"1"}`))
	r.Header.Set("x-api-key", webhookToken)
	log.err = context.Canceled
	h.api.ServeHTTP(httptest.NewRecorder(), r)
	if n := count("intake.recovered"); n != 0 {
		t.Errorf("told to be over by a push that was not kept:\n%s", h.lines)
	}
	log.err = context.DeadlineExceeded
	push().is(503, `{"success":false,"code":"unavailable","message":"the database is not available"}`)
	log.err = nil
	if a := push(); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	push()
	if n := count("intake.recovered"); n != 1 || count("turned_away=201") == 0 {
		t.Errorf("recovery told %d times:\n%s", n, h.lines)
	}
}

func sum12(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])[:12]
}
