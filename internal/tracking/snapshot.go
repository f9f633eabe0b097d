package tracking

import (
	"encoding/json"
	"time"
)

// Text is a string that is null in JSON when it is empty: keys are always
// there, null when unknown.
type Text string

// MarshalJSON renders "" as null.
func (t Text) MarshalJSON() ([]byte, error) { return nullable(string(t)) }

// MarshalJSON renders an unknown milestone as null.
func (m Milestone) MarshalJSON() ([]byte, error) { return nullable(string(m)) }

// MarshalJSON renders "no status" as null.
func (s OrderStatus) MarshalJSON() ([]byte, error) { return nullable(string(s)) }

func nullable(s string) ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(s)
}

// Snapshot is the public view of an order: what anyone who knows the order's
// id may see. It holds no personal data. The fields between Version and
// UpdatedAt are those of the shipment that matters most.
type Snapshot struct {
	OrderID           string      `json:"orderId"`
	OrderNumber       Text        `json:"orderNumber"`
	Version           int64       `json:"version"`
	OrderStatus       OrderStatus `json:"orderStatus"`
	Milestone         Milestone   `json:"milestone"`
	CurrentStatus     Text        `json:"currentStatus"`
	AWBCode           Text        `json:"awbCode"`
	CourierName       Text        `json:"courierName"`
	EstimatedDelivery Text        `json:"estimatedDelivery"` // YYYY-MM-DD, the day in India
	DeliveredAt       *time.Time  `json:"deliveredAt"`
	UpdatedAt         time.Time   `json:"updatedAt"`
	Shipments         []Shipment  `json:"shipments"`
}

// Shipment is what we believe about one parcel's journey.
type Shipment struct {
	ID                     string     `json:"id"`
	Direction              Direction  `json:"direction"`
	AWBCode                Text       `json:"awbCode"` // of the current leg
	CourierName            Text       `json:"courierName"`
	Milestone              Milestone  `json:"milestone"`
	CurrentStatus          Text       `json:"currentStatus"` // canonical label, upper case
	EstimatedDelivery      Text       `json:"estimatedDelivery"`
	FirstEstimatedDelivery Text       `json:"firstEstimatedDelivery"`
	DeliveredAt            *time.Time `json:"deliveredAt"`
	DeliveryAttempts       int        `json:"deliveryAttempts"`
	UndeliveredReason      Text       `json:"undeliveredReason"`
	// ProofOfDelivery is "image", "otp", "available" or "none"; never the
	// picture's address, which is personal data.
	ProofOfDelivery Text    `json:"proofOfDelivery"`
	Corrected       bool    `json:"corrected"` // an end was taken back
	Legs            []Leg   `json:"legs"`
	TrackingHistory []Entry `json:"trackingHistory"` // oldest first

	key     string
	sr      string
	begunAt time.Time // first evidence
	newest  time.Time // newest evidence
	shipped bool      // was ever on its way
}

// LegKind says what part of a journey an AWB is.
type LegKind string

// Kinds of legs.
const (
	LegForward  LegKind = "forward"
	LegRTO      LegKind = "rto"
	LegReplaced LegKind = "replaced" // never picked up; another AWB took its place
	LegReturn   LegKind = "return"
)

// Leg is one AWB's part of a shipment.
type Leg struct {
	AWBCode     string  `json:"awbCode"`
	Kind        LegKind `json:"kind"`
	CourierName Text    `json:"courierName"`
}

// Entry is one line of the public timeline. Its texts are scrubbed of personal
// data.
type Entry struct {
	Status      Text      `json:"status"`    // label, upper case; the courier's words if it has none
	Milestone   Milestone `json:"milestone"` // null for information scans
	Timestamp   time.Time `json:"timestamp"` // when it happened, UTC
	Location    Text      `json:"location"`
	Description Text      `json:"description"`
	ScanType    string    `json:"scanType"` // "scan" or "status"
}

// Scan types of timeline entries.
const (
	ScanEntry   = "scan"   // a courier's scan
	StatusEntry = "status" // a dated status without a scan at its time
)

// Key names the shipment within its order, derived from the evidence alone.
func (s *Shipment) Key() string { return s.key }

// SR is Shiprocket's order id of the shipment, "" when it was never told.
func (s *Shipment) SR() string { return s.sr }
