package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// A change is what one webhook does to an order, told in the log in plain
// words.
type change struct {
	order    *loaded
	evidence *tracking.Evidence
	created  bool // the order was made for it
	joined   int  // orders that it showed to be this one
	unknown  bool // its status is in no table

	newest time.Time // of the evidence known before
	scans  int       // known before
}

// begin looks at the order before the evidence is added.
func (c *change) begin() {
	c.scans = len(c.order.Scans)
	for _, r := range c.order.Readings {
		if !r.Registered && r.TimeSource.Dated() && r.EventTime.After(c.newest) {
			c.newest = r.EventTime
		}
	}
}

// tell says what became of the webhook: fresh is how much of its evidence was
// new, updates what watchers are told because of it.
func (c *change) tell(fresh int, updates []tracking.Update) (inbox.Reason, string) {
	if fresh == 0 && len(updates) == 0 && c.joined == 0 {
		return inbox.NothingNew, "nothing new: this was known already"
	}
	var said []string
	if c.created {
		said = append(said, "a new order")
	}
	if c.joined > 0 {
		said = append(said, "showed orders to be one and the same")
	}
	shown, moved := c.shown(updates)
	switch {
	case moved:
		said = append(said, "status is now "+shown)
	case !c.created && c.late():
		said = append(said, "late: added to the timeline, status stays "+shown)
		return c.reason(inbox.Late), strings.Join(said, "; ")
	}
	switch n := len(c.order.Scans) - c.scans; {
	case n == 1:
		said = append(said, "1 new scan")
	case n > 1:
		said = append(said, fmt.Sprintf("%d new scans", n))
	}
	if c.unknown {
		said = append(said, fmt.Sprintf("its status %q is in no table: shown as it was sent, status stays %s",
			tracking.Scrub(c.evidence.Reading.Raw), shown))
	}
	switch {
	case len(said) == 0 && len(updates) > 0:
		said = append(said, "details changed, status stays "+shown)
	case len(said) == 0:
		said = append(said, "kept; nothing that is shown changed")
	}
	return c.reason(inbox.NoReason), strings.Join(said, "; ")
}

func (c *change) reason(otherwise inbox.Reason) inbox.Reason {
	if c.unknown {
		return inbox.UnknownStatus
	}
	return otherwise
}

func (c *change) late() bool {
	r := &c.evidence.Reading
	return r.TimeSource.Dated() && r.EventTime.Before(c.newest)
}

// shown is the status of the shipment that the webhook speaks of, and whether
// the webhook moved it.
func (c *change) shown(updates []tracking.Update) (status string, moved bool) {
	for i := range updates {
		if s := updates[i].Shipment; s != nil && updates[i].StatusChanged {
			return words(s), true
		}
	}
	snapshot := c.order.Snapshot
	if snapshot == nil {
		return "unknown", false
	}
	for i := range snapshot.Shipments {
		for _, leg := range snapshot.Shipments[i].Legs {
			if leg.AWBCode == c.evidence.Reading.AWB {
				return words(&snapshot.Shipments[i]), false
			}
		}
	}
	if snapshot.CurrentStatus != "" {
		return string(snapshot.CurrentStatus), false
	}
	return "unknown", false
}

func words(s *tracking.Shipment) string {
	if s.CurrentStatus != "" {
		return string(s.CurrentStatus)
	}
	return "unknown"
}
