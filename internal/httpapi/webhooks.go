package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// maxWebhookBytes is what one push may weigh. Real ones with long histories
// are under 10 KB.
const maxWebhookBytes = 1 << 20

// received is the answer to a push. Shiprocket wants exactly 200 and reads no
// body (Shiprocket docs); people testing with curl do.
type received struct {
	Success bool         `json:"success"`
	Message string       `json:"message"`
	EventID string       `json:"eventId,omitempty"`
	Status  inbox.Status `json:"status,omitempty"`
}

// refused is the answer to a push whose sender was not accepted. It tells
// nothing more than the contract's sentence.
type refused struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

// keepWithin is how long a push may wait to be written. A store that takes
// longer counts as down: the sender comes again, and had better know.
const keepWithin = 10 * time.Second

var receiveCall = call{
	tag: "webhooks", id: "receiveWebhook", proof: true, summary: "Take a tracking push",
	detail: "Where Shiprocket pushes to. 200 means that the push is on disk; it is worked off afterwards. An AWB or status that nobody knows " +
		"is no error. /api/webhooks/courier and /api/webhooks/shiprocket are the same: Shiprocket's form refuses the second.",
	body: json.RawMessage{},
	example: `{"awb":"19041424751540","courier_name":"Delhivery Surface","current_status":"IN TRANSIT","current_timestamp":"20 11 2026 11:43:52",` +
		`"order_id":"WB-1001","sr_order_id":348456385,"etd":"2026-11-23 18:00:00","scans":[{"date":"2026-11-20 11:43:46",` +
		`"activity":"Bag received at hub","location":"Bhiwandi","sr-status":"18"}]}`,
	answers: []answered{bare(received{}).like(`{"success":true,"message":"Webhook received and queued for processing",` +
		`"eventId":"19041424751540-IN_TRANSIT-20_11_2026_11_43_52"}`)},
	fails: []tracking.Code{"rate_limited"},
}

// POST /api/webhooks/shiprocket and /api/webhooks/courier
//
// 200 once the push is durable; 401 and 403 for a sender that is not proven or
// not on the list, 429 for one that fails too often; 400 for what is not JSON;
// 408, 413, 503.
//
// The headers are judged first: all who come without a good token are answered
// before a byte of their body is read. Only a signature needs the body, and
// then a large one needs a place.
func (a *API) receiveWebhook(w http.ResponseWriter, r *http.Request) error {
	peer := a.peers.of(r)
	proven, err := a.opts.Inbox.Screen(r.Header)
	if err != nil {
		return a.refuse(w, peer, err)
	}
	var room place
	defer room.release()
	var more func() error
	if proven {
		settle(r)
	} else {
		more = func() error { return a.large.take(&room, peer) }
	}
	body, err := readBodyIn(w, r, maxWebhookBytes, more)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), keepWithin)
	defer cancel()
	receipt, err := a.opts.Inbox.Receive(ctx, inbox.Push{Body: body, Header: r.Header, Peer: peer, Proven: func() { settle(r) }})
	if tracking.ErrorCode(err) == tracking.Unauthorized {
		return a.refuse(w, peer, err)
	}
	switch {
	case notKept(err) && r.Context().Err() == nil:
		return a.trouble.met(err, a.opts.Now())
	case err == nil, errors.Is(err, inbox.ErrAddress), errors.Is(err, inbox.ErrNotJSON):
		a.trouble.over(a.opts.Now())
	}
	if tracking.ErrorCode(err) == tracking.Forbidden {
		return a.refuse(w, peer, err)
	}
	if err != nil {
		return err
	}
	answer := received{Success: true, Message: "Webhook received and queued for processing", EventID: receipt.EventID}
	switch {
	case receipt.Ping:
		answer.Message = "Ping received"
	case receipt.Duplicate:
		answer.Message, answer.Status = "Event already processed", receipt.Status
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// refuse answers a sender that was not accepted. One without a proof is told
// why only so often.
func (a *API) refuse(w http.ResponseWriter, peer netip.Addr, err error) error {
	code := tracking.ErrorCode(err)
	if code == tracking.Unauthorized && !a.strangers.allow(peer, a.opts.Now()) {
		w.Header().Set("Retry-After", "10")
		w.Header().Set("Connection", "close")
		return errStranger
	}
	// The connection is kept if what is left of the body is there or all but.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
	writeJSON(w, status[code], refused{Message: tracking.ErrorMessage(err)})
	return nil
}

var probeCall = call{
	tag: "webhooks", id: "probeWebhook", summary: "Say that pushes are taken here", still: true,
	detail: "Shiprocket's form may look, with GET or HEAD, before it saves the address.", answers: []answered{bare(received{})},
}

// GET and HEAD /api/webhooks/shiprocket and /api/webhooks/courier
//
// Shiprocket's form may look whether the address answers before it saves it.
func (a *API) probeWebhook(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, received{Success: true, Message: "Waybill is listening for tracking pushes here"})
	return nil
}
