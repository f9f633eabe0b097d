package simulate_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/simulate"
)

const (
	webhookToken  = "a-token-for-webhooks-only-in-tests"
	webhookSecret = "a-secret-for-webhooks-only-in-tests"
	adminToken    = "a-token-for-admins-only-in-tests-"
)

// waybill answers as a Waybill server does, and can be made to misbehave.
type waybill struct {
	mu       sync.Mutex
	seen     map[string]bool
	requests int
	bodies   []string
	arrived  []time.Time
	rows     map[string]int // of the log, by status; "" for all

	refuse func(r *http.Request, n int) (status int, header http.Header) // 0 to accept
	lose   bool                                                          // acknowledge without storing
	stall  bool                                                          // store without processing
	slow   time.Duration
}

func newWaybill() *waybill {
	return &waybill{seen: map[string]bool{}, rows: map[string]int{"": 5, "processed": 4, "pending": 1}}
}

func (w *waybill) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status, header, answer := w.handle(r, body)
	for k, v := range header {
		rw.Header()[k] = v
	}
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(answer)
}

// RoundTrip serves without a network, for tests on a clock of their own.
func (w *waybill) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	if w.slow > 0 {
		select {
		case <-time.After(w.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	rec := httptest.NewRecorder()
	r2 := r.Clone(r.Context())
	r2.Body = io.NopCloser(bytes.NewReader(body))
	w.ServeHTTP(rec, r2)
	return rec.Result(), nil
}

type object = map[string]any

func (w *waybill) handle(r *http.Request, body []byte) (int, http.Header, object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Method == http.MethodGet {
		if r.URL.Path != "/api/webhooks/logs" || r.URL.Query().Get("limit") != "1" || r.Header.Get("Authorization") != "Bearer "+adminToken {
			return http.StatusUnauthorized, nil, object{"success": false, "message": "Unauthorized"}
		}
		return http.StatusOK, nil, object{"success": true, "data": []any{}, "total": w.rows[r.URL.Query().Get("status")]}
	}
	w.requests++
	if w.refuse != nil {
		if status, header := w.refuse(r, w.requests); status != 0 {
			return status, header, object{"success": false, "message": "no, thank you"}
		}
	}
	w.bodies = append(w.bodies, string(body))
	w.arrived = append(w.arrived, time.Now())
	answer := object{"success": true, "message": "Webhook received and queued for processing", "eventId": "e"}
	status := "processed"
	if w.seen[string(body)] {
		answer["status"], status = "processed", "duplicate"
	}
	w.seen[string(body)] = true
	if w.stall {
		status = "pending"
	}
	if !w.lose || len(w.bodies) != 3 {
		w.rows[""]++
		w.rows[status]++
	}
	return http.StatusOK, nil, answer
}

func options(w *waybill) simulate.Options {
	return simulate.Options{
		URL: "http://waybill.test", Token: webhookToken, AdminToken: adminToken,
		Parcels: 12, Seed: 31, Client: &http.Client{Transport: w},
	}
}

func TestRunSendsThePlanOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWaybill()
	w.refuse = func(r *http.Request, _ int) (int, http.Header) {
		if r.URL.Path != "/api/webhooks/courier" || r.Header.Get("X-Api-Key") != webhookToken || r.Header.Get("Content-Type") != "application/json" {
			return http.StatusUnauthorized, nil
		}
		return 0, nil
	}
	server := httptest.NewServer(proved(t, w))
	defer server.Close()

	var out bytes.Buffer
	o := simulate.Options{
		URL: server.URL + "/", Token: webhookToken, Secret: webhookSecret, AdminToken: adminToken,
		Parcels: 20, Seed: 33, Duplicates: 0.2, Shuffle: true, Now: time.Now(), Out: &out,
	}
	report, err := simulate.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	pushes := plan(t, o)
	identical := 0
	for _, p := range pushes {
		if p.Repeat() == simulate.Identical {
			identical++
		}
	}
	if report.Acknowledged != len(pushes) || report.Planned != len(pushes) || report.Refused+report.Unanswered+report.Retries != 0 {
		t.Errorf("of %d: %+v", len(pushes), report)
	}
	if report.Duplicates != identical || identical == 0 {
		t.Errorf("%d duplicates, %d were sent", report.Duplicates, identical)
	}
	if l := report.Log; l == nil || l.Stored != len(pushes) || l.Duplicate != identical || l.Processed != len(pushes)-identical || l.Pending != 0 {
		t.Errorf("log: %+v", l)
	}
	sent := map[string]int{}
	for _, b := range bodies(pushes) {
		sent[b]++
	}
	for _, b := range w.bodies {
		sent[b]--
	}
	for b, n := range sent {
		if n != 0 {
			t.Errorf("sent %d times less than planned: %s", n, b)
		}
	}
	for _, want := range []string{"seed 33", fmt.Sprintf("acknowledged %d (%d as duplicates)", len(pushes), identical), fmt.Sprintf("stored %d: ", len(pushes))} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Errorf("lines are written over although this is no terminal: %q", out.String())
	}
}

// proved lets through only pushes with a good signature.
func proved(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method == http.MethodPost {
			mac := hmac.New(sha256.New, []byte(webhookSecret))
			mac.Write(raw)
			if got := r.Header.Get("X-Shiprocket-Signature"); got != hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("signature %q", got)
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		next.ServeHTTP(rw, r)
	})
}

func TestRunKeepsItsRateWhileAnswersAreSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		w.slow = 2 * time.Second
		o := options(w)
		o.AdminToken, o.Rate = "", 10
		report, err := simulate.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := time.Duration(report.Planned) * time.Second / 10
		if took := report.Took - 2*time.Second; took < want-time.Second || took > want+time.Second {
			t.Errorf("%d pushes took %s, want about %s", report.Planned, took, want)
		}
	})
}

func TestRunComesAgainWhenTheServerAsksForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		began := time.Now()
		w.refuse = func(_ *http.Request, n int) (int, http.Header) {
			switch {
			case n == 1:
				return http.StatusServiceUnavailable, http.Header{"Retry-After": {"7"}}
			case time.Since(began) < 7*time.Second:
				t.Errorf("request %d came %s after the start, before Retry-After", n, time.Since(began))
			case n < 4:
				return http.StatusInternalServerError, nil
			}
			return 0, nil
		}
		o := options(w)
		o.Connections = 1
		report, err := simulate.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if report.Retries != 3 || report.Acknowledged != report.Planned {
			t.Errorf("%+v", report)
		}
	})
}

func TestRunOutlivesAServerThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		began := time.Now()
		o := options(w)
		o.Rate = 10
		o.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if away := time.Since(began); r.Method == http.MethodPost && away > 3*time.Second && away < 30*time.Second {
				return nil, fmt.Errorf("connection refused")
			}
			return w.RoundTrip(r)
		})}
		report, err := simulate.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if report.Retries == 0 || report.Acknowledged != report.Planned {
			t.Errorf("%+v", report)
		}
	})
}

func TestRunTellsWhenAPushIsNeverAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		o := options(w)
		var poison string
		o.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			raw, _ := io.ReadAll(r.Body)
			if poison == "" && len(w.bodies) == 5 {
				poison = string(raw)
			}
			if poison != "" && string(raw) == poison {
				return nil, fmt.Errorf("connection reset")
			}
			r.Body = io.NopCloser(bytes.NewReader(raw))
			return w.RoundTrip(r)
		})}
		o.Connections, o.AdminToken = 1, ""
		report, err := simulate.Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("error: %v", err)
		}
		if report.Unanswered != 1 || report.Acknowledged != report.Planned-1 {
			t.Errorf("%+v", report)
		}
	})
}

func TestRunStopsWhenNothingIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		w.refuse = func(*http.Request, int) (int, http.Header) { return http.StatusUnauthorized, nil }
		o := options(w)
		o.Connections = 1
		report, err := simulate.Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "401 no, thank you") {
			t.Errorf("error: %v", err)
		}
		if report.Refused == 0 || report.Refused > 40 || report.Acknowledged != 0 || report.Planned < 100 {
			t.Errorf("%+v", report)
		}
	})
}

func TestRunTellsOfARefusedPushAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		w.refuse = func(_ *http.Request, n int) (int, http.Header) {
			if n == 10 {
				return http.StatusBadRequest, nil
			}
			return 0, nil
		}
		report, err := simulate.Run(t.Context(), options(w))
		if err == nil || !strings.Contains(err.Error(), "1 pushes refused") {
			t.Errorf("error: %v", err)
		}
		if report.Refused != 1 || report.Acknowledged != report.Planned-1 || report.Retries != 0 {
			t.Errorf("%+v", report)
		}
	})
}

func TestRunTellsWhatTheServerLost(t *testing.T) {
	t.Parallel()
	t.Run("acknowledged, not stored", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWaybill()
			w.lose = true
			report, err := simulate.Run(t.Context(), options(w))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("only %d are in the log", report.Planned-1)) {
				t.Errorf("error: %v", err)
			}
		})
	})
	t.Run("stored, not processed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWaybill()
			w.stall = true
			report, err := simulate.Run(t.Context(), options(w))
			if err == nil || !strings.Contains(err.Error(), "still pending") {
				t.Errorf("error: %v", err)
			}
			if report.Log == nil || report.Log.Pending != report.Acknowledged || report.Log.Stored != report.Acknowledged {
				t.Errorf("%+v", report.Log)
			}
		})
	})
	t.Run("a wrong admin token", func(t *testing.T) {
		t.Parallel()
		o := options(newWaybill())
		o.AdminToken = "guessed"
		if _, err := simulate.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "read webhook log: 401") {
			t.Errorf("error: %v", err)
		}
	})
}

func TestRunWaitsForTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		w.stall = true
		go func() { // the queue is worked off later
			time.Sleep(20 * time.Second)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.rows["processed"] += w.rows["pending"] - 1
			w.rows["pending"] = 1
		}()
		report, err := simulate.Run(t.Context(), options(w))
		if err != nil {
			t.Fatal(err)
		}
		if report.Log.Processed != report.Acknowledged {
			t.Errorf("%+v", report.Log)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		w.slow = 5 * time.Second
		o := options(w)
		o.Rate, o.AdminToken = 10, ""
		var out bytes.Buffer
		o.Out = &out
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		began := time.Now()
		report, err := simulate.Run(ctx, o)
		if err == nil || time.Since(began) != 7*time.Second {
			t.Errorf("ended after %s with %v", time.Since(began), err)
		}
		if report.Acknowledged == 0 || report.Acknowledged >= report.Planned || report.Unanswered != 0 {
			t.Errorf("%+v", report)
		}
		if !strings.Contains(out.String(), "acknowledged") {
			t.Errorf("no report of what was done: %q", out.String())
		}
	})
}

func TestRunShowsItsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		o := options(newWaybill())
		o.Rate, o.Out = 2, &out
		if _, err := simulate.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) < 5 || !strings.Contains(lines[0], "of 133  acknowledged 2") {
			t.Errorf("%s", out.String())
		}
	})
}

func TestRunRefusesWhatIsNoServer(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:5000", "ftp://waybill.test", "http://", "http://a b"} {
		if _, err := simulate.Run(t.Context(), simulate.Options{URL: url}); err == nil {
			t.Errorf("%q was accepted", url)
		}
	}
	page := roundTrip(func(r *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		_, _ = rec.WriteString("<html>welcome")
		return rec.Result(), nil
	})
	_, err := simulate.Run(t.Context(), simulate.Options{URL: "http://waybill.test", Client: &http.Client{Transport: page}})
	if err == nil || !strings.Contains(err.Error(), "not how Waybill answers") {
		t.Errorf("error: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
