package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/chromium"
)

// A buyer's page shows where the parcel is, moves while it is looked at, says
// the same without JavaScript, and loads nothing foreign.
func TestTrackingPage(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "SHOP_NAME=Test Shop")
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	s.push(event("PAGE1", 31, "PAGE-1", "IN TRANSIT", at))
	s.settled()
	url := s.url + "/track/" + s.order("PAGE-1").ID

	b := chromium.Open(t)
	if got := b.Do("open", map[string]any{"url": url, "moves": true}); got.Status != 200 {
		t.Fatalf("status %d", got.Status)
	}
	b.Do("waitForText", map[string]any{"text": "Live"})
	for _, moved := range b.Do("kept", map[string]any{"selector": ".waybill, .waybill-parcel, .waybill-headline, .waybill-details, .waybill-latest, .waybill-part"}).Problems {
		t.Errorf("the script did not keep what the server drew: %s", moved)
	}
	if text := b.Do("text", nil).Text; !strings.Contains(text, "PAGE-1") || !strings.Contains(text, "PAGE1") {
		t.Errorf("order number or AWB is missing:\n%s", text)
	}
	sent := time.Now()
	s.push(event("PAGE1", 31, "PAGE-1", "OUT FOR DELIVERY", at.Add(time.Hour)))
	b.Do("waitForText", map[string]any{"text": "The courier is bringing it to you"})
	t.Logf("a push was on the screen after %s", time.Since(sent).Round(time.Millisecond))
	s.push(event("PAGE1", 31, "PAGE-1", "DELIVERED", at.Add(2*time.Hour)))
	b.Do("waitForText", map[string]any{"text": "Delivered on"})

	// The server goes and comes back: the page mends what it missed.
	s.kill()
	s.start(nil)
	s.push(event("PAGE1", 31, "PAGE-1", "RTO INITIATED", at.Add(3*time.Hour)))
	b.Do("waitForText", map[string]any{"text": "going back", "timeout": 20_000})
	for _, p := range b.Do("problems", nil).Problems {
		// The socket and the probes that fail while the server is away.
		if !strings.Contains(p, "net::ERR_") && !strings.Contains(p, "WebSocket") {
			t.Errorf("the page complains: %s", p)
		}
	}

	for _, kept := range b.Do("traces", nil).Problems {
		if kept != "localStorage pusherTransportNonTLS" { // how fast pusher-js connected, for its next time
			t.Errorf("the page leaves behind a %s", kept)
		}
	}

	b.Do("open", map[string]any{"url": url, "javaScript": false})
	if text := b.Do("text", nil).Text; !strings.Contains(text, "PAGE1") || !strings.Contains(text, "going back") {
		t.Errorf("without JavaScript:\n%s", text)
	}
	if got := b.Do("open", map[string]any{"url": s.url + "/track/nobody-knows-this-order-id"}); got.Status != 404 {
		t.Errorf("an unknown order: %d", got.Status)
	}
}

// Who lost the link finds his order by the keyboard alone, with and without
// JavaScript; what he typed is in no address.
func TestLookUpPage(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "SHOP_NAME=Test Shop", "SHOP_SUPPORT_URL=https://shop.example/help")
	s.push(event("LOOK1", 41, "LOOK-1", "IN TRANSIT", time.Now().Add(-5*time.Hour)))
	s.settled()
	s.admin("POST", "/api/orders", `{"number":"LOOK-1","contact":{"phone":"+91 90000 03210","email":"asha@shop.example"}}`)
	id := s.order("LOOK-1").ID

	b := chromium.Open(t)
	at := func(want string) {
		t.Helper()
		if got := b.Do("location", nil).Text; got != s.url+want {
			t.Errorf("at %s, want %s", got, want)
		}
	}
	for _, tt := range []struct {
		javaScript   bool
		wrong, right string
	}{{true, "3211", "3210"}, {false, "asha@shop.example.org", "Asha@shop.example"}} {
		if got := b.Do("open", map[string]any{"url": s.url + "/track", "javaScript": tt.javaScript}); got.Status != http.StatusOK {
			t.Fatalf("status %d", got.Status)
		}
		b.Do("press", map[string]any{"keys": []string{"Tab"}})
		if tt.javaScript {
			if got := b.Do("focused", nil).Text; got != "INPUT number" {
				t.Errorf("the first thing to type is %s", got)
			}
		}
		b.Do("press", map[string]any{"keys": []string{"=look-1", "Tab", "=" + tt.wrong, "Enter"}})
		b.Do("waitForText", map[string]any{"text": "We cannot find an order with this number and this phone or e-mail"})
		at("/track")
		// The number is still there; the contact has to be typed again.
		b.Do("press", map[string]any{"keys": []string{"Tab", "Tab", "=" + tt.right, "Tab", "Enter"}})
		b.Do("waitForText", map[string]any{"text": "LOOK1"})
		at("/track/" + id)
	}

	// By the code, which is behind a word that opens by the keyboard too.
	b.Do("open", map[string]any{"url": s.url + "/track"})
	b.Do("press", map[string]any{"keys": []string{"Tab", "Tab", "Tab", "Tab", "Enter", "Tab", "=" + id, "Enter"}})
	b.Do("waitForText", map[string]any{"text": "LOOK1"})
	at("/track/" + id)
	for _, p := range b.Do("problems", nil).Problems {
		if !strings.Contains(p, "404") { // what was wrong
			t.Errorf("the page complains: %s", p)
		}
	}
}

// Axe finds nothing on any page, in any state, language and theme; and nothing
// has to be scrolled sideways on the narrowest screen.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "SHOP_NAME=Test Shop", "SHOP_COLOR=#c0392b", "SHOP_SUPPORT_URL=https://shop.example/help")
	s.push(event("AXE1", 81, "AXE-1", "UNDELIVERED", time.Now().Add(-5*time.Hour)))
	s.settled()
	id := s.order("AXE-1").ID

	b := chromium.Open(t)
	for i, view := range []struct {
		language, often string
		dark            bool
	}{
		{"en-IN", "Too many tries", false},
		{"en-IN", "Too many tries", true},
		{"hi-IN", "बहुत बार कोशिश", false},
		{"hi-IN", "बहुत बार कोशिश", true},
	} {
		open := func(path string) {
			b.Do("open", map[string]any{"url": s.url + path, "language": view.language, "dark": view.dark, "width": 320})
		}
		sound := func(state string) {
			t.Helper()
			for _, p := range b.Do("axe", nil).Problems {
				t.Errorf("%s, %s, dark %v: %s", state, view.language, view.dark, p)
			}
			if wide := b.Do("overflow", nil).Count; wide > 0 {
				t.Errorf("%s, %s: %d px wider than the screen", state, view.language, wide)
			}
		}
		tried := func(number string) string {
			open("/track")
			b.Do("press", map[string]any{"keys": []string{"Tab", "=" + number, "Tab", "=0000", "Enter"}})
			b.Do("waitFor", map[string]any{"selector": "#fault"})
			return b.Do("text", map[string]any{"selector": "#fault"}).Text
		}
		open("/track")
		sound("the look-up page")
		b.Do("press", map[string]any{"keys": []string{"Tab", "Tab", "Tab", "Tab", "Enter"}})
		sound("the look-up page with the field for a code")
		tried(fmt.Sprintf("AXE-NONE-%d", i))
		sound("a wrong answer")
		for n := 0; !strings.Contains(tried("AXE-OFTEN"), view.often); n++ {
			if n > 10 {
				t.Fatal("it is never too often")
			}
		}
		sound("too many tries")
		open("/track?order=nobody")
		sound("a wrong code")
		open("/track/nobody")
		sound("no such order")
		open("/track/" + id)
		b.Do("waitFor", map[string]any{"selector": "[data-connection=live]"})
		sound("the tracking page")
		open("/embed/track/" + id)
		b.Do("waitFor", map[string]any{"selector": "[data-connection=live]"})
		sound("the framed page")
	}
}

// A frame on a shop's page is as high as its content and stays so; other sites
// get none.
func TestFramedPage(t *testing.T) {
	t.Parallel()
	var embed string
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Referrer-Policy", "no-referrer") // the height does not need one
		fmt.Fprint(w, embed)
	})
	shop, stranger := httptest.NewServer(page), httptest.NewServer(page)
	t.Cleanup(shop.Close)
	t.Cleanup(stranger.Close)
	s := serve(t, t.TempDir(), "ALLOWED_ORIGINS="+shop.URL)
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	s.push(event("FRAME1", 51, "FRAME-1", "PICKED UP", at))
	s.settled()
	script := `<script src="` + s.url + `/embed/order-tracker-frame.js"></script>`
	frame := `<iframe title="Your order" style="width:100%;height:60px;border:0" src="` + s.url + "/embed/track/" + s.order("FRAME-1").ID + `"></iframe>`

	b := chromium.Open(t)
	fits := func(what, text string) (height float64) {
		t.Helper()
		s.await(10*time.Second, what+" with a frame that fits", func() bool {
			got := b.Do("frame", nil)
			height = got.Height
			return strings.Contains(got.Text, text) && got.Height == got.Content && got.Height > 100 && !got.Scrolls
		})
		return height
	}
	for name, order := range map[string]string{
		"script first": script + frame, "frame first": frame + script,
		"script late": frame + strings.Replace(script, "<script", "<script async", 1),
		"module":      frame + strings.Replace(script, "<script", `<script type="module"`, 1),
	} {
		embed = "<!doctype html><title>Shop</title><h1>Order</h1>" + order
		b.Do("open", map[string]any{"url": shop.URL, "width": 900})
		fits(name, "FRAME1")
	}
	before := fits("a wide page", "FRAME1")
	b.Do("resize", map[string]any{"width": 320})
	narrow := fits("a narrow page", "FRAME1")
	s.push(event("FRAME1", 51, "FRAME-1", "UNDELIVERED", at.Add(time.Hour)))
	longer := fits("a page that told more", "could not deliver")
	if before == narrow || narrow >= longer {
		t.Errorf("%v px wide, %v narrow, %v with more in it: the frame was not measured anew", before, narrow, longer)
	}

	b.Do("problems", nil)
	b.Do("open", map[string]any{"url": stranger.URL})
	s.await(10*time.Second, "refusal", func() bool {
		return strings.Contains(strings.Join(b.Do("problems", nil).Problems, " "), "frame-ancestors")
	})
}

// The element finds its server whichever way a page loads its script, on a page
// of another origin.
func TestWidget(t *testing.T) {
	t.Parallel()
	var embed string
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><link rel=icon href=data:,><title>Shop</title>"+embed)
	}))
	t.Cleanup(shop.Close)
	s := serve(t, t.TempDir())
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	s.push(event("WIDGET1", 71, "WIDGET-1", "PICKED UP", at))
	s.settled()
	id := s.order("WIDGET-1").ID

	b := chromium.Open(t)
	for i, step := range []struct{ way, status, text string }{
		{"", "IN TRANSIT", "moving between the courier's hubs"},
		{" async", "REACHED AT DESTINATION HUB", "the courier's hub near you"},
		{" defer", "OUT FOR DELIVERY", "The courier is bringing it to you"},
		{` type="module"`, "DELIVERED", "Delivered on"},
	} {
		embed = "<script" + step.way + ` src="` + s.url + `/embed/order-tracker.js"></script><order-tracker order-id="` + id + `"></order-tracker>`
		b.Do("open", map[string]any{"url": shop.URL})
		b.Do("waitForText", map[string]any{"text": "WIDGET1"})
		b.Do("waitForText", map[string]any{"text": "Live"})
		s.push(event("WIDGET1", 71, "WIDGET-1", step.status, at.Add(time.Duration(i+1)*time.Hour)))
		b.Do("waitForText", map[string]any{"text": step.text})
	}
	for _, p := range b.Do("problems", nil).Problems {
		t.Errorf("the page complains: %s", p)
	}
}

// Where public channels are closed, the page listens to its order's private one,
// by itself and in a frame, and comes back to it.
func TestTrackingPageOfPrivateChannels(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "PUBLIC_ORDER_CHANNELS=false")
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	s.push(event("PRIVATE1", 61, "PRIVATE-1", "IN TRANSIT", at))
	s.settled()
	id := s.order("PRIVATE-1").ID
	for i, path := range []string{"/track/", "/embed/track/"} {
		b := chromium.Open(t)
		b.Do("open", map[string]any{"url": s.url + path + id})
		b.Do("waitForText", map[string]any{"text": "Live"})
		s.push(event("PRIVATE1", 61, "PRIVATE-1", []string{"OUT FOR DELIVERY", "DELIVERED"}[i], at.Add(time.Duration(i+1)*time.Hour)))
		b.Do("waitForText", map[string]any{"text": []string{"The courier is bringing it to you", "Delivered on"}[i]})
		if i == 0 {
			s.kill()
			s.start([]string{"PUBLIC_ORDER_CHANNELS=false"})
			b.Do("waitForText", map[string]any{"text": "Live", "timeout": 20_000})
		}
	}
}
