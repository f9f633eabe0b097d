package shiprocket

import (
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// identity is how the push names its parcel, direction left open.
//
// Shiprocket's id and the shop's number change places between families of
// pushes (live pushes; panel sample): beside sr_order_id, order_id is the
// shop's number; beside channel_order_id it is Shiprocket's id; alone it is the
// shop's number, and if all digits perhaps Shiprocket's id after all.
func (f *fields) identity() tracking.Identity {
	id := tracking.Identity{
		AWB:        f.id(fAWB, fAWBCode),
		ReturnAWB:  f.id(fReturnAWB),
		SR:         f.id(fSROrderID, fShiprocketOrderID),
		ChannelID:  f.id(fChannelID),
		ForwardRef: f.id(fForwardOrderID),
	}
	order, channelOrder := f.id(fOrderID), f.id(fChannelOrderID)
	switch {
	case id.SR != "":
		id.Number = order
		if order == "" {
			id.Number = channelOrder
		}
	case channelOrder != "":
		id.Number, id.SR = channelOrder, order
	default:
		id.Number = order
		if allDigits(order) {
			id.MaybeSR = order
		}
	}
	return id
}

// ping reports whether the push is a trial of the panel or of a probe, not
// about any parcel: it names none and has no status, or it is the panel's
// validate push, which says Delivered of AWB 123456 (captured 2026).
func (f *fields) ping(id *tracking.Identity) bool {
	if id.Empty() && id.ReturnAWB == "" && !f.statusTold() {
		return true
	}
	for _, slot := range []field{fCourierName, fOrderID} {
		s := strings.ToLower(f[slot].line())
		if strings.HasPrefix(s, "dummy") || strings.HasPrefix(s, "dummpy") {
			return true
		}
	}
	return id.AWB == "123456" && id.SR == "1234"
}

func (f *fields) statusTold() bool {
	return f.id(fCurrentStatus, fCurrentStatusID, fShipmentStatus, fShipmentStatusID, fStatus) != ""
}

// placeholder reports whether the push is the panel's downloadable sample with
// its blanks not filled in ("enter your channel order id").
func placeholder(id *tracking.Identity) bool {
	for _, s := range []string{id.AWB, id.ReturnAWB, id.SR, id.Number, id.ForwardRef} {
		if strings.HasPrefix(strings.ToLower(s), "enter your") {
			return true
		}
	}
	return false
}
