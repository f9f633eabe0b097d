package httpapi

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// exported is a row of the log with its body.
type exported struct {
	webhookRow
	Body json.RawMessage `json:"body"`
}

// exportStall is how long a client may take to read a part before it counts as
// gone: the server's own limit is for answers that come at once.
const exportStall = 30 * time.Second

var errCutShort = errors.New("the service is stopping")

// An exportFormat writes rows one by one.
type exportFormat interface {
	begin() error
	row(e *exported) error
	flush() error
}

var exportWebhooksCall = call{
	tag: "log", id: "exportWebhooks", summary: "The log as a download, oldest first",
	detail: "One JSON object a line, or CSV with a line of names. An answer that was cut off does not end well.",
	query: slices.Concat([]param{
		{name: "format", about: "how the rows are written", schema: object{"type": "string", "enum": []any{"ndjson", "csv"}, "default": "ndjson"}},
		unmaskedParam,
	}, filterParams),
	answers: []answered{{data: exported{}, in: inLines}},
	fails:   []tracking.Code{tracking.Invalid},
}

// GET /api/webhooks/export?format=ndjson|csv&unmasked and the log's filters
//
// All rows that the filters choose, oldest first, as they are read: it takes as
// much memory as a few hundred of them. An answer that is cut off is one that
// does not end well, so that nobody takes half of it for all.
func (a *API) exportWebhooks(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	filter, err := filterOf(q)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	var format exportFormat
	contentType, ending := "application/x-ndjson", "ndjson"
	switch q.Get("format") {
	case "", "ndjson":
		format = &ndjson{json.NewEncoder(out)}
	case "csv":
		format = &spreadsheet{csv.NewWriter(out)}
		contentType, ending = "text/csv; charset=utf-8", "csv"
	default:
		return invalid("format must be ndjson or csv")
	}
	unmasked := unmasks(r.Context(), r)
	what := ending
	if unmasked {
		what += ", unmasked"
	}
	concerning(r, "", what)
	if err := a.record(r); err != nil {
		return err
	}

	h := w.Header()
	begun := false
	begin := func() error {
		begun = true
		h.Set("Content-Type", contentType)
		h.Set("Content-Disposition", `attachment; filename="webhooks-`+a.opts.Now().UTC().Format(time.DateOnly)+"."+ending+`"`)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Accel-Buffering", "no")
		return format.begin()
	}
	control := http.NewResponseController(w)
	err = a.opts.Store.Export(r.Context(), filter, func(rows []inbox.Webhook) error {
		if a.draining.Load() {
			return errCutShort
		}
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		_ = control.SetWriteDeadline(time.Now().Add(exportStall)) // where there are none, nobody stalls
		for i := range rows {
			if err := format.row(asExported(&rows[i], unmasked)); err != nil {
				return err
			}
		}
		if err := errors.Join(format.flush(), out.Flush()); err != nil {
			return err
		}
		_ = control.Flush()
		return nil
	})
	// To have found nothing for a while is no fault of the reader's: from the last
	// row to the end of the log, or from its beginning, can be far.
	_ = control.SetWriteDeadline(time.Now().Add(exportStall))
	switch {
	case err == nil && !begun:
		err = errors.Join(begin(), format.flush(), out.Flush())
	case err == nil:
		return nil
	case !begun:
		return err
	}
	if err != nil {
		if r.Context().Err() == nil {
			a.log.WarnContext(r.Context(), "export.ended_early", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

func asExported(w *inbox.Webhook, unmasked bool) *exported {
	e := &exported{webhookRow: asRow(w)}
	if w.Body != nil {
		e.Body = bodyAsJSON(w.Body, unmasked)
	}
	return e
}

type ndjson struct{ *json.Encoder }

func (n *ndjson) begin() error          { return nil }
func (n *ndjson) row(e *exported) error { return n.Encode(e) }
func (n *ndjson) flush() error          { return nil }

type spreadsheet struct{ *csv.Writer }

func (s *spreadsheet) begin() error {
	return s.Write([]string{
		"id", "eventId", "eventType", "status", "reason", "result", "error", "attempts", "awb", "srOrderId", "orderNumber", "orderId", "peer", "auth",
		"flags", "receivedAt", "processedAt", "nextAttemptAt", "duplicateOf", "dismissedAt", "dismissedNote", "body",
	})
}

func (s *spreadsheet) row(e *exported) error {
	cells := []string{
		e.ID, e.EventID, string(e.EventType), string(e.Status), string(e.Reason), string(e.Result), string(e.Error), strconv.Itoa(e.Attempts),
		string(e.AWB), string(e.SROrderID), string(e.OrderNumber), string(e.OrderID), string(e.Peer), string(e.Auth),
		string(e.Flags), timeCell(&e.ReceivedAt), timeCell(e.ProcessedAt), timeCell(e.NextAttemptAt), string(e.DuplicateOf),
		timeCell(e.DismissedAt), string(e.DismissedNote), string(e.Body),
	}
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	return s.Write(cells)
}

func (s *spreadsheet) flush() error {
	s.Flush()
	return s.Error()
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// harmless keeps a spreadsheet from taking what a sender wrote for a formula.
func harmless(cell string) string {
	if strings.HasPrefix(strings.TrimLeft(cell, " "), "'") || strings.IndexAny(strings.TrimLeft(cell, " "), "=+-@\t\r\n＝＋－＠") != 0 {
		return cell
	}
	return "'" + cell
}
