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
}

// routes is every path that Waybill answers, but for the realtime server's and
// the static files.
func (a *API) routes() []route {
	admin := []access.Role{access.Admin}
	viewer := []access.Role{access.Admin, access.Viewer}
	shop := []access.Role{access.Admin, access.Shop}
	return []route{
		{"POST /api/webhooks/shiprocket", nil, a.receiveWebhook},
		{"POST /api/webhooks/courier", nil, a.receiveWebhook},
		{"GET /api/webhooks/shiprocket", nil, a.probeWebhook}, // GET serves HEAD too
		{"GET /api/webhooks/courier", nil, a.probeWebhook},

		{"GET /api/webhooks/logs", viewer, a.listWebhooks},
		{"GET /api/webhooks/logs/{id}", viewer, a.showWebhook},
		{"GET /api/webhooks/export", viewer, a.exportWebhooks},
		{"POST /api/webhooks/retry/{id}", admin, a.retryWebhook},
		{"POST /api/webhooks/dismiss/{id}", admin, a.dismissWebhook},
		{"POST /api/webhooks/replays", admin, a.createReplay},
		{"GET /api/webhooks/replays", admin, a.listReplays},
		{"GET /api/webhooks/replays/{id}", admin, a.showReplay},
		{"DELETE /api/webhooks/replays/{id}", admin, a.cancelReplay},
		{"GET /api/webhooks/addresses", admin, a.listAddresses},
		{"POST /api/webhooks/addresses", admin, a.allowAddress},
		{"DELETE /api/webhooks/addresses/{address...}", admin, a.forgetAddress},

		{"GET /api/alarms", viewer, a.listAlarms},

		{"POST /api/orders", shop, a.registerOrder},
		{"GET /api/orders", shop, a.findOrders},
		{"GET /api/orders/{id}", shop, a.showOrder},
		{"DELETE /api/orders/{id}/personal-data", shop, a.erasePersonalData},
		{"POST /api/orders/{id}/watch-token", shop, a.makeWatchToken},

		{"POST /api/tokens", admin, a.createToken},
		{"GET /api/tokens", admin, a.listTokens},
		{"DELETE /api/tokens/{id}", admin, a.revokeToken},
		{"GET /api/audit", admin, a.listAudit},

		{"GET /api/track/{orderId}", nil, a.trackOrder},
		{"OPTIONS /api/track/{orderId}", nil, a.allowAnyOrigin},
		{"POST /api/realtime/auth", nil, a.authorizeChannel},
		{"OPTIONS /api/realtime/auth", nil, a.allowShopOrigin},

		{"GET /track/{orderId}", nil, a.trackingPage},
		{"GET /track", nil, a.lookUpPage},

		{"GET /healthz", nil, a.healthy},
		{"GET /readyz", nil, a.ready},
		{"GET /metrics", viewer, a.showMetrics},
		{"GET /{$}", nil, a.home},
	}
}
