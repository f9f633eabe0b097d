package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// GET /healthz
//
// 200 as long as the process answers.
func (a *API) healthy(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, nil)
}

// GET /readyz
//
// 200 when the database answers; 503 when it does not or the process is stopping.
// A full disk leaves it at 200: pages and watchers are served as before, and
// intake says 503 itself.
func (a *API) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if a.draining.Load() {
		return errStopping // as it was told to: nothing for the log
	}
	if err := a.opts.Store.Ping(ctx); err != nil {
		return &tracking.Error{Code: tracking.Unavailable, Message: "the database does not answer", Err: err}
	}
	return answer(w, nil)
}

// GET /metrics
func (a *API) showMetrics(w http.ResponseWriter, r *http.Request) error {
	a.opts.Metrics.ServeHTTP(w, r)
	return nil
}
