package httpapi_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// While the database hangs, whoever asks is told so in time, and is not waited
// for any more.
func TestCallsAreAnsweredInTime(t *testing.T) {
	t.Parallel()
	writing, letGo := make(chan struct{}), make(chan struct{})
	s, err := store.Open(t.Context(), store.Options{
		DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
		Committed: func([]tracking.Effect) {
			close(writing)
			<-letGo
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := setup(t, func(o *httpapi.Options) { o.Store, o.AnswerWithin = s, 50*time.Millisecond })
	first := make(chan error, 1)
	go func() {
		_, _, err := s.Register(t.Context(), noon, tracking.Registration{Number: "N-1", AWBs: []string{"A"}})
		first <- err
	}()
	<-writing
	for _, call := range []string{"POST /api/orders", "POST /api/webhooks/retry/x", "POST /api/webhooks/dismiss/x", "DELETE /api/orders/x/personal-data"} {
		method, path, _ := strings.Cut(call, " ")
		body := ""
		if path == "/api/orders" {
			body = `{"number":"N-2"}`
		}
		a := h.admin(method, path, body)
		a.is(503, `{"success":false,"code":"unavailable","message":"it took too long; ask for less, or come again"}`)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: Retry-After is missing", call)
		}
	}
	close(letGo)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
