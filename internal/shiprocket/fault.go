package shiprocket

import "github.com/webazaar/waybill/internal/tracking"

// Fault is something in a push that could not be taken at its word: one for
// each code and field, with how often and the first such value. The value is
// cut, on one line and scrubbed, so that it may be logged.
type Fault struct {
	Code  FaultCode
	Field string // the key in the body; scans' keys after "scans."
	Value string
	Count int
}

// FaultCode says what was wrong. Codes are stable: metrics are labelled with
// them.
type FaultCode string

// Codes of faults.
const (
	UnknownStatus  FaultCode = "unknown_status"    // no word or number of the push is in any table
	UnknownLabel   FaultCode = "unknown_label"     // the word is in no table, something else gave the status
	UnknownID      FaultCode = "unknown_id"        // the number is not in its table
	LabelDisagrees FaultCode = "label_id_disagree" // word and number mean different things; the word won, in scans the number
	UnreadableTime FaultCode = "unreadable_time"   // in none of the known layouts
	OldTime        FaultCode = "old_time"          // before 2015: skipped
	FutureTime     FaultCode = "future_time"       // too far after receipt: skipped
	ScanUnreadable FaultCode = "scan_unreadable"   // no object, or nothing in it beside a date
	ScansCapped    FaultCode = "scans_capped"      // more scans than are kept; Count is how many were left out
	OddType        FaultCode = "odd_type"          // a value that cannot hold what its key is for
	TooLong        FaultCode = "too_long"          // cut
)

// maxFaultValue is how much of a strange value is told.
const maxFaultValue = 60

// faults gathers what is found, one for each code and field.
type faults []Fault

func (fs *faults) add(code FaultCode, field, value string) {
	for i := range *fs {
		if f := &(*fs)[i]; f.Code == code && f.Field == field {
			f.Count++
			return
		}
	}
	*fs = append(*fs, Fault{Code: code, Field: field, Value: cut(tracking.Scrub(cut(value, 4*maxFaultValue)), maxFaultValue), Count: 1})
}
