package httpapi

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
)

// reasons are those that a filter may ask for.
var reasons = []inbox.Reason{
	inbox.UnknownOrder, inbox.Conflict, inbox.Placeholder, inbox.Address, inbox.NotJSON,
	inbox.Ping, inbox.NothingNew, inbox.Late, inbox.UnknownStatus, inbox.SameEvent,
}

// longestWanted is how long what is looked for may be. Nothing that is looked
// into is longer, and each hyphen of q is one more look-up.
const longestWanted = 400

// filterOf reads what a query says of which rows of the log are meant.
func filterOf(q url.Values) (store.Filter, error) {
	f := store.Filter{
		Status: inbox.Status(q.Get("status")), Reason: inbox.Reason(q.Get("reason")), Q: strings.TrimSpace(q.Get("q")),
		OrderID: q.Get("orderId"), AWB: q.Get("awb"),
	}
	switch {
	case f.Status != "" && !f.Status.Valid():
		return f, invalid("status must be one of pending, processed, failed, duplicate, ignored, parked, rejected")
	case f.Reason != "" && !slices.Contains(reasons, f.Reason):
		return f, invalid("reason must be one of the codes in docs/http-api.md, such as unknown_order or address")
	}
	for name, wanted := range map[string]string{"q": f.Q, "awb": f.AWB, "orderId": f.OrderID} {
		if len(wanted) > longestWanted || !utf8.ValidString(wanted) || strings.ContainsRune(wanted, 0) {
			return f, invalid(name + " must be a text of at most 400 bytes")
		}
	}
	switch s := q.Get("dismissed"); s {
	case "":
	case "true", "false":
		is := s == "true"
		f.Dismissed = &is
	default:
		return f, invalid("dismissed must be true or false")
	}
	var err error
	if f.From, err = when(q.Get("from"), "from"); err != nil {
		return f, err
	}
	f.To, err = when(q.Get("to"), "to")
	return f, err
}

// when reads a time: RFC 3339, or a day, which begins at midnight UTC.
func when(s, name string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, invalid(name + " must be a time like 2026-11-23T18:30:00Z or a day like 2026-11-23")
}
