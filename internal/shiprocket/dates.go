package shiprocket

import (
	"bytes"
	"time"
)

// dateWatch finds the newest scan of a list while the list is walked, without
// reading anything else of it.
type dateWatch struct {
	list []byte // the list that was watched last
	date value  // of the scan that is being walked
	best value
	at   time.Time
}

// newest is the date of the newest scan in list, as sent and as read, whatever
// the time of receipt: a repeat of the body has the same one. Dates that cannot
// be an event's are passed over; with none left it is "" and zero.
func (w *dateWatch) newest(list value) (sent string, at time.Time) {
	if len(w.list) == 0 || len(list.raw) == 0 || &w.list[0] != &list.raw[0] {
		*w = dateWatch{}
		list.eachScan(w.member, w.element)
	}
	if w.at.IsZero() {
		return "", w.at
	}
	return w.best.word(), w.at
}

// scans walks the list of scans at the cursor, watching.
func (w *dateWatch) scans(c *cursor) (value, bool) {
	*w = dateWatch{}
	from := c.at
	ok := c.elements(2, w.member, w.element)
	w.list = c.data[from:c.at]
	return value{raw: w.list, kind: array}, ok
}

func (w *dateWatch) member(key, v value) {
	name, exact := key.chars(), true
	if !key.plain {
		name, exact = spelling(key)
	}
	if len(name) == len("date") && bytes.EqualFold(name, []byte("date")) {
		w.date.put(v, exact && string(name) == "date")
	}
}

func (w *dateWatch) element(value) {
	if t, ok := w.date.plausibleTime(); ok && t.After(w.at) {
		w.best, w.at = w.date, t
	}
	w.date = value{}
}
