package httpapi

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"

	"github.com/webazaar/waybill/internal/tracking"
	"github.com/webazaar/waybill/web"
)

// GET /track/{orderId}
//
// The tracking page, complete without JavaScript.
func (a *API) trackingPage(w http.ResponseWriter, r *http.Request) error {
	return a.orderPage(w, r, a.frame(r))
}

// orderPage answers with the page of an order, as its frame has it. All orders
// that there are not have one page.
func (a *API) orderPage(w http.ResponseWriter, r *http.Request, frame web.Frame) error {
	return a.sorry(w, r, frame, a.drawOrder(w, r, frame))
}

func (a *API) drawOrder(w http.ResponseWriter, r *http.Request, frame web.Frame) error {
	if !a.watchers.allow(a.peers.of(r), a.opts.Now()) {
		w.Header().Set("Retry-After", "2")
		return errTooMany
	}
	id := r.PathValue("orderId")
	view, err := a.opts.Store.Snapshot(r.Context(), id)
	if tracking.ErrorCode(err) == tracking.NotFound {
		return a.page(w, r, frame, http.StatusNotFound, func(b *bytes.Buffer) error { return web.NotFoundPage(b, frame) })
	}
	if err != nil {
		return err
	}
	data := web.PageData{Frame: frame, OrderID: id, Snapshot: view.JSON, Realtime: a.realtime(), Now: a.opts.Now()}
	if !a.opts.PublicChannels {
		// Who may read the page may listen. A page that is open for longer than
		// the token is good gets another one by reading itself again.
		data.WatchToken = a.watchToken(id).Token
	}
	return a.page(w, r, frame, http.StatusOK, func(b *bytes.Buffer) error { return web.TrackingPage(b, data) })
}

// sorry answers with a page, where other calls answer in JSON, if for now nothing
// can be shown to a buyer. What is wrong with his request stays an error.
func (a *API) sorry(w http.ResponseWriter, r *http.Request, frame web.Frame, err error) error {
	if err == nil {
		return nil
	}
	code := status[tracking.ErrorCode(err)]
	if h, ok := errors.AsType[*httpError](err); ok {
		code = h.status
	}
	if code != http.StatusTooManyRequests && code < http.StatusInternalServerError {
		return err
	}
	if code >= http.StatusInternalServerError && r.Context().Err() == nil {
		a.log.LogAttrs(r.Context(), slog.LevelError, "http.failed",
			slog.String("method", r.Method), slog.String("path", r.Pattern), slog.Any("error", err))
	}
	if w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	return a.page(w, r, frame, code, func(b *bytes.Buffer) error { return web.TroublePage(b, frame) })
}

// GET /
func (a *API) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/track", http.StatusSeeOther)
	return nil
}

// page answers with a whole page under the headers that all pages have: no
// foreign content, no trace of the order's id elsewhere, no search engine.
func (a *API) page(w http.ResponseWriter, r *http.Request, frame web.Frame, status int, draw func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", web.ContentSecurityPolicy(frame))
	if h.Get("Referrer-Policy") == "" {
		h.Set("Referrer-Policy", "no-referrer")
	}
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	// No tag either: each answer has a nonce of its own, and is never kept.
	h.Set("Cache-Control", "no-store")
	web.Write(w, r, status, b.Bytes())
	return nil
}

func (a *API) frame(r *http.Request) web.Frame {
	s := a.opts.Shop
	languages := r.Header.Get("Accept-Language")
	if asked := r.URL.Query().Get("lang"); asked != "" {
		languages = asked
	}
	return web.Frame{
		Shop:     web.Shop{Name: s.Name, LogoURL: s.LogoURL, Color: s.Color, SupportURL: s.SupportURL},
		Language: web.Language(languages),
		Nonce:    rand.Text(),
	}
}

// realtime is where pages listen.
func (a *API) realtime() web.Realtime {
	rt := web.Realtime{Key: a.opts.Realtime.Key, Host: a.opts.Realtime.Host, Port: a.opts.Realtime.Port}
	if a.opts.Realtime.TLS != nil {
		rt.TLS = *a.opts.Realtime.TLS
	}
	return rt
}

// openRealtime is where the widget listens, which has no watch token but what a
// shop gives it. Without public channels it would hear nothing and believe that
// nothing happens; without a key it asks again now and then.
func (a *API) openRealtime() web.Realtime {
	rt := a.realtime()
	if !a.opts.PublicChannels {
		rt.Key = ""
	}
	return rt
}
