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

// maxBodyBytes bounds the body of one API request.
const maxBodyBytes = 1 << 20

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
		{http.MethodPost, "users/{user}/terminate_connections", s.postTerminate},
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

// publishError gives a refused publish its status.
func publishError(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return &apiError{http.StatusRequestEntityTooLarge, err.Error()}
	case errors.Is(err, ErrInvalidChannel), errors.Is(err, ErrInvalidEvent), errors.Is(err, ErrInvalidSocketID), errors.Is(err, ErrInvalidUser):
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
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // SDKs look for words and signs in errors
	if err := e.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error":"internal error","code":500}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimRight(b.Bytes(), "\n"))
}
