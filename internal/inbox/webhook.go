package inbox

import (
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Status is what has become of a webhook.
type Status string

// Statuses of a webhook.
const (
	Pending   Status = "pending"
	Processed Status = "processed"
	Failed    Status = "failed" // gave up; can be retried
	Duplicate Status = "duplicate"
	Ignored   Status = "ignored"  // a ping
	Parked    Status = "parked"   // kept until someone or something resolves it
	Rejected  Status = "rejected" // proven, but refused: not on the address list, or not JSON
)

// Reason is a stable code for why a webhook is not plainly processed.
type Reason string

// Reasons.
const (
	NoReason      Reason = ""
	UnknownOrder  Reason = "unknown_order"
	Conflict      Reason = "conflict"
	Placeholder   Reason = "placeholder"
	Address       Reason = "address"
	NotJSON       Reason = "not_json"
	Ping          Reason = "ping"
	NothingNew    Reason = "nothing_new"
	Late          Reason = "late"
	UnknownStatus Reason = "unknown_status"
	SameEvent     Reason = "same_event"
)

// Webhook is one push as it came and what became of it. Times are UTC.
type Webhook struct {
	ID         string // time-ordered (ULID)
	EventID    string
	ReceivedAt time.Time
	Peer       string
	Auth       string // how the sender was proved: signature, api_key, authorization, bearer
	Flags      string // "unlisted_address" when accepted under SHIPROCKET_IP_CHECK=warn
	Headers    map[string]string
	Body       []byte // raw; nil for duplicates
	BodySHA256 [32]byte

	Status        Status
	Reason        Reason
	Result        string // a sentence in plain words
	Error         string
	Attempts      int
	NextAttemptAt time.Time
	ProcessedAt   time.Time

	Head

	OrderID     string
	DuplicateOf string // event id's first row

	DismissedAt   time.Time // when an operator said that it needs nobody any more
	DismissedNote string    // and why

	Tries []Try // filled by the store's Webhook only
}

// Head is the part of a body that intake reads: what the event id is made of,
// and what the log is searched by.
type Head struct {
	AWB           string
	SROrderID     string
	OrderNumber   string
	CurrentStatus string // the status word as sent
	// EventTime is when the event happened, or the day of receipt when the body
	// tells no time. A repeat, however late, has the same one.
	EventTime time.Time
}

// Try is one attempt at processing that failed.
type Try struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// Appended is what Append made of one webhook.
type Appended struct {
	// Duplicate: an original with the same event id and the same body is
	// pending, processed or parked; the row was kept as a duplicate.
	Duplicate bool
	EventID   string // as stored: it grows by part of the body's hash where the id was taken by another body
	Status    Status // of the original when Duplicate, else of the new row
}

// Application is one webhook ready to be applied: its evidence.
type Application struct {
	WebhookID string
	Evidence  tracking.Evidence
	// Notes are findings that the log should tell whatever becomes of it.
	Unknown bool // the status is in no table
}

// Applied is what became of one Application.
type Applied struct {
	WebhookID string
	Status    Status // Processed or Parked
	Reason    Reason
	Result    string
	OrderID   string
	Updates   []tracking.Update
	// Err is why this webhook alone was rolled back; the others of its batch
	// stand.
	Err error
}

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool {
	switch s {
	case Pending, Processed, Failed, Duplicate, Ignored, Parked, Rejected:
		return true
	}
	return false
}
