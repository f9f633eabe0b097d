package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/httpapi"
)

const orderKeys = `id number channelId status version trackingUrl contact shipments createdAt updatedAt`

func TestRegisterOrder(t *testing.T) {
	t.Parallel()
	h := setup(t)
	o := h.admin("POST", "/api/orders", `{"number":" N-1 ","srOrderId":501,"awbCodes":["77001",""],"channelId":77,
		"contact":{"name":"Asha Rao","phone":"9876543210","email":"asha@shop.example"}}`).data()
	hasKeys(t, "the order", o, orderKeys)
	id := o["id"].(string)
	if len(id) != 26 || o["number"] != "N-1" || o["channelId"] != "77" || o["trackingUrl"] != "https://track.shop.example/track/"+id || o["status"] != "processing" {
		t.Errorf("%v", o)
	}
	hasKeys(t, "its contact", o["contact"], "name phone email")

	// Found again by any of its names; what is left out stays.
	for _, again := range []string{`{"number":"N-1"}`, `{"number":"N-1b","srOrderId":"501"}`, `{"number":"N-1","awbCodes":["77001"]}`} {
		if o := h.admin("POST", "/api/orders", again).data(); o["id"] != id || o["contact"] == nil {
			t.Errorf("%s: another order, or its contact is gone: %v", again, o)
		}
	}
	// A brought id becomes the public one, the older one still leads there.
	brought := "shop-order-0123456789-abcdef"
	if o := h.admin("POST", "/api/orders", `{"id":"`+brought+`","srOrderId":501,"number":"N-1"}`).data(); o["id"] != brought {
		t.Errorf("%v", o)
	}
	for _, known := range []string{id, brought} {
		if o := h.admin("GET", "/api/orders/"+known, "").data(); o["id"] != brought {
			t.Errorf("%s leads to %v", known, o["id"])
		}
		if s := h.do("GET", "/api/track/"+known, "").data(); s["orderId"] != brought {
			t.Errorf("%s tracks %v", known, s["orderId"])
		}
	}
	// Pushes find it by the AWB alone.
	h.push(`{"awb":"77001","current_status":"IN TRANSIT","current_timestamp":"22 11 2026 10:00:00"}`)
	if h.newest()["orderId"] != brought {
		t.Errorf("the push went to %v", h.newest()["orderId"])
	}
}

// What may be so long is counted in characters, whatever script they are of.
func TestRegisterOrderInHindi(t *testing.T) {
	t.Parallel()
	h := setup(t)
	name, number := strings.Repeat("आ", 200), strings.Repeat("क", 100)
	a := h.admin("POST", "/api/orders", asJSON(map[string]any{"number": number, "contact": map[string]string{"name": name}}))
	if a.status != 200 || a.data()["number"] != number || a.data()["contact"].(map[string]any)["name"] != name {
		t.Errorf("%d %.200s", a.status, a.body)
	}
	if found := h.admin("GET", "/api/orders?number="+url.QueryEscape(number), "").list(); len(found) != 1 {
		t.Errorf("found %d orders by its number", len(found))
	}
}

func TestRegisterOrderRefuses(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.push(event("77002", 502, "N-2", "IN TRANSIT", "2026-11-22 10:00:00"))
	for body, want := range map[string]struct {
		status int
		says   string
	}{
		``:                                  {400, "the JSON this call takes"},
		`[]`:                                {400, "the JSON this call takes"},
		`{}`:                                {400, "number must be"},
		`{"number":"N-9"} {"number":"N-8"}`: {400, "goes on after its JSON"},
		`{"number":"N-9","color":"red"}`:    {400, `unknown field \"color\"`},
		`{"number":7}`:                      {400, "cannot unmarshal number"},
		`{"number":"N-9","srOrderId":{}}`:   {400, "the JSON this call takes"},
		`{"number":"` + longer(101) + `"}`:  {400, "1 to 100 characters"},
		`{"number":"N-9","id":"short"}`:     {400, "20 to 64 characters"},
		`{"number":"N-9","id":"` + longer(65) + `"}`:                          {400, "20 to 64 characters"},
		`{"number":"N-9","id":"../../etc/passwd/aaaaaaa"}`:                    {400, "20 to 64 characters"},
		`{"number":"N-9","srOrderId":"` + longer(101) + `"}`:                  {400, "100 characters at most"},
		`{"number":"N-9","awbCodes":["` + longer(101) + `"]}`:                 {400, "100 characters at most"},
		`{"number":"N-9","awbCodes":[` + strings.Repeat(`"7",`, 50) + `"8"]}`: {400, "50 AWBs at most"},
		`{"number":"N-9","contact":{"email":"not one"}}`:                      {400, "not an e-mail address"},
		`{"number":"N-9","contact":{"phone":"` + longer(41) + `"}}`:           {400, "phone 40"},
		`{"number":"` + longer(300<<10) + `"}`:                                {413, "larger than this call takes"},
		`{"number":"N-2","srOrderId":501}`:                                    {409, "cannot be registered"},
	} {
		a := h.admin("POST", "/api/orders", body)
		if a.status != want.status || a.json()["success"] != false || !strings.Contains(a.body, want.says) || strings.Contains(a.body, "Go ") {
			t.Errorf("%.60s: %d %s, want %d and %q", body, a.status, a.body, want.status, want.says)
		}
	}
	minted := setup(t, func(o *httpapi.Options) { o.ShopOrderIDs = false })
	a := minted.admin("POST", "/api/orders", `{"number":"N-9","id":"shop-order-0123456789-abcdef"}`)
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, "SHOP_ORDER_IDS") {
		t.Errorf("a brought id where none may be: %d %s", a.status, a.body)
	}
}

func longer(n int) string { return strings.Repeat("9", n) }

func TestFindAndShowOrders(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	a := h.admin("GET", "/api/orders?number=N-1", "")
	hasKeys(t, "the list", a.json(), "success data total totalIsExact totalPages currentPage nextCursor")
	found := a.list()
	if len(found) != 1 || a.json()["total"] != 1.0 {
		t.Fatalf("%s", a.body)
	}
	hasKeys(t, "the order", found[0], orderKeys)
	o := found[0]
	if o["status"] != "shipped" || o["version"] != 1.0 || o["contact"] != nil || len(o["shipments"].([]any)) != 1 || o["channelId"] != "77" {
		t.Errorf("%v", o)
	}
	if one := h.admin("GET", "/api/orders/"+o["id"].(string), "").data(); asJSON(one) != asJSON(o) {
		t.Errorf("shown alone it differs:\n%v\n%v", one, o)
	}
	for _, number := range []string{"N", "n-1", "N-1%20", "%25"} { // exact
		if a := h.admin("GET", "/api/orders?number="+number, ""); len(a.list()) != 0 || !strings.Contains(a.body, `"data":[]`) {
			t.Errorf("number %s: %s", number, a.body)
		}
	}
	h.admin("GET", "/api/orders", "").is(400, `{"success":false,"code":"invalid","message":"number is missing: GET /api/orders?number=…"}`)
	h.admin("GET", "/api/orders/nobody", "").is(404, `{"success":false,"code":"not_found","message":"order not found"}`)
}

// Two orders with one number in two channels are both found, the newest first.
func TestOneNumberInTwoChannels(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.now = noon.Add(time.Minute)
	h.push(strings.Replace(event("77002", 502, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"), `"channel_id":77`, `"channel_id":78`, 1))
	found := h.admin("GET", "/api/orders?number=N-1", "").list()
	if len(found) != 2 || found[0]["channelId"] != "78" {
		t.Errorf("%v", found)
	}
	if a := h.admin("POST", "/api/orders", `{"number":"N-1"}`); a.status != http.StatusConflict || a.json()["code"] != "conflict" {
		t.Errorf("a number that two have: %d %s", a.status, a.body)
	}
}

func TestErasePersonalData(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(asJSON(map[string]any{
		"awb": "77001", "sr_order_id": 501, "order_id": "N-1", "current_status": "OUT FOR DELIVERY", "rider_name": "Ramesh",
		"scans": []any{map[string]any{"date": "2026-11-22 10:00:00", "activity": "FE Ramesh 9876543210", "location": "Pune"}},
	}))
	id := h.order("N-1")
	h.admin("POST", "/api/orders", `{"number":"N-1","contact":{"name":"Asha","phone":"9876543210","email":"asha@shop.example"}}`)
	before := h.do("GET", "/api/track/"+id, "").data()
	h.admin("DELETE", "/api/orders/"+id+"/personal-data", "").is(200, `{"success":true,"data":null}`)
	if o := h.admin("GET", "/api/orders/"+id, "").data(); o["contact"] != nil {
		t.Errorf("the contact is still there: %v", o["contact"])
	}
	row := h.admin("GET", "/api/webhooks/logs/"+h.newest()["id"].(string)+"?unmasked=true", "").data()
	if row["body"] != nil || row["flags"] != "erased" || row["reading"] != nil {
		t.Errorf("body %v, flags %v", row["body"], row["flags"])
	}
	if after := h.do("GET", "/api/track/"+id, "").data(); asJSON(after["shipments"]) != asJSON(before["shipments"]) {
		t.Errorf("the public view changed:\n%v\n%v", before, after)
	}
	h.admin("POST", "/api/webhooks/retry/"+row["id"].(string)+"?force=true", "").is(400, `{"success":false,"code":"invalid","message":"its body was erased"}`)
	h.admin("DELETE", "/api/orders/nobody/personal-data", "").is(404, `{"success":false,"code":"not_found","message":"order not found"}`)
}

func TestWatchToken(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	token := h.admin("POST", "/api/orders/"+id+"/watch-token", "").data()
	hasKeys(t, "the token", token, "token channel expiresAt")
	if token["channel"] != "private-order-"+id || token["expiresAt"] != "2026-11-23T13:00:00Z" || !h.watch.Valid(token["token"].(string), id, noon) {
		t.Errorf("%v", token)
	}
	h.admin("POST", "/api/orders/nobody/watch-token", "").is(404, `{"success":false,"code":"not_found","message":"order not found"}`)
}

// Nobody without a token gets further than the door, and hears no more there
// than that.
func TestGuardedCalls(t *testing.T) {
	t.Parallel()
	closed := func(o *httpapi.Options) { o.Guard = guardOf("") }
	for name, h := range map[string]*house{"a token is configured": setup(t), "none is": setup(t, closed)} {
		for _, call := range []string{
			"GET /api/webhooks/logs", "GET /api/webhooks/logs/x", "POST /api/webhooks/retry/x", "POST /api/orders", "GET /api/orders?number=1",
			"GET /api/orders/x", "DELETE /api/orders/x/personal-data", "POST /api/orders/x/watch-token", "GET /metrics",
			"POST /api/tokens", "GET /api/tokens", "DELETE /api/tokens/x", "GET /api/audit",
		} {
			method, path, _ := strings.Cut(call, " ")
			for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + adminToken, adminToken, "Bearer " + adminToken + "x", "Bearer " + webhookToken, "Bearer wb_admin_" + adminToken} {
				a := h.do(method, path, "", "Authorization", header, "x-api-key", adminToken)
				a.is(401, `{"success":false,"code":"unauthorized","message":"Unauthorized"}`)
				if a.header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("%s, %s: WWW-Authenticate %q", name, call, a.header.Get("WWW-Authenticate"))
				}
			}
		}
	}
}
