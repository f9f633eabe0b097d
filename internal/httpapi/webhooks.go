package httpapi

import (
	"bytes"
	"errors"
	"net/http"

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

// POST /api/webhooks/shiprocket and /api/webhooks/courier
//
// 200 once the push is durable; 401 and 403 for a sender that is not proven or
// not on the list; 400 for what is not JSON; 413, 503.
func (a *API) receiveWebhook(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxWebhookBytes)
	if err != nil {
		return err
	}
	receipt, err := a.opts.Inbox.Receive(r.Context(), inbox.Push{Body: body, Header: r.Header, Peer: a.peers.of(r)})
	if e, ok := errors.AsType[*tracking.Error](err); ok && (e.Code == tracking.Unauthorized || e.Code == tracking.Forbidden) {
		writeJSON(w, status[e.Code], refused{Message: e.Message})
		return nil
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

// GET and HEAD /api/webhooks/shiprocket and /api/webhooks/courier
//
// Shiprocket's form may look whether the address answers before it saves it.
func (a *API) probeWebhook(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, received{Success: true, Message: "Waybill is listening for tracking pushes here"})
	return nil
}

// readBody reads a request's body whole, or answers 413 past the limit.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	// The length is a hint to size the buffer by; what is read decides.
	var b bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= limit {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, &tracking.Error{Code: tracking.Invalid, Message: "the body ended early", Err: err}
	}
	return b.Bytes(), nil
}
