package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/httpapi"
)

func TestPagesHeaders(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	nonces := map[string]bool{}
	nonce := regexp.MustCompile(`'nonce-([A-Za-z0-9+/=_-]{20,})'`)
	for path, status := range map[string]int{"/track/" + h.order("N-1"): 200, "/track/nobody": 404, "/track": 200, "/track?order=nobody": 200} {
		a := h.do("GET", path, "")
		if a.status != status || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'",
		} {
			if got := a.header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		csp := a.header.Get("Content-Security-Policy")
		found := nonce.FindStringSubmatch(csp)
		if found == nil || nonces[found[1]] {
			t.Fatalf("%s: no nonce of its own in %q", path, csp)
		}
		nonces[found[1]] = true
		if strings.Contains(csp, "unsafe") || strings.Contains(a.body, "<script>") {
			t.Errorf("%s lets unnamed scripts in", path)
		}
	}
}

func TestTrackingPage(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) { o.Shop.Name = "Asha's <b>Shop</b>" })
	h.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	page := h.do("GET", "/track/"+id, "")
	for _, part := range []string{"N-1", "77001", id, appKey} {
		if !strings.Contains(page.body, part) {
			t.Errorf("%q is not on the page", part)
		}
	}
	if strings.Contains(page.body, "<b>Shop") || strings.Contains(page.body, appSecret) {
		t.Error("markup of the shop's name, or a secret, is on the page")
	}
	// The look-up page leads there by the id, and by nothing else.
	if a := h.do("GET", "/track?order=+"+id, ""); a.status != http.StatusSeeOther || a.header.Get("Location") != "/track/"+id {
		t.Errorf("%d to %q", a.status, a.header.Get("Location"))
	}
	for _, guess := range []string{"N-1", "77001", "501"} {
		if a := h.do("GET", "/track?order="+guess, ""); a.status != http.StatusOK || strings.Contains(a.body, id) {
			t.Errorf("%s leads to an order: %d", guess, a.status)
		}
	}
	if a := h.do("GET", "/", ""); a.status != http.StatusSeeOther || a.header.Get("Location") != "/track" {
		t.Errorf("%d to %q", a.status, a.header.Get("Location"))
	}
	if a := h.do("GET", "/embed/order-tracker.js", ""); a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Type"), "javascript") || !strings.Contains(a.body, appKey) {
		t.Errorf("widget: %d %s", a.status, a.header.Get("Content-Type"))
	}
	// Without public channels nobody is told a key to listen with.
	quiet := setup(t, func(o *httpapi.Options) { o.PublicChannels = false })
	quiet.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	if a := quiet.do("GET", "/track/"+quiet.order("N-1"), ""); a.status != http.StatusOK || strings.Contains(a.body, appSecret) {
		t.Errorf("%d", a.status)
	}
}
