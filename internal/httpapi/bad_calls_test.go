package httpapi_test

import (
	"net/http"
	"strings"
)

// badCalls makes every described call badly, in each way that it may be.
func (h *house) badCalls() {
	h.t.Helper()
	viewer, shop := h.header("viewer"), h.header("shop")
	nobody := strings.NewReplacer("{id}", "nobody", "{orderId}", "nobody", "{address}", "192.0.2.9")
	large := `{"awb":"` + strings.Repeat("7", 1<<20) + `"}`
	for path, item := range described().paths {
		for method, op := range dig(item) {
			method, path := strings.ToUpper(method), nobody.Replace(path)
			if path == "/api/webhooks/courier" || path == "/api/webhooks/shiprocket" {
				if method == http.MethodGet {
					continue // it cannot be called badly
				}
				h.do(method, path, `{"awb":"77001"}`)
				h.do(method, path, `{"awb":"77001"}`, "x-api-key", webhookToken, "peer", "198.51.100.1:1")
				h.do(method, path, `[`, "x-api-key", webhookToken)
				h.do(method, path, large, "x-api-key", webhookToken)
				continue
			}
			body := bodies[method+" "+path]
			if path == "/api/webhooks/dismiss/nobody" {
				body = `{"note":"nobody's"}`
			}
			h.do(method, path, body)
			h.as(viewer, method, path, body)
			h.as(shop, method, path, body)
			h.admin(method, path, body)
			if dig(op, "requestBody") != nil {
				for _, sent := range []string{large, `{"nonsense":1}`, `nonsense`, `{} {}`, `[`} {
					h.admin(method, path, sent)
				}
			}
			parameters, _ := dig(op)["parameters"].([]any)
			for _, p := range parameters {
				if p := dig(p); p["in"] == "query" {
					h.admin(method, path+"?"+p["name"].(string)+"=nonsense", body)
				}
			}
		}
	}
	done := h.admin("GET", "/api/webhooks/logs?status=processed&limit=1", "").list()[0]["id"].(string)
	h.admin("POST", "/api/webhooks/retry/"+done, "")
	h.admin("POST", "/api/webhooks/dismiss/"+done, "")
	for _, replay := range h.admin("GET", "/api/webhooks/replays", "").list() {
		h.admin("DELETE", "/api/webhooks/replays/"+replay["id"].(string), "") // one is cancelled already
	}
	h.admin("DELETE", "/api/webhooks/addresses/"+listed, "")
	h.admin("DELETE", "/api/webhooks/addresses/nonsense", "")
	h.admin("POST", "/api/orders", `{"number":"N-2","srOrderId":501}`)
}

// tooOften calls until it is too often, where there is a limit.
func (h *house) tooOften() {
	h.t.Helper()
	for call, headers := range map[string][]string{
		"POST /api/webhooks/courier": {"peer", "198.51.100.7:1"}, "POST /api/webhooks/shiprocket": {"peer", "198.51.100.8:1"},
		"GET /api/track/nobody": nil,
	} {
		method, path, _ := strings.Cut(call, " ")
		for i := 0; h.do(method, path, "{}", headers...).status != http.StatusTooManyRequests; i++ {
			if i > 1000 {
				h.t.Fatalf("%s is never too often", call)
			}
		}
	}
}

func (h *house) header(role string) string {
	_, header := h.token(role)
	return header
}
