package httpapi

import (
	"net/http"
	"reflect"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// A call is what the API's description tells of a route that speaks JSON. It
// stands beside the route's handler and names the types that the handler
// decodes and encodes.
type call struct {
	id, tag string
	summary string // in a few words, without a full stop
	detail  string
	proof   bool // a webhook's sender is proved, in its own ways
	still   bool // it asks nobody, and cannot fail
	etag    bool
	subject string // what {id} and the like are
	query   []param
	form    []param // fields of a form that is sent; none for JSON

	body    any      // of the type that is decoded; nil if nothing is sent
	needed  []string // fields of it that may not be left out; without any the body may be
	example string   // of what is sent, as JSON

	answers []answered
	fails   []tracking.Code // beyond those that any call of its kind may have
}

// A param is one of a query or a form.
type param struct {
	name, about string
	schema      object // nil: a string
	needed      bool
}

// answered is one form of a call's good answer.
type answered struct {
	data    any // of the type that is encoded; nil is null
	in      envelope
	message string // said beside the data
	example string // of the whole answer, as JSON
}

// envelope is what an answer's data stands in.
type envelope int

const (
	inSuccess envelope = iota
	inPage             // a list of data
	inNothing          // data is the whole answer
	inLines            // one of data a line
)

func (a answered) like(example string) answered { a.example = example; return a }

func giving(data any) answered              { return answered{data: data} }
func saying(message string, d any) answered { return answered{data: d, message: message} }
func listing(data any) answered             { return answered{data: data, in: inPage} }
func bare(data any) answered                { return answered{data: data, in: inNothing} }

// httpFailures are the failures that are HTTP's own.
var httpFailures = []*httpError{errTooLarge, errTooMany, errTooSlow, errFull, errUnauthorized, errForbidden, errNoSuchPath}

// statusOf is the HTTP status that a code is answered with.
func statusOf(code tracking.Code) int {
	if n, ok := status[code]; ok {
		return n
	}
	for _, e := range httpFailures {
		if e.code == string(code) {
			return e.status
		}
	}
	return http.StatusInternalServerError
}

// Parameters that several calls take.
var (
	truth      = object{"type": "boolean"}
	pageParams = []param{
		{name: "page", about: "from 1", schema: object{"type": "integer", "minimum": 1, "default": 1}},
		{name: "limit", about: "how many to a page; more than 200 are cut to 200", schema: object{"type": "integer", "minimum": 1, "default": 50}},
	}
	timeParams = []param{
		{name: "from", about: "from then on; a time (RFC 3339) or a day (UTC)"},
		{name: "to", about: "before then; a time (RFC 3339) or a day (UTC)"},
	}
	cursorParam   = param{name: "cursor", about: "nextCursor of the page before: fast however deep"}
	unmaskedParam = param{name: "unmasked", about: "true: an admin sees riders and buyers in the body; the audit tells of it", schema: truth}
	filterParams  = append([]param{
		{name: "status", about: "what has become of the push", schema: enums[reflect.TypeFor[inbox.Status]()]},
		{name: "reason", about: "why, in a code; nothing_new among the newest 10,000 rows", schema: oneOf(reasons...)},
		{name: "dismissed", about: "true: what an operator has dismissed; false: all else", schema: truth},
		{name: "awb", about: "exact"},
		{name: "orderId", about: "exact"},
		{name: "q", about: "an id, an AWB or an order number; else part of an id or of the status word"},
	}, timeParams...)
)
