package access

import (
	"context"
	"time"
)

// An Act is what an operator does, as the audit calls it: noun.verb.
type Act string

// The acts of this service's calls.
const (
	CreateToken      Act = "token.create"
	RevokeToken      Act = "token.revoke"
	RetryWebhook     Act = "webhook.retry"
	UnmaskWebhook    Act = "webhook.unmask"
	DismissWebhook   Act = "webhook.dismiss"
	DismissWebhooks  Act = "webhooks.dismiss"
	PreviewDismissal Act = "webhooks.dismiss_preview"
	ExportWebhooks   Act = "webhooks.export"
	PreviewReplay    Act = "replay.preview"
	CreateReplay     Act = "replay.create"
	CancelReplay     Act = "replay.cancel"
	AllowAddress     Act = "address.allow"
	ForgetAddress    Act = "address.forget"
	RegisterOrder    Act = "order.register"
	EraseOrder       Act = "order.erase"
	MakeWatchToken   Act = "order.watch_token"
)

// Done is the outcome of an act that was carried out; otherwise it is the code
// of the error that stood in the way.
const Done = "done"

// An Entry is one act in the audit. It holds no secret and nothing about a
// person but the name an operator gave his token.
type Entry struct {
	ID      string // time-ordered; "" until the entry is kept
	At      time.Time
	Actor   Actor
	Act     Act
	Subject string // the id of what it concerns
	Detail  string // in a few words, "" when there is nothing to add
	Peer    string // address of who asked, "" for the command line
	Outcome string
}

// WithEntry is ctx of an act under way. The store keeps the entry in the first
// transaction that writes with this ctx, as done: act and entry happen
// together or not at all. What writes nothing has to be kept by itself, before
// it is done.
func WithEntry(ctx context.Context, e *Entry) context.Context {
	return context.WithValue(ctx, entryKey, e)
}

// EntryOf is the act under way in ctx, nil when there is none.
func EntryOf(ctx context.Context) *Entry {
	e, _ := ctx.Value(entryKey).(*Entry)
	return e
}
