package httpapi_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/httpapi"
)

var nonceOf = regexp.MustCompile(`'nonce-([A-Za-z0-9+/=_-]{20,})'`)

func TestPagesHeaders(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	nonces := map[string]bool{}
	for _, p := range []struct {
		path      string
		status    int
		ancestors string
		referrer  string
	}{
		{"/track/" + h.order("N-1"), 200, "'none'", "no-referrer"},
		{"/track/nobody", 404, "'none'", "no-referrer"},
		{"/embed/track/" + h.order("N-1"), 200, "https://shop.example", "no-referrer"},
		{"/embed/track/nobody", 404, "https://shop.example", "no-referrer"},
		{"/track", 200, "'none'", "same-origin"},
		{"/track?order=nobody", 404, "'none'", "same-origin"},
	} {
		a := h.do("GET", p.path, "")
		if a.status != p.status || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", p.path, a.status, a.header.Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Referrer-Policy": p.referrer, "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'", "Vary": "Accept-Encoding",
		} {
			if got := a.header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", p.path, name, got)
			}
		}
		for _, none := range []string{"Set-Cookie", "ETag", "Last-Modified", "Access-Control-Allow-Origin", "Service-Worker-Allowed"} {
			if got := a.header.Get(none); got != "" {
				t.Errorf("%s: %s is %q", p.path, none, got)
			}
		}
		csp := a.header.Get("Content-Security-Policy")
		found := nonceOf.FindStringSubmatch(csp)
		if found == nil || nonces[found[1]] {
			t.Fatalf("%s: no nonce of its own in %q", p.path, csp)
		}
		nonces[found[1]] = true
		if strings.Contains(csp, "unsafe") || strings.Contains(a.body, "<script>") {
			t.Errorf("%s lets unnamed scripts in", p.path)
		}
		if !strings.HasSuffix(csp, "; frame-ancestors "+p.ancestors) {
			t.Errorf("%s: who may frame it, in %q", p.path, csp)
		}
	}
}

func TestTrackingPage(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) { o.Shop.Name = "Asha's <b>Shop</b>" })
	h.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	for _, path := range []string{"/track/", "/embed/track/"} {
		page := h.do("GET", path+id, "")
		for _, part := range []string{"N-1", "77001", id, appKey, `http-equiv="refresh"`} {
			if !strings.Contains(page.body, part) {
				t.Errorf("%q is not on the page %s", part, path)
			}
		}
		if strings.Contains(page.body, "<b>Shop") || strings.Contains(page.body, appSecret) || strings.Contains(page.body, "watchToken") {
			t.Errorf("%s: markup of the shop's name, a secret, or a token that nobody needs", path)
		}
	}
	if a := h.do("GET", "/", ""); a.status != http.StatusSeeOther || a.header.Get("Location") != "/track" {
		t.Errorf("%d to %q", a.status, a.header.Get("Location"))
	}
	if a := h.do("GET", "/embed/order-tracker.js", ""); a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Type"), "javascript") || !strings.Contains(a.body, appKey) {
		t.Errorf("widget: %d %s", a.status, a.header.Get("Content-Type"))
	}
	if a := h.do("GET", "/embed/order-tracker-frame.js", ""); a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Type"), "javascript") {
		t.Errorf("the frame's script: %d %s", a.status, a.header.Get("Content-Type"))
	}
}

var watchTokenOn = regexp.MustCompile(`"watchToken":"([^"]+)"`)

// Without public channels a page brings what opens its order's private one, and
// no other; the widget, which has no such token, is told no key to listen with.
func TestPagesBringAWatchTokenWherePublicChannelsAreClosed(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) { o.PublicChannels = false })
	h.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	h.push(event("77002", 502, "N-2", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	join := func(order, token string) int {
		return h.do("POST", "/api/realtime/auth", "socket_id=1.1&channel_name=private-order-"+order+"&token="+token,
			"Content-Type", "application/x-www-form-urlencoded").status
	}
	for _, path := range []string{"/track/", "/embed/track/"} {
		page := h.do("GET", path+id, "")
		found := watchTokenOn.FindStringSubmatch(page.body)
		if found == nil || !strings.Contains(page.body, `"soketiKey":"`+appKey+`"`) || strings.Contains(page.body, appSecret) {
			t.Fatalf("%s has no token or key: %s", path, page.body)
		}
		if mine, other := join(id, found[1]), join(h.order("N-2"), found[1]); mine != http.StatusOK || other != http.StatusForbidden {
			t.Errorf("%s: its order's channel %d, another's %d", path, mine, other)
		}
		h.now = h.now.Add(time.Hour)
		renewed := watchTokenOn.FindStringSubmatch(h.do("GET", path+id, "").body)
		if old := join(id, found[1]); old != http.StatusForbidden || renewed == nil || join(id, renewed[1]) != http.StatusOK {
			t.Errorf("%s: an hour later the token is answered %d, and the page's new one %v", path, old, renewed)
		}
	}
	if a := h.do("GET", "/track/nobody", ""); strings.Contains(a.body, "watchToken") {
		t.Error("a token for an order that there is not")
	}
	if a := h.do("GET", "/embed/order-tracker.js", ""); strings.Contains(a.body, appKey) {
		t.Error("the widget has a key to public channels, where nothing is said")
	}
}

var loads = regexp.MustCompile(`(?:src|href)="(/[^"]+\.(?:js|css))"`)

// A phone on a bad line loads the page and all that it names in under 100 KB.
func TestPagesAreSmallWithAllTheyLoad(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) { o.Shop.Color = "#c0392b" })
	var scans []any
	for i := range 60 {
		scans = append(scans, map[string]any{
			"date": fmt.Sprintf("2026-11-%02d %02d:10:00", 10+i/6, i%6*3), "activity": fmt.Sprintf("Bag %d received at hub, trip %d", i*7919, i*104729),
			"status": fmt.Sprint("X-", i), "location": fmt.Sprintf("Hub_%d (Maharashtra)", i*31), "sr-status": "18", "sr-status-label": "IN TRANSIT",
		})
	}
	h.push(asJSON(map[string]any{"awb": "77001", "sr_order_id": 501, "order_id": "N-1", "current_status": "IN TRANSIT", "etd": "2026-11-26 10:00:00", "scans": scans}))
	const limit = 100 << 10
	for _, path := range []string{"/track/" + h.order("N-1"), "/embed/track/" + h.order("N-1"), "/track"} {
		page := h.do("GET", path, "", "Accept-Encoding", "gzip")
		if page.header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed", path)
		}
		unpacked, err := gzip.NewReader(strings.NewReader(page.body))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if same := h.do("GET", path, ""); nonceless(same) != nonceless(answer{header: page.header, body: string(plain)}) {
			t.Errorf("%s says something else when it is compressed", path)
		}
		total, named := len(page.body), loads.FindAllStringSubmatch(string(plain), -1)
		if len(named) < 2 {
			t.Errorf("%s loads %v", path, named)
		}
		for _, name := range named {
			a := h.do("GET", name[1], "", "Accept-Encoding", "gzip")
			if a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, kept %q", name[1], a.status, a.header.Get("Cache-Control"))
			}
			total += len(a.body)
		}
		if total > limit {
			t.Errorf("%s and what it loads are %d bytes, more than %d", path, total, limit)
		}
		t.Logf("%s: %d bytes, %d with %d files", path[:min(12, len(path))], len(page.body), total, len(named))
	}
}

// nonceless is a page without what is new in every answer.
func nonceless(a answer) string {
	found := nonceOf.FindStringSubmatch(a.header.Get("Content-Security-Policy"))
	if found == nil {
		return a.body
	}
	return strings.ReplaceAll(a.body, found[1], "NONCE")
}

// A buyer whose network asked too often, or whose server has lost its database,
// reads a page in his language that comes again by itself, not JSON.
func TestPagesInTrouble(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	inTrouble := func(status int, method, path, body string) {
		t.Helper()
		a := h.do(method, path, body, "Content-Type", "application/x-www-form-urlencoded")
		if a.status != status || a.header.Get("Retry-After") == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s %s: %d %v", method, path, a.status, a.header)
		}
		for _, want := range []string{`<meta http-equiv="refresh" content="10">`, "अभी ट्रैकिंग की जानकारी नहीं मिल पा रही है"} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%s %s lacks %q: %s", method, path, want, a.body)
			}
		}
		if strings.Contains(a.body, "closing") {
			t.Errorf("%s %s tells why: %s", method, path, a.body)
		}
	}
	for i := 0; h.do("GET", "/track/"+id, "").status != http.StatusTooManyRequests; i++ {
		if i > 1000 {
			t.Fatal("it is never too often")
		}
	}
	inTrouble(429, "GET", "/track/"+id+"?lang=hi", "")
	inTrouble(429, "GET", "/embed/track/"+id+"?lang=hi", "")
	inTrouble(429, "GET", "/track?lang=hi&order="+id, "")
	inTrouble(429, "POST", "/track?lang=hi", "order="+id)

	h.now = h.now.Add(time.Hour)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	inTrouble(503, "GET", "/track/"+id+"?lang=hi", "")
	inTrouble(503, "POST", "/track?lang=hi", "number=N-1&contact=1234")
}
