package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// acts are the calls that the audit tells of, by their patterns. What such a
// call writes first is written together with its entry. One that hands
// something out and writes nothing calls record before it does.
var acts = map[string]access.Act{
	"POST /api/tokens":                            access.CreateToken,
	"DELETE /api/tokens/{id}":                     access.RevokeToken,
	"GET /api/webhooks/logs/{id}":                 access.UnmaskWebhook,
	"POST /api/webhooks/retry/{id}":               access.RetryWebhook,
	"POST /api/webhooks/dismiss":                  access.DismissWebhooks,
	"POST /api/webhooks/dismiss/{id}":             access.DismissWebhook,
	"GET /api/webhooks/export":                    access.ExportWebhooks,
	"POST /api/webhooks/replays":                  access.CreateReplay,
	"DELETE /api/webhooks/replays/{id}":           access.CancelReplay,
	"POST /api/webhooks/addresses":                access.AllowAddress,
	"DELETE /api/webhooks/addresses/{address...}": access.ForgetAddress,
	"POST /api/orders":                            access.RegisterOrder,
	"DELETE /api/orders/{id}/personal-data":       access.EraseOrder,
	"POST /api/orders/{id}/watch-token":           access.MakeWatchToken,
}

// recordWithin bounds how long a call that was refused waits for its entry.
const recordWithin = 5 * time.Second

// begin puts the act that a call is, if it is one, into its context.
func (a *API) begin(ctx context.Context, r *http.Request, pattern string) context.Context {
	act, ok := acts[pattern]
	if !ok || act == access.UnmaskWebhook && !unmasks(ctx, r) {
		return ctx
	}
	e := &access.Entry{At: a.opts.Now(), Actor: access.ActorOf(ctx), Act: act, Subject: asSubject(r.PathValue("id"))}
	if peer := a.peers.of(r); peer.IsValid() {
		e.Peer = peer.String()
	}
	return access.WithEntry(ctx, e)
}

// unmasks reports whether an admin asks for a body as it came.
func unmasks(ctx context.Context, r *http.Request) bool {
	return r.URL.Query().Get("unmasked") == "true" && access.ActorOf(ctx).Role == access.Admin
}

// concerning tells the audit what the act under way is about.
func concerning(r *http.Request, subject, detail string) {
	if e := access.EntryOf(r.Context()); e != nil {
		e.Subject, e.Detail = asSubject(subject), detail
	}
}

var subject = regexp.MustCompile(`^[A-Za-z0-9_#.:/-]{1,64}$`)

// asSubject lets ids pass and nothing else: what is no id may be anything.
func asSubject(s string) string {
	if subject.MatchString(s) {
		return s
	}
	return ""
}

// record keeps the act under way as done; what is then handed out was recorded.
func (a *API) record(r *http.Request) error {
	e := access.EntryOf(r.Context())
	if e == nil || e.ID != "" {
		return nil
	}
	return a.opts.Store.Record(r.Context(), e)
}

// conclude keeps an act that was not done, and why. One that was done is kept
// already, unless it changed nothing.
func (a *API) conclude(r *http.Request, err error) {
	e := access.EntryOf(r.Context())
	if e == nil || err == nil && e.ID != "" {
		return
	}
	last := *e
	last.ID, last.Outcome = "", access.Done
	if err != nil {
		if last.Outcome = outcome(err); last.Outcome == "" {
			return
		}
	}
	// Whoever asked may have gone; that he did is kept all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), recordWithin)
	defer cancel()
	if err := a.opts.Store.Record(ctx, &last); err != nil {
		a.log.ErrorContext(r.Context(), "audit.failed", "act", string(last.Act), "outcome", last.Outcome, "error", err)
	}
}

// outcome is why an act was not done; "" where it never came to be one, or
// where nothing can be kept.
func outcome(err error) string {
	if h, ok := errors.AsType[*httpError](err); ok {
		if h == errForbidden {
			return h.code
		}
		return ""
	}
	if code := tracking.ErrorCode(err); code != tracking.Unavailable {
		return string(code)
	}
	return ""
}

// auditRow is one act. Keys are always there, null when unknown.
type auditRow struct {
	ID      string        `json:"id"`
	At      time.Time     `json:"at"`
	Act     access.Act    `json:"act"`
	Subject tracking.Text `json:"subject"` // the id of what it concerns
	Detail  tracking.Text `json:"detail"`
	Outcome string        `json:"outcome"` // done, or the code of what stood in the way
	TokenID tracking.Text `json:"tokenId"` // null for ADMIN_TOKEN and the command line
	Actor   string        `json:"actor"`
	Role    access.Role   `json:"role"`
	Peer    tracking.Text `json:"peer"`
}

var listAuditCall = call{
	tag: "audit", id: "listAudit", summary: "What operators did, newest first",
	query: slices.Concat(pageParams, []param{
		cursorParam, {name: "act", about: "this kind alone", schema: enums[reflect.TypeFor[access.Act]()]},
	}, timeParams),
	answers: []answered{listing([]auditRow{})},
	fails:   []tracking.Code{tracking.Invalid},
}

// GET /api/audit?page&limit&act&from&to&cursor
//
// What operators did, newest first.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	number, limit, err := paging(q)
	if err != nil {
		return err
	}
	filter := store.AuditFilter{Act: access.Act(q.Get("act")), Before: q.Get("cursor")}
	if filter.From, err = when(q.Get("from"), "from"); err != nil {
		return err
	}
	if filter.To, err = when(q.Get("to"), "to"); err != nil {
		return err
	}
	found, err := a.opts.Store.Audit(r.Context(), filter, number, limit)
	if err != nil {
		return err
	}
	rows := make([]auditRow, 0, len(found.Entries))
	for _, e := range found.Entries {
		rows = append(rows, auditRow{
			ID: e.ID, At: e.At.UTC(), Act: e.Act, Subject: tracking.Text(e.Subject), Detail: tracking.Text(e.Detail), Outcome: e.Outcome,
			TokenID: tracking.Text(e.Actor.TokenID), Actor: e.Actor.Name, Role: e.Actor.Role, Peer: tracking.Text(e.Peer),
		})
	}
	listed := page{
		Success: true, Data: rows, Total: found.Total, TotalIsExact: found.TotalIsExact,
		TotalPages: (found.Total + limit - 1) / limit, CurrentPage: number,
	}
	if len(rows) == limit {
		listed.NextCursor = tracking.Text(rows[limit-1].ID)
	}
	writeJSON(w, http.StatusOK, listed)
	return nil
}
