package examples

import (
	"fmt"
	"testing"
)

// The plain HTML shop: the element and the frame, as its README runs it.
func TestPlainHTML(t *testing.T) {
	need(t, ".")
	shopPort := freePort(t)
	shop := origin(shopPort)
	w := serve(t, freePort(t), shop)
	runShop(t, shop, plainHTML, []string{fmt.Sprintf("PORT=%d", shopPort), "WAYBILL_URL=" + w.url}, "node", "server.mjs")
	b := openBrowser(t)

	t.Run("the element", func(t *testing.T) {
		b, p := b.of(t), newParcel("PLAIN-1", 7101)
		w.push(p, "IN TRANSIT")
		url := shop + "/element/" + w.order(p.number)
		b.open(url, nil)
		b.Do("waitFor", args{"selector": "[data-connection=live]"})
		b.Do("waitForText", args{"text": p.awb()})
		b.isLive(w, p, "OUT FOR DELIVERY", bringing, nil)
		w.isAwayFor(p, "DELIVERED")
		b.Do("waitForText", args{"text": "Delivered on"})
		b.fitsAPhone(url, "[data-connection=live]")
		for _, p := range b.complaints() {
			t.Errorf("the page complains: %s", p)
		}
	})

	t.Run("the frame", func(t *testing.T) {
		b, p := b.of(t), newParcel("PLAIN-2", 7102)
		w.push(p, "IN TRANSIT")
		url := shop + "/frame/" + w.order(p.number)
		b.open(url, nil)
		b.Do("waitForText", args{"text": "Live", "frame": true})
		b.isLive(w, p, "OUT FOR DELIVERY", bringing, args{"frame": true})
		w.isAwayFor(p, "DELIVERED")
		b.Do("waitForText", args{"text": "Delivered on", "frame": true})
		b.fitsAPhone(url, "iframe")
		await(t, "frame as high as what is in it", func() bool {
			got := b.Do("frame", nil)
			return got.Height == got.Content && got.Height > 100
		})
		for _, p := range b.complaints() {
			t.Errorf("the page complains: %s", p)
		}
	})
}
