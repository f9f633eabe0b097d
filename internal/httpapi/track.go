package httpapi

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

const snapshotExample = `{"success":true,"data":{"orderId":"4atigmidy7vfqzvssffvz2txn6","orderNumber":"WB-1001","version":1,` +
	`"orderStatus":"shipped","milestone":"in_transit","currentStatus":"IN TRANSIT","awbCode":"19041424751540",` +
	`"courierName":"Delhivery Surface","estimatedDelivery":"2026-11-23","deliveredAt":null,"updatedAt":"2026-11-20T06:13:53.584193Z",` +
	`"shipments":[{"id":"hfqio6uqiqabrmzo","direction":"forward","awbCode":"19041424751540","courierName":"Delhivery Surface",` +
	`"milestone":"in_transit","currentStatus":"IN TRANSIT","estimatedDelivery":"2026-11-23","firstEstimatedDelivery":"2026-11-23",` +
	`"deliveredAt":null,"deliveryAttempts":0,"undeliveredReason":null,"proofOfDelivery":null,"corrected":false,` +
	`"legs":[{"awbCode":"19041424751540","kind":"forward","courierName":"Delhivery Surface"}],` +
	`"trackingHistory":[{"status":"IN TRANSIT","milestone":"in_transit","timestamp":"2026-11-20T06:13:46Z","location":"Bhiwandi",` +
	`"description":"Bag received at hub","scanType":"scan"}]}]}}`

var trackOrderCall = call{
	tag: "tracking", id: "trackOrder", etag: true, summary: "Where an order's parcels are", subject: "the order's id",
	detail:  "For anyone who has the id, from any origin, without credentials; no personal data. It has an ETag. All that is unknown is answered alike.",
	answers: []answered{giving(tracking.Snapshot{}).like(snapshotExample)}, fails: []tracking.Code{tracking.NotFound, "rate_limited"},
}

// GET /api/track/{orderId}
//
// The public snapshot, for anyone who knows the order's id. All that is
// unknown is answered alike.
func (a *API) trackOrder(w http.ResponseWriter, r *http.Request) error {
	anyOrigin(w)
	if !a.watchers.allow(a.peers.of(r), a.opts.Now()) {
		w.Header().Set("Retry-After", "2")
		return errTooMany
	}
	view, err := a.opts.Store.Snapshot(r.Context(), r.PathValue("orderId"))
	if err != nil {
		return err
	}
	etag := etagOf(view)
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache") // keep it, but ask whether it still holds
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return answer(w, json.RawMessage(view.JSON))
}

// etagOf names a version of an order's public view. What stands in it counts
// too: a registration changes an order that nobody was told about yet.
func etagOf(v store.View) string {
	h := fnv.New64a()
	_, _ = h.Write(v.JSON) // a hash takes everything
	return `"` + strconv.FormatInt(v.Version, 10) + "-" + strconv.FormatUint(h.Sum64(), 36) + `"`
}

// matches reports whether a tag is among those that the client has. Proxies
// that compress make tags weak; what is under them is still the same.
func matches(sent []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(sent, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// OPTIONS /api/track/{orderId}
func (a *API) allowAnyOrigin(w http.ResponseWriter, _ *http.Request) error {
	anyOrigin(w)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// anyOrigin opens a public answer to every page. It carries no credentials, so
// nothing is reached that the reader could not reach himself.
func anyOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "ETag")
}
