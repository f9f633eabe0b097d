package live

import (
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// The events' fields are a contract. They are written out by hand because each
// update is encoded on the way to every watcher; a test holds them to the list.

// trackingUpdate is the event for those who watch one order. Its history is
// cut, oldest first, until it fits.
func trackingUpdate(u *tracking.Update, at time.Time) []byte {
	var none tracking.Shipment
	s := u.Shipment
	if s == nil {
		s = &none
	}
	history := s.TrackingHistory[max(0, len(s.TrackingHistory)-tracking.HistoryInUpdate):]
	var newest tracking.Entry
	if n := len(history); n > 0 {
		newest = history[n-1]
	}
	b := make([]byte, 0, 768+224*len(history))
	b = text(append(b, `{"orderId":`...), u.OrderID)
	b = u.OrderNumber.AppendJSON(append(b, `,"orderNumber":`...))
	b = strconv.AppendInt(append(b, `,"version":`...), u.Version, 10)
	b = moment(append(b, `,"timestamp":`...), at)
	b = text(append(b, `,"shipmentId":`...), s.ID)
	b = text(append(b, `,"direction":`...), string(s.Direction))
	b = about(b, u, s)
	b = newest.Location.AppendJSON(append(b, `,"location":`...))
	b = newest.Description.AppendJSON(append(b, `,"description":`...))
	b = s.EstimatedDelivery.AppendJSON(append(b, `,"estimatedDelivery":`...))
	b = strconv.AppendBool(append(b, `,"statusChanged":`...), u.StatusChanged)
	b = append(b, `,"trackingHistory":[`...)

	// Nearly always all of it fits.
	begun := len(b)
	for i := range history {
		if i > 0 {
			b = append(b, ',')
		}
		b = history[i].AppendJSON(b)
	}
	if len(b)+len("]}") <= MaxEventBytes {
		return append(b, "]}"...)
	}
	b = b[:begun]

	// From the newest back, as many as fit.
	room := MaxEventBytes - len(b) - len("]}") - 1
	first := len(history)
	entries := make([][]byte, len(history))
	for i := len(history) - 1; i >= 0; i-- {
		entries[i] = history[i].AppendJSON(nil)
		room -= len(entries[i]) + len(",")
		if room < 0 {
			break
		}
		first = i
	}
	for i, entry := range entries[first:] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, entry...)
	}
	return append(b, "]}"...)
}

// shipmentUpdate is the event for operators who watch all orders.
func shipmentUpdate(u *tracking.Update, at time.Time) []byte {
	var none tracking.Shipment
	s := u.Shipment
	if s == nil {
		s = &none
	}
	b := make([]byte, 0, 512)
	b = moment(append(b, `{"timestamp":`...), at)
	b = text(append(b, `,"orderId":`...), u.OrderID)
	b = u.OrderNumber.AppendJSON(append(b, `,"orderNumber":`...))
	b = about(b, u, s)
	return append(strconv.AppendInt(append(b, `,"version":`...), u.Version, 10), '}')
}

// about appends the fields that both events have.
func about(b []byte, u *tracking.Update, s *tracking.Shipment) []byte {
	b = s.AWBCode.AppendJSON(append(b, `,"awbCode":`...))
	b = s.CourierName.AppendJSON(append(b, `,"courierName":`...))
	b = s.CurrentStatus.AppendJSON(append(b, `,"currentStatus":`...))
	b = text(append(b, `,"milestone":`...), string(s.Milestone))
	return text(append(b, `,"orderStatus":`...), string(u.OrderStatus))
}

func text(b []byte, s string) []byte { return tracking.Text(s).AppendJSON(b) }

func moment(b []byte, at time.Time) []byte {
	return append(at.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}
