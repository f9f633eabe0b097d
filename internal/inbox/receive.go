package inbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// Push is one request to the webhook endpoint as it came.
type Push struct {
	Body   []byte
	Header http.Header
	Peer   netip.Addr
	// Proven, if there is one, is called when the sender is proved, before
	// anything is kept.
	Proven func()
}

// Receipt is what a push is answered with.
type Receipt struct {
	EventID   string
	Ping      bool
	Duplicate bool
	Status    Status // of the original, when Duplicate
}

// Refusals of a push. Their messages are part of the contract.
var (
	ErrSignature = &tracking.Error{Code: tracking.Unauthorized, Message: "Unauthorized: Invalid signature"}
	ErrToken     = &tracking.Error{Code: tracking.Unauthorized, Message: "Unauthorized: Invalid webhook token"}
	ErrAddress   = &tracking.Error{Code: tracking.Forbidden, Message: "Forbidden: Unauthorized IP address"}
	ErrNotJSON   = &tracking.Error{Code: tracking.Invalid, Message: "the body is not a JSON object; it was kept for inspection"}
)

// Results of rows that have nothing to apply.
const (
	ping    = "a test push of the panel: nothing to apply"
	notJSON = "the body is not a JSON object"
)

// Screen judges a push before its body is read. The error is ErrSignature or
// ErrToken for a sender whom no body could prove; proven is true if the headers
// alone prove him. If neither, the body decides.
func (i *Inbox) Screen(h http.Header) (proven bool, err error) {
	proof, err := i.opts.Verifier.Screen(h)
	if err != nil {
		err = refusal(err)
		i.metrics.refused(outcome(Receipt{}, err))
	}
	return proof.Method != "", err
}

func refusal(err error) error {
	if errors.Is(err, shiprocket.InvalidSignature) {
		return ErrSignature
	}
	return ErrToken
}

// Receive proves the sender and keeps the push. When it returns a Receipt, the
// row is durable. The refusals are ErrSignature and ErrToken (nothing is kept),
// ErrAddress and ErrNotJSON (the row is kept as rejected); Unavailable means
// that nothing could be written and the sender should come again.
func (i *Inbox) Receive(ctx context.Context, p Push) (Receipt, error) {
	began := time.Now()
	receipt, proof, err := i.receive(ctx, p)
	i.metrics.received(outcome(receipt, err), proof, time.Since(began))
	return receipt, err
}

func (i *Inbox) receive(ctx context.Context, p Push) (Receipt, string, error) {
	proof, err := i.opts.Verifier.Verify(p.Header, p.Body)
	if err != nil {
		return Receipt{}, "none", refusal(err)
	}
	if p.Proven != nil {
		p.Proven()
	}
	method := string(proof.Method)
	now := i.opts.Now().UTC()
	w := Webhook{
		ReceivedAt: now, Peer: p.Peer.String(), Auth: method, Headers: keptHeaders(p.Header),
		Body: p.Body, BodySHA256: sha256.Sum256(p.Body), Status: Pending,
	}
	head, headErr := shiprocket.ReadHead(p.Body, now)
	w.EventID = head.EventID
	w.Head = Head{
		AWB: head.AWB, SROrderID: head.SROrderID, OrderNumber: head.OrderNumber,
		CurrentStatus: head.CurrentStatus, EventTime: head.EventTime,
	}
	if headErr == nil && !head.Ping && !head.IsObject {
		headErr = shiprocket.ErrNotObject
	}
	listed := i.opts.Addresses == nil || i.opts.Addresses.Contains(p.Peer)
	switch {
	case !listed && !i.opts.WarnAddress:
		w.Status, w.Reason = Rejected, Address
		w.Result = "its sender proved itself, but " + w.Peer + " is not on the list of allowed addresses; allow the address to release it"
	case headErr != nil:
		w.Status, w.Reason, w.Result = Rejected, NotJSON, notJSON
	case head.Ping:
		w.Status, w.Reason, w.Result, w.ProcessedAt = Ignored, Ping, ping, now
	case !listed:
		w.Flags = "unlisted_address"
	}
	if !listed {
		i.metrics.unlisted()
		i.log.Warn("webhook.unlisted_address", "peer", w.Peer, "kept_as", string(w.Status))
	}
	kept, err := i.opts.Log.Append(ctx, w)
	if err != nil {
		return Receipt{}, method, err
	}
	switch {
	case w.Reason == Address:
		return Receipt{}, method, ErrAddress
	case w.Reason == NotJSON:
		return Receipt{}, method, ErrNotJSON
	}
	i.metrics.pushed(now)
	if !kept.Duplicate && w.Status == Pending {
		i.Wake()
	}
	return Receipt{EventID: kept.EventID, Ping: head.Ping, Duplicate: kept.Duplicate, Status: kept.Status}, method, nil
}

// keptHeaders are those worth keeping with a row. Proofs of the sender are
// never among them.
func keptHeaders(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Content-Type", "User-Agent", "X-Request-Id", "X-Forwarded-For", "Cf-Connecting-Ip", "Date"} {
		if v := h.Get(name); v != "" {
			kept[name] = v[:min(len(v), 200)]
		}
	}
	return kept
}

// Outcomes of pushes that were not kept: they could not be, or their sender did
// not wait for his answer.
const (
	refusing = "unavailable"
	gone     = "gone"
)

func outcome(r Receipt, err error) string {
	switch {
	case err == nil && r.Ping:
		return "ping"
	case err == nil && r.Duplicate:
		return "duplicate"
	case err == nil:
		return "queued"
	case errors.Is(err, ErrSignature):
		return "bad_signature"
	case errors.Is(err, ErrToken):
		return "bad_token"
	case errors.Is(err, ErrAddress):
		return "bad_address"
	case errors.Is(err, ErrNotJSON):
		return "not_json"
	case errors.Is(err, context.Canceled):
		return gone
	}
	return refusing
}
