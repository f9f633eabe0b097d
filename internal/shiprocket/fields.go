package shiprocket

import "bytes"

// A field is a top-level key that we read. Names are Shiprocket's (docs, panel
// sample and live pushes) unless marked as an alias: names that senders of test
// pushes use for them.
type field uint8

const (
	fAWB field = iota
	fAWBCode
	fReturnAWB
	fSROrderID
	fShiprocketOrderID
	fOrderID
	fChannelOrderID
	fChannelID
	fForwardOrderID
	fIsReturn
	fCourierName
	fCurrentStatus
	fCurrentStatusID
	fShipmentStatus
	fShipmentStatusID
	fStatus
	fCurrentTimestamp
	fDate
	fTimestamp
	fUpdatedAt
	fETD
	fEDD
	fEstimatedDate
	fAWBAssigned
	fDelivered
	fReason
	fAttempts
	fPOD
	fPODStatus
	fScans
	fActivities
	fComment
	fLocation
	fCurrentLocation
	fScanType
	fieldCount
)

// fieldNames are the keys of the fields, for findings.
var fieldNames = [fieldCount]string{
	fAWB: "awb", fAWBCode: "awb_code", fReturnAWB: "return_awb_code",
	fSROrderID: "sr_order_id", fShiprocketOrderID: "shiprocket_order_id", fOrderID: "order_id",
	fChannelOrderID: "channel_order_id", fChannelID: "channel_id", fForwardOrderID: "forward_order_id",
	fIsReturn: "is_return", fCourierName: "courier_name",
	fCurrentStatus: "current_status", fCurrentStatusID: "current_status_id",
	fShipmentStatus: "shipment_status", fShipmentStatusID: "shipment_status_id", fStatus: "status",
	fCurrentTimestamp: "current_timestamp", fDate: "date", fTimestamp: "timestamp", fUpdatedAt: "updated_at",
	fETD: "etd", fEDD: "edd", fEstimatedDate: "estimated_delivery_date",
	fAWBAssigned: "awb_assigned_date", fDelivered: "delivered_date",
	fReason: "undelivered_reason", fAttempts: "delivery_attempt_count", fPOD: "pod", fPODStatus: "pod_status",
	fScans: "scans", fActivities: "activities", fComment: "comment",
	fLocation: "location", fCurrentLocation: "current_location", fScanType: "scan_type",
}

func fieldOf(key []byte) (field, bool) {
	switch string(key) {
	case "awb":
		return fAWB, true
	case "awb_code": // alias
		return fAWBCode, true
	case "return_awb_code":
		return fReturnAWB, true
	case "sr_order_id":
		return fSROrderID, true
	case "shiprocket_order_id": // alias
		return fShiprocketOrderID, true
	case "order_id":
		return fOrderID, true
	case "channel_order_id":
		return fChannelOrderID, true
	case "channel_id":
		return fChannelID, true
	case "forward_order_id":
		return fForwardOrderID, true
	case "is_return":
		return fIsReturn, true
	case "courier_name":
		return fCourierName, true
	case "current_status":
		return fCurrentStatus, true
	case "current_status_id":
		return fCurrentStatusID, true
	case "shipment_status":
		return fShipmentStatus, true
	case "shipment_status_id":
		return fShipmentStatusID, true
	case "status": // alias
		return fStatus, true
	case "current_timestamp":
		return fCurrentTimestamp, true
	case "date":
		return fDate, true
	case "timestamp": // alias
		return fTimestamp, true
	case "updated_at": // alias
		return fUpdatedAt, true
	case "etd":
		return fETD, true
	case "edd": // alias
		return fEDD, true
	case "estimated_delivery_date": // alias
		return fEstimatedDate, true
	case "awb_assigned_date":
		return fAWBAssigned, true
	case "delivered_date":
		return fDelivered, true
	case "undelivered_reason":
		return fReason, true
	case "delivery_attempt_count":
		return fAttempts, true
	case "pod":
		return fPOD, true
	case "pod_status":
		return fPODStatus, true
	case "scans":
		return fScans, true
	case "activities": // alias
		return fActivities, true
	case "comment": // alias
		return fComment, true
	case "location": // alias
		return fLocation, true
	case "current_location": // alias
		return fCurrentLocation, true
	case "scan_type": // alias
		return fScanType, true
	}
	return 0, false
}

// fields are the top-level values of a push, each still undecoded.
type fields [fieldCount]value

// byteOrderMark is put before a body by some editors and by PowerShell; JSON
// knows no such thing, and people testing by hand do not see it.
const byteOrderMark = "\ufeff"

// readFields reads a whole body. An empty body, null and [] (an empty object
// as PHP writes it) have no fields; any other value that is no object is
// ErrNotObject. A watch sees the scans on the way.
func readFields(body []byte, watch *dateWatch) (fields, error) {
	var f fields
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	c := cursor{data: body, watch: watch}
	if c.peek() == '{' {
		ok := c.members(1, f.take)
		if ok {
			c.blanks()
			ok = c.at == len(body)
		}
		if !ok {
			return fields{}, c.failure()
		}
		return f, nil
	}
	if c.at == len(body) {
		return f, nil
	}
	v, err := document(body)
	if err != nil {
		return f, err
	}
	if v.kind != null && !v.hollow() {
		return f, ErrNotObject
	}
	return f, nil
}

func (f *fields) take(key, v value) {
	name, exact := spelling(key)
	slot, ok := fieldOf(name)
	if !ok {
		if slot, ok = fieldOf(loosely(name, '_')); !ok {
			return
		}
		exact = false
	}
	f[slot].put(v, exact)
}

// put takes a value that comes later than v for the same key: what is told beats
// what is not, then the exact spelling of the key, then the later one. Each
// value is looked at once, however many follow.
func (v *value) put(later value, exact bool) {
	later.exact = exact
	if v.kind != absent && (!later.sure() || v.exact && !exact && v.sure()) {
		return
	}
	*v = later
}

// sure is told, remembered.
func (v *value) sure() bool {
	if v.says == 0 {
		v.says = no
		if v.told() {
			v.says = yes
		}
	}
	return v.says == yes
}

// spelling is a key's characters; exact is false where escapes hide them.
func spelling(key value) (name []byte, exact bool) {
	if key.plain {
		return key.chars(), true
	}
	return []byte(clean(key.chars(), maxID)), false
}

// loosely is a key in lower case with joint between its words, whatever stood
// there, or nil if it is spelt so already or is longer than any key we know.
func loosely(key []byte, joint byte) []byte {
	const longest = 24
	if len(key) > longest {
		return nil
	}
	var out [longest]byte
	changed := false
	for i, b := range key {
		switch {
		case b >= 'A' && b <= 'Z':
			b += 'a' - 'A'
		case b == '-' || b == '_' || b == ' ':
			b = joint
		}
		changed = changed || b != key[i]
		out[i] = b
	}
	if !changed {
		return nil
	}
	return out[:len(key)]
}

// first is the first of the given fields that says anything, read by read.
func (f *fields) first(read func(value) string, slots ...field) string {
	for _, slot := range slots {
		if s := read(f[slot]); s != "" {
			return s
		}
	}
	return ""
}

func (f *fields) id(slots ...field) string   { return f.first(value.id, slots...) }
func (f *fields) line(slots ...field) string { return f.first(value.line, slots...) }
