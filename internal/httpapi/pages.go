package httpapi

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
	"github.com/webazaar/waybill/web"
)

// GET /track/{orderId}
//
// The tracking page, complete without JavaScript.
func (a *API) trackingPage(w http.ResponseWriter, r *http.Request) error {
	if !a.watchers.allow(a.peers.of(r), a.opts.Now()) {
		w.Header().Set("Retry-After", "2")
		return errTooMany
	}
	frame := a.frame(r)
	id := r.PathValue("orderId")
	view, err := a.opts.Store.Snapshot(r.Context(), id)
	if tracking.ErrorCode(err) == tracking.NotFound {
		return a.page(w, frame, http.StatusNotFound, func(b *bytes.Buffer) error { return web.NotFoundPage(b, frame) })
	}
	if err != nil {
		return err
	}
	return a.page(w, frame, http.StatusOK, func(b *bytes.Buffer) error {
		return web.TrackingPage(b, web.PageData{
			Frame: frame, OrderID: id, Snapshot: view.JSON, Realtime: a.realtime(), Now: a.opts.Now(),
		})
	})
}

// GET /track?order=…
//
// A form that leads to an order's page by its id.
func (a *API) lookUpPage(w http.ResponseWriter, r *http.Request) error {
	frame := a.frame(r)
	query := strings.TrimSpace(r.URL.Query().Get("order"))
	if query != "" {
		if !a.watchers.allow(a.peers.of(r), a.opts.Now()) {
			w.Header().Set("Retry-After", "2")
			return errTooMany
		}
		view, err := a.opts.Store.Snapshot(r.Context(), query)
		if err == nil {
			http.Redirect(w, r, "/track/"+view.OrderID, http.StatusSeeOther)
			return nil
		}
		if tracking.ErrorCode(err) != tracking.NotFound {
			return err
		}
	}
	return a.page(w, frame, http.StatusOK, func(b *bytes.Buffer) error {
		return web.LookupPage(b, web.LookupData{Frame: frame, Query: query, Missing: query != ""})
	})
}

// GET /
func (a *API) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/track", http.StatusSeeOther)
	return nil
}

// page answers with a whole page under the headers that all pages have: no
// foreign content, no trace of the order's id elsewhere, no search engine.
func (a *API) page(w http.ResponseWriter, frame web.Frame, status int, draw func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", web.ContentSecurityPolicy(frame.Nonce))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the client is gone if this fails
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

// realtime is where pages listen. Without public channels the page has nothing
// to listen to but asks again now and then.
func (a *API) realtime() web.Realtime {
	rt := web.Realtime{Key: a.opts.Realtime.Key, Host: a.opts.Realtime.Host, Port: a.opts.Realtime.Port}
	if a.opts.Realtime.TLS != nil {
		rt.TLS = *a.opts.Realtime.TLS
	}
	if !a.opts.PublicChannels {
		rt.Key = ""
	}
	return rt
}
