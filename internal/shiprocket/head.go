package shiprocket

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// Head is what intake reads of a push: what its event id is made of and what
// the log is searched by. Texts are at most 100 characters each.
type Head struct {
	// EventID is {awb}-{status}-{timestamp} in the characters A-Z, a-z, 0-9,
	// "-" and "_". It is made of the body alone: a repeat has the same one.
	EventID       string
	AWB           string
	SROrderID     string
	OrderNumber   string
	CurrentStatus string // the status word as sent, "" when only numbers were
	// EventTime is when the event happened, in UTC. It is made of the body alone,
	// except that a body that tells no time has the beginning of the UTC day of
	// its receipt.
	EventTime time.Time
	Ping      bool // a trial of the panel or of a probe: about no parcel
	IsJSON    bool // false for an empty body, which is a ping all the same
	IsObject  bool // the body is a JSON object, as every push is
}

// ReadHead reads the head of a push. The error is ErrNotJSON or ErrTooDeep; the
// head then still has an event id and time to keep the body under.
func ReadHead(body []byte, receivedAt time.Time) (Head, error) {
	head := Head{EventTime: receivedAt.UTC().Truncate(24 * time.Hour)}
	var dates dateWatch
	f, err := readFields(body, &dates)
	if errors.Is(err, ErrNotObject) { // JSON, with nothing to read in it
		head.IsJSON, err = true, nil
		f = fields{}
	} else if err == nil {
		head.IsJSON = !blank(body)
		head.IsObject = head.IsJSON
		id := f.identity()
		head.AWB, head.SROrderID, head.OrderNumber = id.AWB, id.SR, id.Number
		head.CurrentStatus = f.statusWord()
		head.Ping = f.ping(&id)
	}
	sent, at := dates.newest(f.scanList())
	for _, slot := range []field{fDate, fCurrentTimestamp, fTimestamp, fUpdatedAt} {
		if at.IsZero() {
			at, _ = f[slot].plausibleTime()
		}
	}
	if !at.IsZero() {
		head.EventTime = at.UTC()
	}
	head.EventID = f.eventID(head.AWB, sent, body)
	return head, err
}

// eventID is {awb}-{status}-{timestamp}, each with its fallbacks: any push has
// one, and two different pushes rarely the same.
func (f *fields) eventID(awb, newestScan string, body []byte) string {
	if awb == "" {
		awb = f.id(fSROrderID, fShiprocketOrderID, fOrderID)
	}
	status := f.first(value.word, fCurrentStatus, fShipmentStatus, fCurrentStatusID, fStatus)
	when := f[fCurrentTimestamp].word()
	if when == "" {
		when = newestScan
	}
	if when == "" {
		when = f.first(value.word, fTimestamp, fUpdatedAt)
	}
	if when == "" {
		sum := sha256.Sum256(body)
		when = hex.EncodeToString(sum[:6])
	}
	var id strings.Builder
	id.Grow(len(awb) + len(status) + len(when) + 10)
	for i, part := range [...]string{awb, status, when} {
		if i > 0 {
			id.WriteByte('-')
		}
		if part == "" {
			part = "none"
		}
		for _, r := range part {
			if r >= 0x80 || !idChar[r] {
				r = '_'
			}
			id.WriteByte(byte(r))
		}
	}
	return id.String()
}

var idChar = func() (t [0x80]bool) {
	for b := range t {
		t[b] = b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b == '-'
	}
	return t
}()

// statusWord is the push's status as it was sent, in words: a field that holds
// a number only says nothing here.
func (f *fields) statusWord() string {
	for _, slot := range []field{fCurrentStatus, fShipmentStatus, fStatus} {
		if s := f[slot].word(); s != "" && !allDigits(s) {
			return s
		}
	}
	return ""
}

func blank(body []byte) bool {
	c := cursor{data: body}
	c.blanks()
	return c.at == len(body)
}
