package tracking

import "slices"

func (o *Order) knowsSR(sr string) bool {
	if sr == "" {
		return false
	}
	for _, r := range o.Readings {
		if r.SR == sr {
			return true
		}
	}
	return false
}

// hasLeg reports whether the order was told that an AWB belongs to a Shiprocket
// order: then a courier who uses the AWB again takes nothing from it.
func (o *Order) hasLeg(awb, sr string) bool {
	if o == nil {
		return false
	}
	for _, r := range o.Readings {
		if r.SR == sr && (r.AWB == awb || r.ReturnAWB == awb) {
			return true
		}
	}
	return false
}

// heldUnder names a Shiprocket order other than sr that the AWB belongs to, and
// whether that shipment is still open. It is "" when there is none, or when sr
// itself is unknown: then the AWB alone decides.
func (o *Order) heldUnder(awb, sr string) (other string, live bool) {
	if sr == "" {
		return "", false
	}
	for _, r := range o.sortedReadings() {
		if r.SR == "" || r.AWB != awb && r.ReturnAWB != awb {
			continue
		}
		if r.SR == sr {
			return "", false
		}
		other = r.SR
	}
	if other == "" {
		return "", false
	}
	belief := o.Believe()
	for i := range belief.Shipments {
		s := &belief.Shipments[i]
		if s.sr == other && !s.Milestone.Terminal() && slices.ContainsFunc(s.Legs, func(l Leg) bool { return l.AWBCode == awb }) {
			return other, true
		}
	}
	return other, false
}

func (o *Order) openShipments(d Direction) int {
	n := 0
	belief := o.Believe()
	for i := range belief.Shipments {
		if belief.Shipments[i].Direction == d && !belief.Shipments[i].Milestone.Terminal() {
			n++
		}
	}
	return n
}
