package tracking

import (
	"maps"
	"slices"
	"time"
)

// Update is what watchers are told when belief has changed: one shipment as it
// now is, and the order's new version.
type Update struct {
	OrderID     string      `json:"orderId"`
	Aliases     []string    `json:"aliases,omitempty"` // watchers may know the order by these
	OrderNumber Text        `json:"orderNumber"`
	Version     int64       `json:"version"`
	OrderStatus OrderStatus `json:"orderStatus"`
	// Shipment is the one that changed; nil when the order has none yet. Its
	// history is cut to the newest entries.
	Shipment *Shipment `json:"shipment"`
	// StatusChanged is true when the shipment's milestone moved.
	StatusChanged bool      `json:"statusChanged"`
	At            time.Time `json:"at"`
}

// Effect is something to do outside the database after a commit. It stays on
// record until it was done.
type Effect struct {
	ID     int64 // rises in the order of commits
	Kind   string
	Update Update
}

// LiveUpdate is the kind of an effect that tells watchers of an Update.
const LiveUpdate = "live"

// LiveExternal is the kind of an effect that tells an outside server of an
// Update. It is apart from LiveUpdate so that each waits for its own target.
const LiveExternal = "live.external"

// HistoryInUpdate is how many of the newest timeline entries an Update carries.
const HistoryInUpdate = 20

// Revise recomputes belief from the evidence. If the public snapshot changed,
// it raises the version by one for each shipment that changed and returns one
// Update for each, in the order of their versions; otherwise it returns none
// and leaves the version alone. o.Snapshot is the new public view afterwards.
//
// An order that nobody was told about yet (Snapshot is nil) and that has no
// shipment gets its first snapshot without an update.
func (o *Order) Revise(now time.Time) []Update {
	belief := o.Believe()
	o.nameShipments(belief.Shipments)

	old := o.Snapshot
	next := belief.snapshot(o)
	if old == nil && len(next.Shipments) == 0 {
		next.UpdatedAt, next.Version = now, o.Version
		o.Snapshot = next
		return nil
	}
	changed := changedShipments(old, next)
	if len(changed) == 0 {
		if old != nil && sameHead(old, next) {
			return nil
		}
		changed = []int{belief.main}
	}

	updates := make([]Update, 0, len(changed))
	for _, i := range changed {
		o.Version++
		u := Update{
			OrderID: o.ID, Aliases: slices.Clone(o.Aliases), OrderNumber: next.OrderNumber,
			Version: o.Version, OrderStatus: next.OrderStatus, At: now,
		}
		if i >= 0 {
			s := next.Shipments[i]
			s.TrackingHistory = s.TrackingHistory[max(0, len(s.TrackingHistory)-HistoryInUpdate):]
			u.Shipment = &s
			before := shipmentByID(old, s.ID)
			u.StatusChanged = before == nil && s.Milestone != "" || before != nil && before.Milestone != s.Milestone
		}
		updates = append(updates, u)
	}
	o.UpdatedAt = now
	next.UpdatedAt, next.Version = now, o.Version
	o.Snapshot = next
	return updates
}

// Recall derives from kept evidence what watchers were last told, and when. It
// is for an order whose other fields are as they were saved.
func (o *Order) Recall(shown time.Time) {
	belief := o.Believe()
	for i := range belief.Shipments {
		s := &belief.Shipments[i]
		if s.ID = o.ShipmentIDs[s.key]; s.ID == "" {
			// Only a later version of this code splits the same evidence
			// otherwise. The next Revise names it and tells of it.
			s.ID = digest([]byte(o.ID + s.key))[:16]
		}
	}
	o.Snapshot = belief.snapshot(o)
	o.Snapshot.Version, o.Snapshot.UpdatedAt = o.Version, shown
}

// nameShipments gives every shipment its public id: the one it had, or that of
// a shipment which the evidence has since shown to be this one (they share an
// AWB), or a new one.
func (o *Order) nameShipments(shipments []Shipment) {
	ids := make(map[string]string, len(shipments))
	gone := maps.Clone(o.ShipmentIDs)
	for i := range shipments {
		if id, ok := gone[shipments[i].key]; ok {
			shipments[i].ID, ids[shipments[i].key] = id, id
			delete(gone, shipments[i].key)
		}
	}
	for i := range shipments {
		s := &shipments[i]
		if s.ID == "" {
			s.ID = o.inherit(s, gone)
			ids[s.key] = s.ID
		}
	}
	o.ShipmentIDs = ids
}

func (o *Order) inherit(s *Shipment, gone map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(gone)) {
		id := gone[key]
		before := shipmentByID(o.Snapshot, id)
		if before == nil || before.Direction != s.Direction {
			continue
		}
		shared := before.AWBCode == "" && len(before.Legs) == 0
		for _, leg := range before.Legs {
			shared = shared || slices.ContainsFunc(s.Legs, func(l Leg) bool { return l.AWBCode == leg.AWBCode })
		}
		if shared {
			delete(gone, key)
			return id
		}
	}
	return NewOrderID()[:16]
}

func shipmentByID(s *Snapshot, id string) *Shipment {
	if s == nil {
		return nil
	}
	for i := range s.Shipments {
		if s.Shipments[i].ID == id {
			return &s.Shipments[i]
		}
	}
	return nil
}

// changedShipments are the indexes in next of shipments that are not in old or
// differ from it.
func changedShipments(old, next *Snapshot) []int {
	var changed []int
	for i := range next.Shipments {
		before := shipmentByID(old, next.Shipments[i].ID)
		if before == nil || !same(before, &next.Shipments[i]) {
			changed = append(changed, i)
		}
	}
	return changed
}

// sameHead compares all of the public view but the shipments themselves, the
// version and the time of the change.
func sameHead(a, b *Snapshot) bool {
	return len(a.Shipments) == len(b.Shipments) && a.OrderID == b.OrderID && a.OrderNumber == b.OrderNumber &&
		a.OrderStatus == b.OrderStatus && a.Milestone == b.Milestone && a.AWBCode == b.AWBCode
}

// same compares what watchers would see.
func same(a, b *Shipment) bool {
	return a.ID == b.ID && a.Direction == b.Direction && a.AWBCode == b.AWBCode && a.CourierName == b.CourierName &&
		a.Milestone == b.Milestone && a.CurrentStatus == b.CurrentStatus && a.EstimatedDelivery == b.EstimatedDelivery &&
		a.FirstEstimatedDelivery == b.FirstEstimatedDelivery && sameTime(a.DeliveredAt, b.DeliveredAt) &&
		a.DeliveryAttempts == b.DeliveryAttempts && a.UndeliveredReason == b.UndeliveredReason &&
		a.ProofOfDelivery == b.ProofOfDelivery && a.Corrected == b.Corrected && slices.Equal(a.Legs, b.Legs) &&
		slices.EqualFunc(a.TrackingHistory, b.TrackingHistory, func(x, y Entry) bool {
			return x.Timestamp.Equal(y.Timestamp) && x.Status == y.Status && x.Milestone == y.Milestone &&
				x.Location == y.Location && x.Description == y.Description && x.ScanType == y.ScanType
		})
}

func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}
