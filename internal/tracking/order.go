package tracking

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"
)

// Contact is the buyer, as the shop registered them. It never leaves the
// admin calls.
type Contact struct {
	Name  Text `json:"name"`
	Phone Text `json:"phone"`
	Email Text `json:"email"`
}

// Order is the shop's order with all evidence about its parcels. Everything
// below Evidence is derived from it by Believe.
type Order struct {
	ID      string   // public, unguessable
	Aliases []string // earlier public ids, still answered

	// As registered by the shop; Number and ChannelID are empty for an order
	// made from a push.
	Registered bool
	Number     string
	ChannelID  string
	Contact    *Contact

	Version   int64 // raised by one per published Update
	CreatedAt time.Time
	UpdatedAt time.Time

	Readings map[string]*Reading
	Scans    map[string]*Scan

	// ShipmentIDs are the public ids given to shipments, by shipment key.
	ShipmentIDs map[string]string
	// Snapshot is what watchers were last told; nil before the first Revise.
	Snapshot *Snapshot

	dirty dirt
}

// dirt remembers which evidence came or changed since the order was loaded.
type dirt struct {
	readings, scans map[string]bool
}

// NewOrder is an order without evidence under a freshly minted id.
func NewOrder(now time.Time) *Order {
	return &Order{ID: NewOrderID(), CreatedAt: now, UpdatedAt: now}
}

// NewOrderID mints a public order id: 26 characters of [a-z2-7], 130 random
// bits, because knowing the id is the right to watch.
func NewOrderID() string {
	return strings.ToLower(rand.Text())
}

// Add puts evidence into the set and reports how much of it was new: 0 means
// that everything was known.
func (o *Order) Add(e Evidence) int {
	if o.Readings == nil {
		o.Readings = map[string]*Reading{}
	}
	if o.Scans == nil {
		o.Scans = map[string]*Scan{}
	}
	fresh := 0
	r := e.Reading
	key := r.Key()
	if known, ok := o.Readings[key]; !ok {
		r.RetoldAt = latest(r.RetoldAt, r.ProcessedAt)
		o.Readings[key] = &r
		o.dirty.mark(&o.dirty.readings, key)
		fresh++
	} else if known.absorb(&r) {
		o.dirty.mark(&o.dirty.readings, key)
	}
	for _, s := range e.Scans {
		key := s.Key()
		if known, ok := o.Scans[key]; !ok {
			o.Scans[key] = &s
			o.dirty.mark(&o.dirty.scans, key)
			fresh++
		} else if known.absorb(&s) {
			o.dirty.mark(&o.dirty.scans, key)
		}
	}
	return fresh
}

// RecallReading puts a reading back that was kept under a key: the one it had
// when it came, whatever was erased from it since.
func (o *Order) RecallReading(key string, r *Reading) {
	if known, ok := o.Readings[key]; ok {
		known.absorb(r)
		return
	}
	if o.Readings == nil {
		o.Readings = map[string]*Reading{}
	}
	o.Readings[key] = r
}

// RecallScan puts a scan back that was kept under a key.
func (o *Order) RecallScan(key string, s *Scan) {
	if known, ok := o.Scans[key]; ok {
		known.absorb(s)
		return
	}
	if o.Scans == nil {
		o.Scans = map[string]*Scan{}
	}
	o.Scans[key] = s
}

// Absorb takes over everything of other, which turned out to be the same
// order: its evidence, its ids as aliases, its shipments' ids. The caller
// deletes other.
func (o *Order) Absorb(other *Order) {
	// Under the keys they came by: of what was erased they cannot be made anew,
	// and a repeat would be taken for something new.
	for key, r := range other.Readings {
		kept := *r
		o.RecallReading(key, &kept)
		o.dirty.mark(&o.dirty.readings, key)
	}
	for key, s := range other.Scans {
		kept := *s
		o.RecallScan(key, &kept)
		o.dirty.mark(&o.dirty.scans, key)
	}
	for key, id := range other.ShipmentIDs {
		if o.ShipmentIDs == nil {
			o.ShipmentIDs = map[string]string{}
		}
		if _, taken := o.ShipmentIDs[key]; !taken {
			o.ShipmentIDs[key] = id
		}
	}
	o.Aliases = append(append(o.Aliases, other.ID), other.Aliases...)
	o.Version = max(o.Version, other.Version)
	o.CreatedAt = earliest(o.CreatedAt, other.CreatedAt)
	o.Number, o.ChannelID = cmp.Or(o.Number, other.Number), cmp.Or(o.ChannelID, other.ChannelID)
	o.Registered = o.Registered || other.Registered
	if o.Contact == nil {
		o.Contact = other.Contact
	}
}

// Rename makes id the public one and keeps the present id as an alias.
func (o *Order) Rename(id string) {
	if id == o.ID {
		return
	}
	o.Aliases = append(slices.DeleteFunc(o.Aliases, func(a string) bool { return a == id }), o.ID)
	o.ID = id
}

// Changed lists the keys of readings and scans that came or changed since the
// last call of Saved.
func (o *Order) Changed() (readings, scans []string) {
	return slices.Sorted(maps.Keys(o.dirty.readings)), slices.Sorted(maps.Keys(o.dirty.scans))
}

// Saved forgets what Changed lists.
func (o *Order) Saved() { o.dirty = dirt{} }

func (d *dirt) mark(set *map[string]bool, key string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[key] = true
}

// sortedReadings are the readings in the order of the fold: event time, then
// current_timestamp, then rank, then the key itself.
func (o *Order) sortedReadings() []*Reading {
	sorted := make([]*Reading, 0, len(o.Readings))
	for key, r := range o.Readings {
		r.key = key
		sorted = append(sorted, r)
	}
	slices.SortFunc(sorted, (*Reading).compare)
	return sorted
}

func (r *Reading) compare(other *Reading) int {
	return cmp.Or(
		r.EventTime.Compare(other.EventTime),
		r.ProcessedAt.Compare(other.ProcessedAt),
		cmp.Compare(r.Milestone.Rank(), other.Milestone.Rank()),
		strings.Compare(r.key, other.key),
	)
}

// sortedScans are the scans in the order of the timeline: time, then the
// courier's own order, then the key.
func (o *Order) sortedScans() []*Scan {
	sorted := make([]*Scan, 0, len(o.Scans))
	for key, s := range o.Scans {
		s.key = key
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b *Scan) int {
		return cmp.Or(
			a.At.Compare(b.At),
			cmp.Compare(a.Position, b.Position),
			strings.Compare(a.key, b.key),
		)
	})
	return sorted
}
