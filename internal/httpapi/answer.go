package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/webazaar/waybill/internal/tracking"
)

// failure is what every call answers when it could not do its work.
type failure struct {
	Success bool   `json:"success"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// success wraps the answer of every call that did its work.
type success struct {
	Success bool   `json:"success"`
	Message string `json:"message,omitempty"`
	Data    any    `json:"data"`
}

// httpError is a failure that is HTTP's own rather than a room's.
type httpError struct {
	status  int
	code    string
	message string
}

func (e *httpError) Error() string { return e.code + ": " + e.message }

var (
	errTooLarge     = &httpError{http.StatusRequestEntityTooLarge, "too_large", "the body is larger than this call takes"}
	errTooMany      = &httpError{http.StatusTooManyRequests, "rate_limited", "too many requests; try again in a moment"}
	errTooSlow      = &httpError{http.StatusRequestTimeout, "too_slow", "the body came too slowly"}
	errFull         = &httpError{http.StatusServiceUnavailable, "unavailable", "too many watch already; try again in a moment"}
	errStopping     = &httpError{http.StatusServiceUnavailable, "unavailable", "stopping"}
	errUnauthorized = &httpError{http.StatusUnauthorized, "unauthorized", "Unauthorized"}
	errForbidden    = &httpError{http.StatusForbidden, "forbidden", "Forbidden"}
	errNoSuchPath   = &httpError{http.StatusNotFound, "not_found", "no such path"}
)

// status maps a room's code to HTTP.
var status = map[tracking.Code]int{
	tracking.Invalid:      http.StatusBadRequest,
	tracking.Unauthorized: http.StatusUnauthorized,
	tracking.Forbidden:    http.StatusForbidden,
	tracking.NotFound:     http.StatusNotFound,
	tracking.Conflict:     http.StatusConflict,
	tracking.Unavailable:  http.StatusServiceUnavailable,
	tracking.Internal:     http.StatusInternalServerError,
}

// fail answers with the error's code and safe sentence; its cause goes to the
// log.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if h, ok := errors.AsType[*httpError](err); ok {
		switch h.status {
		case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
			w.Header().Set("Connection", "close") // what is left of the body is not waited for
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			if w.Header().Get("Retry-After") == "" {
				w.Header().Set("Retry-After", "5")
			}
		}
		writeJSON(w, h.status, failure{Code: h.code, Message: h.message})
		return
	}
	code := tracking.ErrorCode(err)
	n := status[code]
	if n == 0 {
		n = http.StatusInternalServerError
	}
	if n == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if n >= 500 && r.Context().Err() == nil {
		a.log.LogAttrs(r.Context(), slog.LevelError, "http.failed",
			slog.String("method", r.Method), slog.String("path", r.Pattern), slog.Any("error", err))
	}
	writeJSON(w, n, failure{Code: string(code), Message: tracking.ErrorMessage(err)})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"success":false,"code":"internal","message":"internal error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client is gone if this fails
}

// answer is a plain success.
func answer(w http.ResponseWriter, data any) error {
	writeJSON(w, http.StatusOK, success{Success: true, Data: data})
	return nil
}
