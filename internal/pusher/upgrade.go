package pusher

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gobwas/ws"
)

// refusal is why a watcher is turned away.
type refusal struct {
	code    Code
	message string
}

// ServeHTTP serves watchers and the API. Paths are as they stand behind a prefix
// that was stripped before.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case isWebSocket(r):
		s.serveWatcher(w, r)
	case strings.HasPrefix(r.URL.Path, "/app/"):
		w.Header().Set("Upgrade", "websocket")
		writeError(w, &apiError{http.StatusUpgradeRequired, "this path is for WebSockets"})
	default:
		s.api.ServeHTTP(w, r)
	}
}

func isWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveWatcher upgrades first and refuses afterwards: see the package's promise.
func (s *Server) serveWatcher(w http.ResponseWriter, r *http.Request) {
	refused := s.admit(r)
	nc, rw, _, err := ws.HTTPUpgrader{Timeout: s.opts.WriteTimeout}.Upgrade(r, w)
	if err != nil {
		if nc != nil {
			_ = nc.Close()
		}
		s.log.Debug("connection.not_upgraded", "error", err)
		return
	}
	// The client may have sent its first messages along with the request. The
	// buffers themselves, four kilobytes each, are let go here.
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	s.start(nc, slices.Clone(early), refused)
}

// admit says why the request's watcher cannot be accepted, or nil.
func (s *Server) admit(r *http.Request) *refusal {
	app := s.opts.App
	key, ok := strings.CutPrefix(r.URL.Path, "/app/")
	switch {
	case !ok || key == "" || strings.Contains(key, "/"):
		return &refusal{CodeUnknownPath, "path not found: watchers connect to /app/{key}"}
	case key != app.Key:
		return &refusal{CodeUnknownApp, "app key does not exist"}
	case app.Disabled:
		return &refusal{CodeDisabled, "app is disabled"}
	case app.RequireTLS && r.TLS == nil && r.Header.Get("X-Forwarded-Proto") != "https":
		return &refusal{CodeTLSOnly, "app accepts TLS connections only"}
	}
	if refused := checkProtocol(r.URL.Query()); refused != nil {
		return refused
	}
	if !s.originAllowed(r.Header.Get("Origin")) {
		return &refusal{CodeUnauthorized, "origin not allowed"}
	}
	return nil
}

// checkProtocol accepts protocols 5 to 7, which differ in nothing that is served
// here. A version is optional; one without a digit cannot be one.
func checkProtocol(query url.Values) *refusal {
	protocol := query.Get("protocol")
	if protocol == "" {
		return &refusal{CodeNoProtocol, "no protocol supplied"}
	}
	if n, err := strconv.Atoi(protocol); err != nil || n < 5 || n > 7 {
		return &refusal{CodeUnsupported, "unsupported protocol version"}
	}
	if version := query.Get("version"); version != "" && !strings.ContainsAny(version, "0123456789") {
		return &refusal{CodeVersion, "invalid version string format"}
	}
	return nil
}

func (s *Server) originAllowed(origin string) bool {
	if origin == "" || len(s.opts.AllowedOrigins) == 0 {
		return true
	}
	return slices.ContainsFunc(s.opts.AllowedOrigins, func(allowed string) bool {
		scheme, suffix, wild := strings.Cut(allowed, "*.")
		if !wild {
			return allowed == "*" || strings.EqualFold(allowed, origin)
		}
		host, ok := strings.CutPrefix(strings.ToLower(origin), strings.ToLower(scheme))
		return ok && strings.HasSuffix(host, "."+strings.ToLower(suffix))
	})
}
