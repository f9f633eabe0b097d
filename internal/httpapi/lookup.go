package httpapi

import (
	"bytes"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
	"github.com/webazaar/waybill/web"
)

// lookupsBurst and lookupsEvery bound one peer's wrong look-ups over all
// numbers. Thousands of phones can share an address: what they find is not
// counted.
const lookupsBurst, lookupsEvery = 20, 20 * time.Second

// maxLookupBytes is what the form may weigh: two short lines.
const maxLookupBytes = 4 << 10

// GET /track?order=…
//
// The forms that lead to an order's page; a link may bring its id.
func (a *API) lookUpPage(w http.ResponseWriter, r *http.Request) error {
	if code := strings.TrimSpace(r.URL.Query().Get("order")); code != "" {
		return a.sorry(w, r, a.frame(r), a.lookUpCode(w, r, code))
	}
	return a.lookupForm(w, r, http.StatusOK, web.LookupData{})
}

// POST /track
//
// Looks an order up by its number and what its buyer knows of the contact, or
// by its id. Whatever is wrong is answered alike: an unknown number, another
// contact, none. Neither is in an address, where browsers and proxies would
// keep it, nor in the log.
func (a *API) lookUp(w http.ResponseWriter, r *http.Request) error {
	if err := a.sameOrigin.Check(r); err != nil {
		return errForbidden
	}
	body, err := readBody(w, r, maxLookupBytes)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return invalid("the body must be a form with number and contact, or with order")
	}
	if code := strings.TrimSpace(form.Get("order")); code != "" {
		return a.sorry(w, r, a.frame(r), a.lookUpCode(w, r, code))
	}
	return a.sorry(w, r, a.frame(r), a.lookUpClaim(w, r, form.Get("number"), form.Get("contact")))
}

func (a *API) lookUpClaim(w http.ResponseWriter, r *http.Request, number, contact string) error {
	now := a.opts.Now()
	claim := tracking.NewClaim(number, contact)
	again := web.LookupData{Number: strings.ToValidUTF8(strings.TrimSpace(number), "")}
	undo, ok := a.lookups.try(a.peers.of(r), now)
	if !ok {
		return a.tooManyLookups(w, r, again, lookupsEvery)
	}
	if wait := a.tries.begin(claim.Subject(), now); wait > 0 {
		return a.tooManyLookups(w, r, again, wait)
	}
	candidates, err := a.opts.Store.Candidates(r.Context(), claim.Numbers())
	id := claim.Choose(candidates)
	if err == nil && id == "" {
		again.Fault = web.NothingFound
		return a.lookupForm(w, r, http.StatusNotFound, again)
	}
	undo()
	a.tries.right(claim.Subject())
	if err != nil {
		return err // nobody's wrong try
	}
	a.leadTo(w, r, id)
	return nil
}

// lookUpCode leads to the order with an id, which is hard enough to guess by
// itself.
func (a *API) lookUpCode(w http.ResponseWriter, r *http.Request, code string) error {
	if !a.watchers.allow(a.peers.of(r), a.opts.Now()) {
		w.Header().Set("Retry-After", "2")
		return errTooMany
	}
	view, err := a.opts.Store.Snapshot(r.Context(), code)
	switch tracking.ErrorCode(err) {
	case "":
		a.leadTo(w, r, view.OrderID)
		return nil
	case tracking.NotFound:
		return a.lookupForm(w, r, http.StatusNotFound, web.LookupData{Code: code, Fault: web.NoSuchCode})
	}
	return err
}

func (a *API) leadTo(w http.ResponseWriter, r *http.Request, orderID string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/track/"+url.PathEscape(orderID)+languageQuery(r), http.StatusSeeOther)
}

func (a *API) tooManyLookups(w http.ResponseWriter, r *http.Request, again web.LookupData, wait time.Duration) error {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	again.Fault = web.TooManyTries
	return a.lookupForm(w, r, http.StatusTooManyRequests, again)
}

func (a *API) lookupForm(w http.ResponseWriter, r *http.Request, status int, data web.LookupData) error {
	data.Frame = a.frame(r)
	data.Query = languageQuery(r)
	// With no-referrer browsers would send the form with "Origin: null", like a
	// stranger's; the page has nothing in its address that its own server does
	// not know.
	w.Header().Set("Referrer-Policy", "same-origin")
	return a.page(w, r, data.Frame, status, func(b *bytes.Buffer) error { return web.LookupPage(b, data) })
}

// languageQuery carries a language that was asked for on to the next page.
func languageQuery(r *http.Request) string {
	asked := r.URL.Query().Get("lang")
	if asked == "" {
		return ""
	}
	return "?lang=" + url.QueryEscape(web.Language(asked))
}

// sameOriginOnly refuses forms that other sites send.
func sameOriginOnly(publicURL string) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		// A proxy may call us by another host than browsers do.
		_ = p.AddTrustedOrigin(u.Scheme + "://" + u.Host) // it was taken apart just now
	}
	return p
}
