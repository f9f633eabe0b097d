package shiprocket

import (
	"cmp"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Kind tells a push about a parcel from a trial.
type Kind string

// Kinds of pushes.
const (
	Event Kind = "event"
	// Ping is a trial of the panel or of a probe. It is to change nothing,
	// whatever it says and whoever owns such an AWB.
	Ping Kind = "ping"
)

// Push is what one body says.
type Push struct {
	Kind Kind
	// Evidence of a ping has no milestone and no label; of one that names
	// nothing it is empty.
	Evidence tracking.Evidence
	// Placeholder marks the panel's sample with its blanks not filled in
	// ("enter your …"): it matches no order and must never make one.
	Placeholder bool
	// UnknownStatus says that a status was told that is in neither table. The
	// reading then has no milestone.
	UnknownStatus bool
	Faults        []Fault // none for pings
}

// maxAttempts bounds what is believed of a count of delivery attempts.
const maxAttempts = 100

// Interpret says what a body means that was received at receivedAt. It is pure:
// the same body and time give the same push. The error is ErrNotJSON,
// ErrNotObject or ErrTooDeep.
//
// No time in the evidence is before 2015, or more than ten minutes after
// receipt; scans so dated are left out until a later push repeats them.
func Interpret(body []byte, receivedAt time.Time) (Push, error) {
	receivedAt = receivedAt.UTC()
	f, err := readFields(body, nil)
	if err != nil {
		return Push{}, err
	}
	id := f.identity()
	if f.ping(&id) {
		return Push{Kind: Ping, Evidence: f.pingEvidence(id, receivedAt)}, nil
	}
	var fs faults
	f.checkTypes(&fs)
	v := f.status()
	id.Direction = v.direction
	scans := f.scans(&id, receivedAt, &fs)
	v.settle(scans)
	id.Direction = v.direction
	v.report(&fs)

	r := f.reading(id, scans, receivedAt, &fs)
	r.Milestone, r.Label = v.Milestone, v.Label
	r.Released = f.releases(&r)
	if len(scans) == 0 {
		scans = f.loneScan(&r, v.Status)
	}
	return Push{
		Kind: Event, Evidence: tracking.Evidence{Reading: r, Scans: scans},
		Placeholder: placeholder(&id), UnknownStatus: v.unknown(), Faults: fs,
	}, nil
}

// pingEvidence is what a ping says, for the log: no milestone, no label.
func (f *fields) pingEvidence(id tracking.Identity, receivedAt time.Time) tracking.Evidence {
	if id.Empty() && id.ReturnAWB == "" {
		return tracking.Evidence{}
	}
	var ignored faults
	id.Direction = tracking.Forward
	scans := f.scans(&id, receivedAt, &ignored)
	for i := range scans {
		scans[i].Milestone, scans[i].Label = "", ""
	}
	return tracking.Evidence{Reading: f.reading(id, scans, receivedAt, &ignored), Scans: scans}
}

// reading is the push's header without its status.
func (f *fields) reading(id tracking.Identity, scans []tracking.Scan, receivedAt time.Time, fs *faults) tracking.Reading {
	r := tracking.Reading{
		Identity:   id,
		Facts:      f.facts(receivedAt, fs),
		Raw:        f.statusWord(),
		ReceivedAt: receivedAt,
	}
	own := f[fDate].eventTime("date", receivedAt, fs)
	for _, slot := range []field{fCurrentTimestamp, fTimestamp, fUpdatedAt} {
		if r.ProcessedAt.IsZero() {
			r.ProcessedAt = f[slot].eventTime(fieldNames[slot], receivedAt, fs)
		}
	}
	switch {
	case len(scans) > 0:
		r.EventTime, r.TimeSource = scans[len(scans)-1].At, tracking.FromScan
	case !own.IsZero():
		r.EventTime, r.TimeSource = own, tracking.FromDate
	case !r.ProcessedAt.IsZero():
		r.EventTime, r.TimeSource = r.ProcessedAt, tracking.FromTimestamp
	default:
		r.EventTime, r.TimeSource = receivedAt, tracking.FromReceipt
	}
	return r
}

func (f *fields) facts(receivedAt time.Time, fs *faults) tracking.Facts {
	facts := tracking.Facts{
		Courier:           f.line(fCourierName),
		DeliveredAt:       f[fDelivered].eventTime("delivered_date", receivedAt, fs),
		UndeliveredReason: f.line(fReason),
		ProofOfDelivery:   proofOfDelivery(f[fPOD].line(), f[fPODStatus].line()),
	}
	for _, slot := range []field{fETD, fEDD, fEstimatedDate} {
		if facts.ETA == "" {
			facts.ETA = f[slot].day(fieldNames[slot], receivedAt, fs)
		}
	}
	if n, ok := f[fAttempts].count(); ok && n <= maxAttempts {
		facts.Attempts = n
	} else if s := f[fAttempts].word(); s != "" {
		fs.add(OddType, "delivery_attempt_count", s)
	}
	if facts.Attempts == 0 {
		facts.Attempts, _ = attempt(normal(f.statusWord()))
	}
	return facts
}

// proofOfDelivery reads pod ("Available", "Not Available" or a picture's URL)
// and pod_status (how it is taken: "OTP Based Delivery", or a picture's URL;
// Shiprocket docs). A picture beats all. pod_status names the OTP long before
// the delivery, while pod is still "Not Available" (docs sample): so a pod that
// is not available is none, and otherwise an OTP is an OTP.
func proofOfDelivery(pod, status string) string {
	switch lowPod, lowStatus := strings.ToLower(pod), strings.ToLower(status); {
	case isURL(lowPod), isURL(lowStatus):
		return "image"
	case lowPod == "not available":
		return "none"
	case strings.HasPrefix(lowStatus, "otp based"):
		return "otp"
	case lowPod == "available":
		return "available"
	}
	return ""
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// releases reports whether the push takes its AWB back. After three failed
// pickups no CANCELLED comes, but NEW, with awb_assigned_date null (live push);
// whether the AWB is still named is not known, so either sign will do.
func (f *fields) releases(r *tracking.Reading) bool {
	if r.Label != "NEW" || r.Direction != tracking.Forward {
		return false
	}
	assigned := f[fAWBAssigned]
	return r.AWB == "" || assigned.kind != absent && !assigned.told()
}

// loneScan is the scan of a push that has none but tells in its header what one
// would: a dated event with a place or a sentence (the aliases' form).
func (f *fields) loneScan(r *tracking.Reading, s Status) []tracking.Scan {
	scan := tracking.Scan{
		AWB: r.AWB, SR: r.SR, MaybeSR: r.MaybeSR, Number: r.Number, At: r.EventTime,
		Code:     f.first(value.word, fScanType),
		Activity: f.line(fActivities, fComment),
		Location: f.line(fLocation, fCurrentLocation),
	}
	if !r.TimeSource.Dated() || cmp.Or(scan.Activity, scan.Location) == "" {
		return nil
	}
	if s.Milestone != tracking.Other {
		scan.Milestone, scan.Label = s.Milestone, s.Label
	}
	return []tracking.Scan{scan}
}

// texts are the fields that hold a text or a number, and nothing else.
var texts = [...]field{
	fAWB, fReturnAWB, fSROrderID, fOrderID, fChannelOrderID, fChannelID, fForwardOrderID,
	fCourierName, fReason, fAttempts, fPOD, fPODStatus,
	fCurrentStatus, fCurrentStatusID, fShipmentStatus, fShipmentStatusID,
}

// checkTypes notes what cannot be read or had to be cut.
func (f *fields) checkTypes(fs *faults) {
	for _, slot := range texts {
		if f[slot].odd() {
			fs.add(OddType, fieldNames[slot], "")
		}
	}
	for _, slot := range texts[:7] { // the identifiers
		if v := f[slot]; len(v.raw) > maxID && len([]rune(v.words(maxID+1))) > maxID {
			fs.add(TooLong, fieldNames[slot], "")
		}
	}
}
