package tracking

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Direction tells a parcel on its way to the buyer from a customer's return.
type Direction string

// Directions of a shipment.
const (
	Forward Direction = "forward"
	Return  Direction = "return"
)

// TimeSource says where the event time of a reading came from, strongest
// first.
type TimeSource string

// Sources of an event time.
const (
	FromScan      TimeSource = "scan"              // the newest scan's date
	FromDate      TimeSource = "date"              // the push's own `date`
	FromTimestamp TimeSource = "current_timestamp" // when the carrier handled the event
	FromReceipt   TimeSource = "receipt"           // when we got it: the body has no time
)

// Dated reports whether the time was told, rather than taken from the clock on
// receipt.
func (s TimeSource) Dated() bool { return s != FromReceipt }

// firm reports whether the time is of the event itself, not of its handling:
// only such evidence leads away from an end.
func (s TimeSource) firm() bool { return s == FromScan || s == FromDate }

// Identity is how a push names its parcel. Every field may be empty; all are
// text, trimmed, compared exactly.
type Identity struct {
	AWB string // the courier's number of this leg
	// ReturnAWB is the AWB of the leg back to the seller (return_awb_code).
	ReturnAWB string
	SR        string // Shiprocket's order id
	// MaybeSR is a lone all-digit order_id: the shop's number, but possibly
	// Shiprocket's id; tried only where the number matches nothing.
	MaybeSR    string
	Number     string // the shop's order number
	ChannelID  string // the sales channel that scopes Number; "" matches any
	ForwardRef string // a return's forward_order_id: a number or a Shiprocket id
	Direction  Direction
}

// Empty reports whether nothing in i can name a parcel.
func (i Identity) Empty() bool {
	return i.AWB == "" && i.SR == "" && i.Number == "" && i.ForwardRef == ""
}

// Facts are what a push tells beside the status. An empty field was not told
// and never overwrites one that was.
type Facts struct {
	Courier           string
	ETA               string    // estimated delivery, YYYY-MM-DD, the day in India
	DeliveredAt       time.Time // delivered_date, UTC
	UndeliveredReason string    // the courier's words, not scrubbed
	ProofOfDelivery   string    // "image", "otp", "available" or "none"
	Attempts          int       // delivery attempts made so far, as told
}

// Reading is one push as evidence: the status its header states, when that
// happened, and the facts told with it. Times are UTC.
type Reading struct {
	Identity
	Facts

	Milestone Milestone // "" when the status is not in any table
	Label     string    // canonical label, upper case; "" when unknown
	Raw       string    // the status word as it was sent

	EventTime  time.Time
	TimeSource TimeSource
	// ProcessedAt is current_timestamp: when the carrier handled the event.
	// Of repeats the earliest is kept. Zero when not told.
	ProcessedAt time.Time
	// RetoldAt is the latest current_timestamp of repeats of the same reading.
	RetoldAt   time.Time
	ReceivedAt time.Time // earliest receipt

	// Released says that the push takes its AWB back: NEW after failed
	// pickups, with no AWB assigned. The AWB is dead; no CANCELLED follows.
	Released bool
	// Registered marks what the shop itself told us: identity, no status.
	Registered bool

	key string // as in Order.Readings, set when the order is folded
}

// statusKey identifies the status statement of a reading: the same statement
// made twice is one. current_timestamp is in no key: a repeat may carry a new
// one.
func (r *Reading) statusKey() string {
	subject := "awb:" + r.AWB
	if r.AWB == "" {
		subject = "sr:" + cmp.Or(r.SR, r.MaybeSR)
		if r.SR == "" && r.MaybeSR == "" {
			subject = "no:" + r.Number
		}
	}
	when := "undated"
	if r.TimeSource.Dated() {
		when = strconv.FormatInt(r.EventTime.Unix(), 10)
	}
	what := string(r.Milestone) + "/" + r.Label
	if r.Milestone == "" {
		what = "?/" + string(appendFolded(nil, r.Raw))
	}
	if r.Registered {
		what = "registered"
	}
	return strings.Join([]string{subject, what, when, strconv.Itoa(r.Attempts)}, "|")
}

// Key identifies the reading in its order's evidence. Two readings with one
// key differ at most in when they were told and received.
func (r *Reading) Key() string {
	b := make([]byte, 0, 512)
	for _, s := range [...]string{
		r.statusKey(), r.SR, r.MaybeSR, r.Number, r.ChannelID, r.ForwardRef, r.ReturnAWB, string(r.Direction),
		string(r.TimeSource), r.Courier, r.ETA, r.UndeliveredReason, r.ProofOfDelivery,
	} {
		b = append(append(b, s...), 0)
	}
	b = appendUnix(b, r.DeliveredAt)
	b = strconv.AppendBool(b, r.Released)
	return digest(b)
}

// absorb takes in another telling of the same reading and reports whether
// anything changed. It commutes.
func (r *Reading) absorb(other *Reading) bool {
	before := *r
	r.ProcessedAt = earliest(r.ProcessedAt, other.ProcessedAt)
	r.RetoldAt = latest(latest(r.RetoldAt, other.RetoldAt), latest(r.ProcessedAt, other.ProcessedAt))
	r.ReceivedAt = earliest(r.ReceivedAt, other.ReceivedAt)
	if !r.TimeSource.Dated() {
		r.EventTime = r.ReceivedAt
	}
	// The spelling of one and the same word: any rule that commutes will do.
	r.Raw = min(r.Raw, other.Raw)
	return *r != before
}

// Scan is one thing a courier says happened.
type Scan struct {
	AWB      string
	SR       string
	MaybeSR  string
	Number   string
	At       time.Time // UTC
	Code     string    // the courier's own code
	Activity string    // the courier's words, not scrubbed
	Location string
	// Milestone is the scan's own sr-status, "" for information scans.
	Milestone Milestone
	Label     string // canonical label, upper case; "" for information scans
	Position  int    // place in the courier's list, oldest first

	key string // as in Order.Scans, set when the order is folded
}

// Key identifies the scan in its order's evidence. The sr-status is not part
// of it: its type and value drift between webhook and REST.
func (s *Scan) Key() string {
	subject := s.AWB
	if subject == "" {
		subject = cmp.Or(s.SR, s.MaybeSR, s.Number)
	}
	b := make([]byte, 0, 512)
	b = append(append(b, subject...), 0)
	b = append(appendUnix(b, s.At), 0)
	for _, part := range [...]string{s.Code, s.Activity, s.Location} {
		b = append(appendFolded(b, part), 0)
	}
	return digest(b)
}

// absorb takes in another telling of the same scan and reports whether
// anything changed. It commutes: a status beats none, then the further one.
func (s *Scan) absorb(other *Scan) bool {
	before := *s
	if other.Milestone.Rank() > s.Milestone.Rank() ||
		other.Milestone == s.Milestone && other.Label < s.Label && other.Label != "" ||
		s.Milestone == "" && other.Milestone != "" {
		s.Milestone, s.Label = other.Milestone, other.Label
	}
	s.Position = min(s.Position, other.Position)
	s.Code, s.Activity, s.Location = min(s.Code, other.Code), min(s.Activity, other.Activity), min(s.Location, other.Location)
	s.SR, s.MaybeSR, s.Number = told(s.SR, other.SR), told(s.MaybeSR, other.MaybeSR), told(s.Number, other.Number)
	return *s != before
}

// Evidence is everything one push (or one read of the carrier's API) says.
type Evidence struct {
	Reading Reading
	Scans   []Scan
}

// appendFolded appends s such that texts which differ only in case and blanks
// come out equal.
func appendFolded(b []byte, s string) []byte {
	blank := false
	begun := len(b)
	for _, r := range s {
		if unicode.IsSpace(r) {
			blank = len(b) > begun
			continue
		}
		if blank {
			b, blank = append(b, ' '), false
		}
		switch {
		case r < utf8.RuneSelf && (r < 'A' || r > 'Z'):
			b = append(b, byte(r))
		case r < utf8.RuneSelf:
			b = append(b, byte(r)|0x20)
		default:
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
	}
	return b
}

// digest is short enough for a key and long enough never to collide.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// told chooses between two tellings of one field: something beats nothing,
// and of two different ones the smaller, so that the choice commutes.
func told(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return min(a, b)
}

func appendUnix(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return strconv.AppendInt(b, t.Unix(), 10)
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
