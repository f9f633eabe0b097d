package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ist is the zone of all times in pushes; they do not name it (Shiprocket docs).
var ist = time.FixedZone("IST", 5*3600+1800)

const (
	stampA = "02 01 2006 15:04:05" // current_timestamp of family A (live push 2026)
	stampB = time.DateTime         // of family B (panel's sample)
)

// family is which of the known shapes a parcel's pushes have.
type family int

const (
	familyA family = iota // current docs and live pushes
	familyB               // the panel's sample and older docs: ids the other way round, scans newest first
)

// fullPush is family A with every key a live push was seen to have.
type fullPush struct {
	AWB                   string     `json:"awb"`
	CourierName           *string    `json:"courier_name"`
	CurrentStatus         string     `json:"current_status"`
	CurrentStatusID       int        `json:"current_status_id"`
	ShipmentStatus        string     `json:"shipment_status"`
	ShipmentStatusID      int        `json:"shipment_status_id,omitempty"`
	ReturnAWBCode         string     `json:"return_awb_code"`
	CurrentTimestamp      string     `json:"current_timestamp"`
	OrderID               string     `json:"order_id"`
	SROrderID             uint64     `json:"sr_order_id"`
	PickupAddressID       *int       `json:"pickup_address_id"`
	ChargeInfo            *string    `json:"charge_info"`
	AWBAssignedDate       *string    `json:"awb_assigned_date"`
	PickupScheduledDate   *string    `json:"pickup_scheduled_date"`
	ETD                   string     `json:"etd"`
	PickupExceptionReason string     `json:"pickup_exception_reason"`
	UndeliveredReason     string     `json:"undelivered_reason"`
	UndeliveredReasonCode string     `json:"undelivered_reason_code"`
	PickExceptionCode     string     `json:"pick_exception_reason_code"` // "pick_": so it is sent
	DeliveryAttemptCount  int        `json:"delivery_attempt_count"`
	PickupAttemptCount    int        `json:"pickup_attempt_count"`
	QCImage               string     `json:"qc_image"`
	QCFailureReason       string     `json:"qc_failure_reason"`
	Scans                 []fullScan `json:"scans"`
	Date                  string     `json:"date"`
	IsReturn              int        `json:"is_return"`
	ChannelID             uint64     `json:"channel_id"`
	PODStatus             string     `json:"pod_status"`
	POD                   string     `json:"pod"`
	DeliveredDate         string     `json:"delivered_date"`
	ShippingMethod        string     `json:"shipping_method"`
}

type fullScan struct {
	Date     string `json:"date"`
	Status   string `json:"status"`
	Activity string `json:"activity"`
	Location string `json:"location"`
	SRStatus any    `json:"sr-status"` // string or number, by courier; "NA" for information
	SRLabel  string `json:"sr-status-label"`
}

// panelPush is family B.
type panelPush struct {
	AWB              json.Number `json:"awb"`
	CurrentStatus    string      `json:"current_status"`
	OrderID          string      `json:"order_id"`
	CurrentTimestamp string      `json:"current_timestamp"`
	ETD              string      `json:"etd"`
	CurrentStatusID  int         `json:"current_status_id"`
	ShipmentStatus   string      `json:"shipment_status"`
	ShipmentStatusID int         `json:"shipment_status_id"`
	ChannelOrderID   string      `json:"channel_order_id"`
	Channel          string      `json:"channel"`
	CourierName      string      `json:"courier_name"`
	Scans            []panelScan `json:"scans"`
}

type panelScan struct {
	Date     string `json:"date"`
	Activity string `json:"activity"`
	Location string `json:"location"`
}

// sparsePush is a live push that integrators trimmed to ids and a word.
type sparsePush struct {
	AWB           string `json:"awb"`
	OrderID       string `json:"order_id"`
	SROrderID     uint64 `json:"sr_order_id"`
	CourierName   string `json:"courier_name"`
	CurrentStatus string `json:"current_status"`
}

// riderPush is a hyperlocal one.
type riderPush struct {
	CurrentStatus string `json:"current_status"`
	OrderID       string `json:"order_id"`
	SROrderID     uint64 `json:"sr_order_id"`
	ShipmentID    uint64 `json:"shipment_id"`
	AWB           string `json:"awb"`
	CourierName   string `json:"courier_name"`
	RiderName     string `json:"rider_name"`
	RiderPhone    string `json:"rider_phone"`
}

// retelling is how a push may differ from its first telling without news in it.
type retelling struct {
	told  time.Time // another current_timestamp; zero for the first one
	drift bool      // the label in title case and sr-status of the other type
}

// dated reports whether the push of step n tells a time of its own, by which a
// server can tell a repeat from news.
func (p *parcel) dated(n int) bool {
	return n != p.sparse && !p.journey.steps[n].fact.bare
}

// retellable reports whether the push may be told again with another
// current_timestamp and mean the same: its event is dated by a scan of its own.
func (p *parcel) retellable(n int) bool {
	return p.dated(n) && len(p.moments[n].scans) > 0
}

// body is the push of step n, which has happened.
func (p *parcel) body(n int, again retelling) []byte {
	st := p.journey.steps[n]
	l := &p.legs[st.leg]
	m := p.moments[n]
	if again.told.IsZero() {
		again.told = m.told
	}
	switch {
	case n == p.sparse:
		return encode(sparsePush{
			AWB: l.awb, OrderID: p.Number, SROrderID: l.sr, CourierName: l.courier.name, CurrentStatus: titled(st.status.label),
		})
	case st.fact.bare:
		return encode(riderPush{
			CurrentStatus: st.status.label, OrderID: p.Number, SROrderID: l.sr, ShipmentID: l.sr - 3_629_031,
			AWB: l.awb, CourierName: l.courier.name, RiderName: "Test Rider", RiderPhone: "9000000000",
		})
	case p.family == familyB:
		return encode(p.panel(n, again))
	}
	return encode(p.full(n, again))
}

func (p *parcel) full(n int, again retelling) fullPush {
	st := p.journey.steps[n]
	l := &p.legs[st.leg]
	m := p.moments[n]
	b := fullPush{
		AWB: l.awb, CourierName: &l.courier.name,
		CurrentStatus: st.status.label, CurrentStatusID: st.status.orderID,
		ShipmentStatus: st.status.shipment, ShipmentStatusID: st.status.shipmentID,
		CurrentTimestamp: again.told.In(ist).Format(stampA),
		OrderID:          p.Number, SROrderID: l.sr, ChannelID: p.channel,
		ETD: p.estimate(n), POD: "Not Available", PODStatus: "OTP Based Delivery", ShippingMethod: "SR",
	}
	if l.reverse {
		b.IsReturn = 1
	}
	first := time.Time{}
	for i := range n + 1 {
		was := p.journey.steps[i]
		if was.leg != st.leg {
			continue
		}
		if first.IsZero() && !was.fact.unbooked {
			first = p.moments[i].at
		}
		switch was.status {
		case undelivered:
			b.DeliveryAttemptCount++
		case pickupException, returnException:
			b.PickupAttemptCount++
		}
		if was.fact.reason != "" {
			b.UndeliveredReason, b.UndeliveredReasonCode = was.fact.reason, was.fact.reasonCode
		}
		if was.fact.pickupReason != "" {
			b.PickupExceptionReason = was.fact.pickupReason
		}
		if was.fact.returnAWB {
			b.ReturnAWBCode = l.returnAWB
		}
		for _, s := range p.moments[i].scans {
			b.Scans = append(b.Scans, s.full(l.courier.srNumber != again.drift))
		}
	}
	switch {
	case st.fact.unbooked: // the AWB is dead, or not given yet (live pushes 2026)
		b.AWB, b.CourierName, b.Scans = "", nil, nil
	case !first.IsZero():
		assigned, scheduled := first.Format(time.DateTime), first.Add(time.Second).Format(time.DateTime)
		b.AWBAssignedDate, b.PickupScheduledDate = &assigned, &scheduled
	}
	if b.Scans == nil {
		b.Date = m.at.Format(time.DateTime)
		if !st.fact.unbooked {
			b.Scans = []fullScan{}
		}
	}
	if st.status == delivered || st.status == returnDelivered {
		b.POD, b.DeliveredDate = "Available", p.deliveredAt(n).Format(time.DateTime)
		b.UndeliveredReason, b.UndeliveredReasonCode = "", ""
	}
	if st.fact.picture {
		b.PODStatus = "https://pod.example.com/" + l.awb + ".jpg"
	}
	if again.drift {
		b.CurrentStatus = titled(b.CurrentStatus)
	}
	return b
}

func (p *parcel) panel(n int, again retelling) panelPush {
	st := p.journey.steps[n]
	l := &p.legs[st.leg]
	b := panelPush{
		AWB: json.Number(l.awb), CourierName: l.courier.name,
		CurrentStatus: titled(st.status.label), CurrentStatusID: st.status.orderID,
		ShipmentStatus: titled(st.status.shipment), ShipmentStatusID: st.status.shipmentID,
		OrderID: strconv.FormatUint(l.sr, 10), ChannelOrderID: p.Number, Channel: "Custom",
		CurrentTimestamp: again.told.In(ist).Format(stampB), ETD: p.estimate(n), Scans: []panelScan{},
	}
	for i := n; i >= 0; i-- {
		scans := p.moments[i].scans
		for j := len(scans) - 1; j >= 0; j-- {
			b.Scans = append(b.Scans, panelScan{
				Date: scans[j].at.Format(time.DateTime), Activity: strings.ToUpper(scans[j].activity), Location: scans[j].location,
			})
		}
	}
	return b
}

func (s scan) full(number bool) fullScan {
	f := fullScan{
		Date: s.at.Format(time.DateTime), Status: s.code, Activity: s.activity, Location: s.location,
		SRStatus: "NA", SRLabel: "NA",
	}
	switch {
	case s.status.shipmentID == 0:
	case number:
		f.SRStatus, f.SRLabel = s.status.shipmentID, s.status.shipment
	default:
		f.SRStatus, f.SRLabel = strconv.Itoa(s.status.shipmentID), s.status.shipment
	}
	return f
}

// estimate is the leg's at step n, as its courier writes it: one blank for none
// (live push 2026).
func (p *parcel) estimate(n int) string {
	at, l := p.moments[n].estimate, &p.legs[p.journey.steps[n].leg]
	switch {
	case at.IsZero() || p.journey.steps[n].fact.unbooked:
		return " "
	case l.courier.dayOnly:
		return at.Format(time.DateOnly)
	}
	return at.Format(time.DateTime)
}

// deliveredAt is when the leg of step n first was delivered.
func (p *parcel) deliveredAt(n int) time.Time {
	for i := range n {
		if was := p.journey.steps[i]; was.leg == p.journey.steps[n].leg && was.status == p.journey.steps[n].status {
			return p.moments[i].at
		}
	}
	return p.moments[n].at
}

// titled is a label as the panel's sample and some couriers write it.
func titled(label string) string {
	ws := strings.Split(strings.ToLower(label), " ")
	for i, w := range ws {
		if w != "" {
			ws[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(ws, " ")
}

// encode writes a body as Shiprocket does: compact, with & and < as they are.
func encode(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("simulate: encode %T: %v", v, err)) // these types always encode
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}
