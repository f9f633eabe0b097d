package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// webhookRow is one row of the webhook log. Keys are always there, null when
// unknown.
type webhookRow struct {
	ID            string        `json:"id"`
	EventID       string        `json:"eventId"`
	EventType     tracking.Text `json:"eventType"` // the status word as sent
	Status        inbox.Status  `json:"status"`
	Reason        tracking.Text `json:"reason"`
	Result        tracking.Text `json:"result"`
	Error         tracking.Text `json:"error"`
	Attempts      int           `json:"attempts"`
	AWB           tracking.Text `json:"awb"`
	SROrderID     tracking.Text `json:"srOrderId"`
	OrderNumber   tracking.Text `json:"orderNumber"`
	OrderID       tracking.Text `json:"orderId"`
	Peer          tracking.Text `json:"peer"`
	Auth          tracking.Text `json:"auth"`
	Flags         tracking.Text `json:"flags"` // unlisted_address, erased
	ReceivedAt    time.Time     `json:"receivedAt"`
	ProcessedAt   *time.Time    `json:"processedAt"`
	NextAttemptAt *time.Time    `json:"nextAttemptAt"`
	DuplicateOf   tracking.Text `json:"duplicateOf"`
	DismissedAt   *time.Time    `json:"dismissedAt"`
	DismissedNote tracking.Text `json:"dismissedNote"`
}

// webhookWhole is a row with all that is kept of it.
type webhookWhole struct {
	webhookRow
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"` // as JSON; as a JSON string when it is not; null when not kept
	Reading *reading          `json:"reading"`
	Tries   []inbox.Try       `json:"tries"`
}

// reading is what Waybill makes of a body, so that an operator can see why.
type reading struct {
	Kind       string             `json:"kind"`
	Milestone  tracking.Milestone `json:"milestone"`
	Label      tracking.Text      `json:"label"`
	Direction  tracking.Direction `json:"direction"`
	EventTime  *time.Time         `json:"eventTime"`
	TimeSource tracking.Text      `json:"timeSource"`
	Scans      int                `json:"scans"`
	Faults     []string           `json:"faults"`
}

// page is the answer of calls that list.
type page struct {
	Success      bool          `json:"success"`
	Data         any           `json:"data"`
	Total        int           `json:"total"`
	TotalIsExact bool          `json:"totalIsExact"`
	TotalPages   int           `json:"totalPages"`
	CurrentPage  int           `json:"currentPage"`
	NextCursor   tracking.Text `json:"nextCursor"` // for ?cursor=: deep pages stay fast
}

var listWebhooksCall = call{
	tag: "log", id: "listWebhooks", summary: "The webhook log, newest first",
	query: slices.Concat(pageParams, []param{cursorParam}, filterParams), answers: []answered{listing([]webhookRow{})},
	fails: []tracking.Code{tracking.Invalid},
}

// GET /api/webhooks/logs?page&limit&status&reason&q&orderId&awb&from&to&dismissed&cursor
//
// The log, newest first.
func (a *API) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	number, limit, err := paging(q)
	if err != nil {
		return err
	}
	filter, err := filterOf(q)
	if err != nil {
		return err
	}
	filter.Before = q.Get("cursor")
	found, err := a.opts.Store.Webhooks(r.Context(), filter, number, limit)
	if err != nil {
		return err
	}
	rows := make([]webhookRow, 0, len(found.Rows))
	for i := range found.Rows {
		rows = append(rows, asRow(&found.Rows[i]))
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

var showWebhookCall = call{
	tag: "log", id: "showWebhook", summary: "One row of the log, with its body", subject: "the row's id",
	detail: "Riders and buyers are masked in the body, unless an admin asks for it as it came.",
	query:  []param{unmaskedParam}, answers: []answered{giving(webhookWhole{})}, fails: []tracking.Code{tracking.NotFound},
}

// GET /api/webhooks/logs/{id}
//
// One row with body, headers, reading and tries. The body's personal data is
// masked, unless an admin asks with ?unmasked=true.
func (a *API) showWebhook(w http.ResponseWriter, r *http.Request) error {
	row, err := a.opts.Store.Webhook(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	unmasked := unmasks(r.Context(), r)
	if unmasked {
		if err := a.record(r); err != nil {
			return err
		}
	}
	whole := webhookWhole{webhookRow: asRow(&row), Headers: row.Headers, Tries: row.Tries}
	if whole.Headers == nil {
		whole.Headers = map[string]string{}
	}
	if whole.Tries == nil {
		whole.Tries = []inbox.Try{}
	}
	if row.Body != nil {
		if push, err := shiprocket.Interpret(row.Body, row.ReceivedAt); err == nil {
			whole.Reading = asReading(&push)
		}
		whole.Body = bodyAsJSON(row.Body, unmasked)
	}
	return answer(w, whole)
}

var retryWebhookCall = call{
	tag: "log", id: "retryWebhook", summary: "Put a failed, parked or rejected push back to work", subject: "the row's id",
	query:   []param{{name: "force", about: "true: a processed one too", schema: truth}},
	answers: []answered{saying("Webhook reprocessing initiated", webhookRow{})},
	fails:   []tracking.Code{tracking.Invalid, tracking.NotFound},
}

// POST /api/webhooks/retry/{id}?force
//
// Puts a failed, parked or rejected row back to work; with force a processed
// one too.
func (a *API) retryWebhook(w http.ResponseWriter, r *http.Request) error {
	force := r.URL.Query().Get("force") == "true"
	id := r.PathValue("id")
	if force {
		concerning(r, id, "force")
	}
	if err := a.opts.Store.Retry(r.Context(), id, force); err != nil {
		return err
	}
	a.opts.Inbox.Wake()
	row, err := a.opts.Store.Webhook(r.Context(), id)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, success{Success: true, Message: "Webhook reprocessing initiated", Data: asRow(&row)})
	return nil
}

func asRow(w *inbox.Webhook) webhookRow {
	return webhookRow{
		ID: w.ID, EventID: w.EventID, EventType: tracking.Text(w.CurrentStatus), Status: w.Status,
		Reason: tracking.Text(w.Reason), Result: tracking.Text(w.Result), Error: tracking.Text(w.Error), Attempts: w.Attempts,
		AWB: tracking.Text(w.AWB), SROrderID: tracking.Text(w.SROrderID), OrderNumber: tracking.Text(w.OrderNumber),
		OrderID: tracking.Text(w.OrderID), Peer: tracking.Text(w.Peer), Auth: tracking.Text(w.Auth), Flags: tracking.Text(w.Flags),
		ReceivedAt: w.ReceivedAt.UTC(), ProcessedAt: timeOrNull(w.ProcessedAt), NextAttemptAt: timeOrNull(w.NextAttemptAt),
		DuplicateOf: tracking.Text(w.DuplicateOf),
		DismissedAt: timeOrNull(w.DismissedAt), DismissedNote: tracking.Text(w.DismissedNote),
	}
}

func asReading(p *shiprocket.Push) *reading {
	r := &p.Evidence.Reading
	view := &reading{
		Kind: string(p.Kind), Milestone: r.Milestone, Label: tracking.Text(r.Label), Direction: r.Direction,
		EventTime: timeOrNull(r.EventTime), TimeSource: tracking.Text(r.TimeSource), Scans: len(p.Evidence.Scans), Faults: []string{},
	}
	for _, f := range p.Faults {
		view.Faults = append(view.Faults, string(f.Code)+" "+f.Field)
	}
	return view
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// positive reads a whole number from 1; past most it is cut to most.
// paging reads which page of a list is asked for, and how long it is.
func paging(q url.Values) (number, limit int, err error) {
	if number, err = positive(q, "page", 1, 1_000_000); err != nil {
		return 0, 0, err
	}
	limit, err = positive(q, "limit", 50, 200)
	return number, limit, err
}

func positive(q url.Values, name string, otherwise, most int) (int, error) {
	s := q.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, invalid(name + " must be a whole number from 1")
	}
	return min(n, most), nil
}

func invalid(message string) error {
	return &tracking.Error{Code: tracking.Invalid, Message: message}
}
