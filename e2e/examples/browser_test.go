package examples

import (
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/chromium"
)

// A browser is Chromium with one page, for a test or a part of it.
type browser struct {
	*chromium.Page
	t *testing.T
}

type args = chromium.Args

func openBrowser(t *testing.T) *browser {
	t.Helper()
	return &browser{chromium.Open(t), t}
}

// open opens a page that has to be there.
func (b *browser) open(url string, a args) {
	b.t.Helper()
	given := args{"url": url}
	for name, value := range a {
		given[name] = value
	}
	if got := b.Do("open", given); got.Status != 200 {
		b.t.Fatalf("%s: status %d", url, got.Status)
	}
}

// isLive pushes a status, and checks that its text is on the screen within a
// second of the answer.
func (b *browser) isLive(w *waybill, p *parcel, status, text string, a args) {
	b.t.Helper()
	look := args{"text": text}
	for name, value := range a {
		look[name] = value
	}
	b.Do("lookOut", look)
	answered := w.push(p, status)
	took := time.UnixMilli(b.Do("seen", nil).At).Sub(answered).Round(time.Millisecond)
	b.t.Logf("%q was on the screen %s after the push was answered", text, took)
	if took > 10*time.Second { // that was not the event but the next poll
		b.t.Errorf("%q took %s", text, took)
	}
}

// complaints are what the page wrote to its console, but for a server that was away.
func (b *browser) complaints() (found []string) {
	b.t.Helper()
	for _, p := range b.Do("problems", nil).Problems {
		if !strings.Contains(p, "net::ERR_") && !strings.Contains(p, "WebSocket connection to") {
			found = append(found, p)
		}
	}
	return found
}

// fitsAPhone checks that at 320 px nothing has to be scrolled to the side.
func (b *browser) fitsAPhone(url, live string) {
	b.t.Helper()
	b.open(url, args{"width": 320, "height": 640})
	b.Do("waitFor", args{"selector": live})
	if got := b.Do("overflow", nil).Count; got > 0 {
		b.t.Errorf("%s is %d px wider than a screen of 320 px", url, got)
	}
}

// of is the same browser for a part of the test.
func (b *browser) of(t *testing.T) *browser {
	t.Helper()
	return &browser{b.Of(t), t}
}
