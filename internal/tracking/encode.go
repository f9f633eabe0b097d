package tracking

import (
	"encoding/json"
	"strconv"
	"time"
)

// Every applied push encodes a snapshot and an update of up to some dozens of
// entries. Writing them out by hand costs a fifth of what reflection does; a
// test holds the fields to the structs' tags.

// MarshalJSON implements json.Marshaler.
func (s Snapshot) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

// MarshalJSON implements json.Marshaler.
func (s Shipment) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

// MarshalJSON implements json.Marshaler.
func (e Entry) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// AppendJSON appends the snapshot as JSON.
func (s *Snapshot) AppendJSON(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, 1024+512*len(s.Shipments))
	}
	b = appendText(append(b, `{"orderId":`...), s.OrderID)
	b = appendNullable(append(b, `,"orderNumber":`...), string(s.OrderNumber))
	b = strconv.AppendInt(append(b, `,"version":`...), s.Version, 10)
	b = appendNullable(append(b, `,"orderStatus":`...), string(s.OrderStatus))
	b = appendNullable(append(b, `,"milestone":`...), string(s.Milestone))
	b = appendNullable(append(b, `,"currentStatus":`...), string(s.CurrentStatus))
	b = appendNullable(append(b, `,"awbCode":`...), string(s.AWBCode))
	b = appendNullable(append(b, `,"courierName":`...), string(s.CourierName))
	b = appendNullable(append(b, `,"estimatedDelivery":`...), string(s.EstimatedDelivery))
	b = appendTimePointer(append(b, `,"deliveredAt":`...), s.DeliveredAt)
	b = appendTime(append(b, `,"updatedAt":`...), s.UpdatedAt)
	b = append(b, `,"shipments":[`...)
	for i := range s.Shipments {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.Shipments[i].AppendJSON(b)
	}
	return append(b, "]}"...)
}

// MarshalJSON implements json.Marshaler.
func (u Update) MarshalJSON() ([]byte, error) { return u.AppendJSON(nil), nil }

// AppendJSON appends the update as JSON.
func (u *Update) AppendJSON(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, 4096)
	}
	b = appendText(append(b, `{"orderId":`...), u.OrderID)
	if len(u.Aliases) > 0 {
		b = append(b, `,"aliases":[`...)
		for i, alias := range u.Aliases {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, alias)
		}
		b = append(b, ']')
	}
	b = u.OrderNumber.AppendJSON(append(b, `,"orderNumber":`...))
	b = strconv.AppendInt(append(b, `,"version":`...), u.Version, 10)
	b = appendNullable(append(b, `,"orderStatus":`...), string(u.OrderStatus))
	b = append(b, `,"shipment":`...)
	if u.Shipment == nil {
		b = append(b, "null"...)
	} else {
		b = u.Shipment.AppendJSON(b)
	}
	b = strconv.AppendBool(append(b, `,"statusChanged":`...), u.StatusChanged)
	return append(appendTime(append(b, `,"at":`...), u.At), '}')
}

// AppendJSON appends the text as JSON, null when it is empty.
func (t Text) AppendJSON(b []byte) []byte { return appendNullable(b, string(t)) }

// AppendJSON appends the shipment as JSON.
func (s *Shipment) AppendJSON(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, 512+256*len(s.TrackingHistory))
	}
	b = appendText(append(b, `{"id":`...), s.ID)
	b = appendText(append(b, `,"direction":`...), string(s.Direction))
	b = appendNullable(append(b, `,"awbCode":`...), string(s.AWBCode))
	b = appendNullable(append(b, `,"courierName":`...), string(s.CourierName))
	b = appendNullable(append(b, `,"milestone":`...), string(s.Milestone))
	b = appendNullable(append(b, `,"currentStatus":`...), string(s.CurrentStatus))
	b = appendNullable(append(b, `,"estimatedDelivery":`...), string(s.EstimatedDelivery))
	b = appendNullable(append(b, `,"firstEstimatedDelivery":`...), string(s.FirstEstimatedDelivery))
	b = appendTimePointer(append(b, `,"deliveredAt":`...), s.DeliveredAt)
	b = strconv.AppendInt(append(b, `,"deliveryAttempts":`...), int64(s.DeliveryAttempts), 10)
	b = appendNullable(append(b, `,"undeliveredReason":`...), string(s.UndeliveredReason))
	b = appendNullable(append(b, `,"proofOfDelivery":`...), string(s.ProofOfDelivery))
	b = strconv.AppendBool(append(b, `,"corrected":`...), s.Corrected)
	b = append(b, `,"legs":[`...)
	for i, l := range s.Legs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"awbCode":`...), l.AWBCode)
		b = appendText(append(b, `,"kind":`...), string(l.Kind))
		b = append(appendNullable(append(b, `,"courierName":`...), string(l.CourierName)), '}')
	}
	b = append(b, `],"trackingHistory":[`...)
	for i := range s.TrackingHistory {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.TrackingHistory[i].AppendJSON(b)
	}
	return append(b, "]}"...)
}

// AppendJSON appends the entry as JSON.
func (e *Entry) AppendJSON(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, 256)
	}
	b = appendNullable(append(b, `{"status":`...), string(e.Status))
	b = appendNullable(append(b, `,"milestone":`...), string(e.Milestone))
	b = appendTime(append(b, `,"timestamp":`...), e.Timestamp)
	b = appendNullable(append(b, `,"location":`...), string(e.Location))
	b = appendNullable(append(b, `,"description":`...), string(e.Description))
	return append(appendText(append(b, `,"scanType":`...), e.ScanType), '}')
}

func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendText(b, s)
}

// appendText quotes plain text by itself and leaves the rest to encoding/json,
// which also escapes what HTML would take for markup.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string always marshals
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendTimePointer(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	return appendTime(b, *t)
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}
