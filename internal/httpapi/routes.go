package httpapi

import (
	"net/http"

	"github.com/webazaar/waybill/internal/access"
)

// A handler answers a request or returns why it could not.
type handler func(w http.ResponseWriter, r *http.Request) error

// A route is one line of the table: a pattern of the standard mux, who may
// call it, and what answers.
type route struct {
	pattern string
	who     []access.Role // nil: anyone
	handle  handler
	call    *call // what the description tells of it; nil where no JSON is spoken
}

// streams reports whether the answer goes on for as long as there is more.
func (rt *route) streams() bool {
	return rt.call != nil && rt.call.answers[0].in == inLines
}

// routes is every path that Waybill answers, but for the realtime server's and
// the static files.
func (a *API) routes() []route {
	admin := []access.Role{access.Admin}
	viewer := []access.Role{access.Admin, access.Viewer}
	shop := []access.Role{access.Admin, access.Shop}
	return []route{
		{"POST /api/webhooks/shiprocket", nil, a.receiveWebhook, &receiveCall},
		{"POST /api/webhooks/courier", nil, a.receiveWebhook, &receiveCall},
		{"GET /api/webhooks/shiprocket", nil, a.probeWebhook, &probeCall}, // GET serves HEAD too
		{"GET /api/webhooks/courier", nil, a.probeWebhook, &probeCall},

		{"GET /api/webhooks/logs", viewer, a.listWebhooks, &listWebhooksCall},
		{"GET /api/webhooks/logs/{id}", viewer, a.showWebhook, &showWebhookCall},
		{"GET /api/webhooks/export", viewer, a.exportWebhooks, &exportWebhooksCall},
		{"POST /api/webhooks/retry/{id}", admin, a.retryWebhook, &retryWebhookCall},
		{"POST /api/webhooks/dismiss", admin, a.dismissWebhooks, &dismissWebhooksCall},
		{"POST /api/webhooks/dismiss/{id}", admin, a.dismissWebhook, &dismissWebhookCall},
		{"POST /api/webhooks/replays", admin, a.createReplay, &createReplayCall},
		{"GET /api/webhooks/replays", admin, a.listReplays, &listReplaysCall},
		{"GET /api/webhooks/replays/{id}", admin, a.showReplay, &showReplayCall},
		{"DELETE /api/webhooks/replays/{id}", admin, a.cancelReplay, &cancelReplayCall},
		{"GET /api/webhooks/addresses", admin, a.listAddresses, &listAddressesCall},
		{"POST /api/webhooks/addresses", admin, a.allowAddress, &allowAddressCall},
		{"DELETE /api/webhooks/addresses/{address...}", admin, a.forgetAddress, &forgetAddressCall},

		{"GET /api/alarms", viewer, a.listAlarms, &listAlarmsCall},

		{"POST /api/orders", shop, a.registerOrder, &registerOrderCall},
		{"GET /api/orders", shop, a.findOrders, &findOrdersCall},
		{"GET /api/orders/{id}", shop, a.showOrder, &showOrderCall},
		{"DELETE /api/orders/{id}/personal-data", shop, a.erasePersonalData, &erasePersonalDataCall},
		{"POST /api/orders/{id}/watch-token", shop, a.makeWatchToken, &makeWatchTokenCall},

		{"POST /api/tokens", admin, a.createToken, &createTokenCall},
		{"GET /api/tokens", admin, a.listTokens, &listTokensCall},
		{"DELETE /api/tokens/{id}", admin, a.revokeToken, &revokeTokenCall},
		{"GET /api/audit", admin, a.listAudit, &listAuditCall},

		{"GET /api/track/{orderId}", nil, a.trackOrder, &trackOrderCall},
		{"OPTIONS /api/track/{orderId}", nil, a.allowAnyOrigin, nil},
		{"POST /api/realtime/auth", nil, a.authorizeChannel, &authorizeChannelCall},
		{"OPTIONS /api/realtime/auth", nil, a.allowShopOrigin, nil},

		{"GET /api/openapi.json", nil, a.describe, &describeCall},

		{"GET /track/{orderId}", nil, a.trackingPage, nil},
		{"GET /track", nil, a.lookUpPage, nil},
		{"POST /track", nil, a.lookUp, nil},
		{"GET /embed/track/{orderId}", nil, a.framedPage, nil},

		{"GET /healthz", nil, a.healthy, nil},
		{"GET /readyz", nil, a.ready, nil},
		{"GET /metrics", viewer, a.showMetrics, nil},
		{"GET /{$}", nil, a.home, nil},
	}
}
