package store

import (
	"strconv"
	"strings"

	"github.com/webazaar/waybill/internal/inbox"
)

// A clause is a WHERE under construction.
type clause struct {
	terms []string
	args  []any
}

// arg adds a value and returns its placeholder.
func (c *clause) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *clause) add(term string) { c.terms = append(c.terms, term) }

// common adds what a filter says beside AWB, order and Q. A span of time is a
// span of ids.
func (c *clause) common(f Filter) {
	if f.Status != "" {
		c.add("w.status = " + c.arg(string(f.Status)))
	}
	if !f.From.IsZero() {
		c.add("w.id >= " + c.arg(idAt(f.From)))
	}
	if !f.To.IsZero() {
		c.add("w.id < " + c.arg(idAt(f.To)))
	}
}

// told adds what a filter says of why, and of whether that is settled.
func (c *clause) told(f Filter) {
	if f.Reason != "" {
		c.add("w.reason = " + c.arg(string(f.Reason)))
		if !f.commonReason() {
			c.add("w.reason NOT IN ('', 'nothing_new', 'same_event', 'ping')") // what the index is of
		}
	}
	if f.Dismissed != nil && *f.Dismissed {
		c.add("w.dismissed_at <> 0 AND w.dismissed_at = w.processed_at")
	} else if f.Dismissed != nil {
		c.add("(w.dismissed_at = 0 OR w.dismissed_at <> w.processed_at)")
	}
}

// led adds what an index leads to, or what so many rows have that they are soon
// found from the newest one; a status leads if nothing else does, as there is
// little that is neither pending nor processed.
func (c *clause) led(f Filter) {
	c.common(f)
	if !f.commonReason() {
		c.told(f)
	}
	odd := f.Status != "" && f.Status != inbox.Pending && f.Status != inbox.Processed
	if odd && f.Reason == "" && f.Dismissed == nil {
		c.add("w.status NOT IN ('pending', 'processed')")
	}
}

// rest adds what led leaves out.
func (c *clause) rest(f Filter) {
	c.like(f.Q)
	if f.commonReason() {
		c.told(f)
	}
}

// like adds that ids or the status word hold q.
func (c *clause) like(q string) {
	if q == "" {
		return
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q)) + "%"
	c.add(`LOWER(w.event_id || ' ' || w.awb || ' ' || w.sr_order_id || ' ' || w.order_number || ' ' || w.current_status) LIKE ` +
		c.arg(pattern) + ` ESCAPE '\'`)
}

// walk adds a filter without AWB and order, and says what to select from: the
// log or, for what no index leads to, its newest rows.
func (c *clause) walk(f Filter) (from string) {
	if !f.sparse() {
		c.led(f)
		return "webhooks w"
	}
	var within clause
	within.led(f)
	from = `(
			SELECT *
			FROM webhooks w` + within.where() + `
			ORDER BY id DESC
			LIMIT ` + within.arg(walked) + `) w`
	c.args = within.args
	c.rest(f)
	return from
}

func (c *clause) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return `
		WHERE ` + strings.Join(c.terms, ` AND `)
}
