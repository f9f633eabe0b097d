package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// many is how many orders the list has.
const many = 20

// The Next.js shop, as its README builds and runs it. One build serves all that
// is looked at, because the variables of the browser are built in.
func TestNextJS(t *testing.T) {
	need(t, nextjs, "../../web", ".")
	port, shopPort := freePort(t), freePort(t)
	shop := origin(shopPort)
	w := serve(t, port, shop)
	parcels := make([]*parcel, many)
	var orders []map[string]string
	for i := range parcels {
		parcels[i] = newParcel(fmt.Sprintf("SHOP-%d", i), 7000+i)
		orders = append(orders, map[string]string{"number": parcels[i].number, "title": fmt.Sprintf("Thing number %d", i)})
		w.push(parcels[i], "IN TRANSIT")
	}
	kept, err := json.Marshal(orders)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "orders.json")
	if err := os.WriteFile(file, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	first := shop + "/orders/" + w.order(parcels[0].number)
	w.order(parcels[many-1].number)
	contact := `{"number":"` + parcels[0].number + `","contact":{"name":"Asha Rao","phone":"9000000321","email":"asha@shop.example"}}`
	w.do("POST", "/api/orders", contact, "Authorization", "Bearer "+adminToken)

	settings := append(variables(port), "NEXT_PUBLIC_WAYBILL_URL="+w.url, "WAYBILL_TOKEN="+adminToken, "SHOP_ORDERS="+file, fmt.Sprintf("PORT=%d", shopPort))
	began := time.Now()
	runToEnd(t, tracker, nil, "npm", "run", "build:package")
	reinstallTracker(t)
	runToEnd(t, nextjs, settings, "npm", "run", "build")
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	runShop(t, shop+"/orders", nextjs, settings, "node", "node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1")
	b := openBrowser(t)

	// These follow one another, because the parcels move on.
	t.Run("an order is in the HTML, without who bought it", func(t *testing.T) {
		b := b.of(t)
		b.open(first, args{"javaScript": false})
		text := b.Do("text", nil).Text
		for _, want := range []string{"Thing number 0", "Order SHOP-0", parcels[0].awb(), "Arriving"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in:\n%s", want, text)
			}
		}
		html := string(get(t, first))
		for _, secret := range []string{"Asha", "9000000321", "asha@shop.example", adminToken} {
			if strings.Contains(html, secret) {
				t.Errorf("%q is in the page", secret)
			}
		}
		if got := b.Do("open", args{"url": shop + "/orders/nobody-knows-this-order-id"}); got.Status != 404 {
			t.Errorf("an unknown order: status %d", got.Status)
		}
		b.Do("problems", nil)
	})

	t.Run("an order moves while it is looked at", func(t *testing.T) {
		b := b.of(t)
		b.open(first, nil)
		b.Do("waitFor", args{"selector": "[data-connection=live]"})
		b.isLive(w, parcels[0], "OUT FOR DELIVERY", bringing, nil)
		for _, p := range b.complaints() {
			t.Errorf("the page complains: %s", p)
		}
	})

	t.Run("twenty trackers share a socket", func(t *testing.T) {
		b := b.of(t)
		b.open(shop+"/orders", args{"height": 9000}) // all of them are on the screen
		await(t, fmt.Sprintf("%d live trackers", many), func() bool {
			return b.Do("count", args{"selector": "[data-compact][data-connection=live]"}).Count == many
		})
		b.isLive(w, parcels[many-1], "DELIVERED", "Delivered on", nil)
		if got := b.Do("sockets", nil); got.Opened != 1 || got.Open != 1 {
			t.Errorf("%d sockets were opened and %d are open, want one", got.Opened, got.Open)
		}
		// To an order and back: the same page, the same socket.
		b.Do("click", args{"text": "Thing number 0"})
		b.Do("waitFor", args{"selector": ".waybill:not([data-compact])[data-connection=live]"})
		b.Do("click", args{"text": "All your orders"})
		b.Do("waitFor", args{"selector": "[data-compact][data-connection=live]"})
		if got := b.Do("sockets", nil); got.Opened != 1 {
			t.Errorf("%d sockets after a walk through the shop, want one", got.Opened)
		}
		for _, p := range b.complaints() {
			t.Errorf("the page complains: %s", p)
		}
	})

	t.Run("what came while the server was away is shown", func(t *testing.T) {
		b := b.of(t)
		b.open(first, nil)
		b.Do("waitFor", args{"selector": "[data-connection=live]"})
		w.isAwayFor(parcels[0], "DELIVERED")
		b.Do("waitForText", args{"text": "Delivered on"})
		b.Do("waitFor", args{"selector": "[data-connection=live]"})
		for _, p := range b.complaints() {
			t.Errorf("the page complains: %s", p)
		}
	})

	t.Run("both pages fit a phone", func(t *testing.T) {
		b := b.of(t)
		b.fitsAPhone(first, "[data-connection=live]")
		b.fitsAPhone(shop+"/orders", "[data-connection=live]")
	})
}

// reinstallTracker puts the tracker that was just built where the shop has the
// one of its last `npm ci`.
func reinstallTracker(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(nextjs + "/node_modules/@waybill"); err != nil {
		t.Fatal(err)
	}
	runToEnd(t, nextjs, nil, "npm", "install", "--no-save", "--prefer-offline", "--no-audit", "--no-fund")
}
