package examples

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A front end that was made for Soketi, and knows nothing of Waybill, works as it
// is: the settings, the channel, the event, and the fields it reads.
func TestFrontEndMadeForSoketi(t *testing.T) {
	need(t, ".")
	port := freePort(t)
	bundle, out := command(t, ".", variables(port), "node", "bundle.mjs")
	if err := bundle.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var order string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tracking.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write([]byte(out.String()))
	})
	mux.HandleFunc("GET /order", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,"><div id="root"></div>` +
			`<script>window.order = ` + order + `</script><script src="/tracking.js"></script>`))
	})
	shop := httptest.NewServer(mux)
	t.Cleanup(shop.Close)

	w := serve(t, port, shop.URL)
	p := newParcel("SOKETI-1", 7201)
	w.push(p, "PICKED UP")
	picked := p.at
	kept, err := json.Marshal(map[string]any{"id": w.order(p.number), "shipping": map[string]any{
		"awb_code": p.awb(), "courier_name": "Delhivery Surface", "current_status": "PICKED UP", "estimated_delivery_date": "2026-01-09T00:00:00.000Z",
		"trackingHistory": []any{map[string]any{"status": "PICKED UP", "location": "Jaipur", "description": "Picked up", "timestamp": picked.Format(time.RFC3339)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	order = string(kept)

	b := openBrowser(t)
	b.open(shop.URL+"/order", nil)
	b.Do("waitFor", args{"selector": "[data-live]"})
	shows := func(selector, want string) {
		t.Helper()
		if got := b.Do("text", args{"selector": selector}).Text; !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", selector, got, want)
		}
	}
	shows("#status", "PICKED UP")
	shows("#expected", "2026-01-09")

	b.isLive(w, p, "OUT FOR DELIVERY", "OUT FOR DELIVERY", nil)
	shows("#awb", p.awb())
	shows("#courier", "Delhivery Surface")
	shows("#status", "OUT FOR DELIVERY")
	shows("#expected", p.at.In(time.FixedZone("IST", 5*3600+1800)).AddDate(0, 0, 2).Format(time.DateOnly))
	shows("#history", "Bag received at hub | Jaipur_Sez_GW (Rajasthan) | Bag received at hub | "+picked.UTC().Format("2006-01-02T15:04:05.000Z"))
	shows("#history", "Bag received at hub | Jaipur_Sez_GW (Rajasthan) | Bag received at hub | "+p.at.UTC().Format("2006-01-02T15:04:05.000Z"))

	// The server goes and comes back: pusher-js finds it, and hears what comes then.
	w.run.Kill()
	w.start(port)
	await(t, "new subscription", func() bool { return b.Do("count", args{"selector": "[data-live='2']"}).Count == 1 })
	b.isLive(w, p, "DELIVERED", "DELIVERED", nil)
	for _, p := range b.complaints() {
		t.Errorf("the page complains: %s", p)
	}
}
