package store

import "github.com/webazaar/waybill/internal/tracking"

// eraseReading takes out of a reading what may name a person.
func eraseReading(r *tracking.Reading) {
	r.UndeliveredReason, r.Raw = tracking.Scrub(r.UndeliveredReason), tracking.Scrub(r.Raw)
}

// eraseScan takes out of a scan what may name a person.
func eraseScan(s *tracking.Scan) {
	s.Activity, s.Location = tracking.Scrub(s.Activity), tracking.Scrub(s.Location)
}
