package tracking

import (
	"slices"
	"strings"
	"time"
)

// Registration is what the shop tells about an order of its own.
type Registration struct {
	ID        string // brought by the shop, "" to mint one
	Number    string
	ChannelID string
	SR        string
	AWBs      []string
	Contact   *Contact
}

// Register takes over what the shop told. What it left out stays as it was.
// The AWBs and the Shiprocket id become evidence of identity without a status.
func (o *Order) Register(reg Registration, now time.Time) {
	o.Registered = true
	if reg.Number != "" {
		o.Number = reg.Number
	}
	if reg.ChannelID != "" {
		o.ChannelID = reg.ChannelID
	}
	if reg.Contact != nil {
		o.Contact = reg.Contact
	}
	if reg.ID != "" {
		o.Rename(reg.ID)
	}
	name := func(awb string) {
		o.Add(Evidence{Reading: Reading{
			Identity:   Identity{AWB: awb, SR: reg.SR, Direction: Forward},
			EventTime:  now,
			TimeSource: FromReceipt,
			ReceivedAt: now,
			Registered: true,
		}})
	}
	for _, awb := range reg.AWBs {
		if awb != "" {
			name(awb)
		}
	}
	if len(reg.AWBs) == 0 && reg.SR != "" {
		name("")
	}
}

// Lookups are the identifiers under which the order might be known already.
func (reg Registration) Lookups() []Identifier {
	id := Identity{SR: reg.SR, Number: reg.Number, ChannelID: reg.ChannelID, Direction: Forward}
	lookups := id.Lookups()
	for _, awb := range reg.AWBs {
		lookups = append(lookups, Identity{AWB: awb}.Lookups()...)
	}
	if reg.Number != "" {
		lookups = append(lookups, Identifier{Kind: ByTail, Value: reg.Number})
	}
	slices.SortFunc(lookups, Identifier.Compare)
	return slices.Compact(lookups)
}

// ResolveRegistration decides which of the candidates the shop means: the one
// with its id, else with its Shiprocket order id, else with its number, else
// with one of its AWBs. Candidates are all orders found under reg.ID and
// reg.Lookups. Others that turn out to be the same order are merged; where
// that cannot be, the registration conflicts.
func ResolveRegistration(reg Registration, candidates []*Order) Verdict {
	slices.SortFunc(candidates, func(a, b *Order) int { return strings.Compare(a.ID, b.ID) })
	named := make([]names, len(candidates))
	for i, o := range candidates {
		named[i] = namesOf(o)
	}
	var owners []*Order
	claim := func(o *Order) {
		if o != nil && !slices.Contains(owners, o) {
			owners = append(owners, o)
		}
	}
	for _, o := range candidates {
		if reg.ID != "" && (o.ID == reg.ID || slices.Contains(o.Aliases, reg.ID)) {
			claim(o)
		}
	}
	if reg.SR != "" {
		claim(find(candidates, named, func(n names) bool { return n.srs[reg.SR] }))
	}
	numbered, ambiguous := byNumber(Identity{Number: reg.Number, ChannelID: reg.ChannelID}, candidates, named)
	if ambiguous && len(owners) == 0 {
		return Verdict{Conflict: "order number " + reg.Number + " is known in several sales channels; name the channel"}
	}
	claim(numbered)
	for _, awb := range reg.AWBs {
		claim(find(candidates, named, func(n names) bool { return n.awbs[awb] }))
	}
	if len(owners) == 0 {
		for _, o := range candidates { // found by the tail of its number
			if !o.Registered && numberTail(o.DisplayNumber()) == reg.Number {
				claim(o)
			}
		}
	}
	return settle(Identity{AWB: "-"}, owners)
}
