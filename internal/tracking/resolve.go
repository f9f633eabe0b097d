package tracking

import (
	"slices"
	"strings"
)

// Identifier is one name of an order in the table of identifiers. Kind and
// Value are unique together with Channel.
type Identifier struct {
	Kind    IdentifierKind
	Value   string
	Channel string // scopes numbers; "" for every other kind
}

// IdentifierKind says what sort of name an Identifier is.
type IdentifierKind string

// Kinds of identifiers.
const (
	ByAWB     IdentifierKind = "awb"
	BySR      IdentifierKind = "sr"
	ByNumber  IdentifierKind = "number"
	ByMaybeSR IdentifierKind = "maybe_sr" // a lone all-digit order_id, or a return's forward_order_id
	// ByTail is the part of a number after its first "_"; Channel holds the
	// part before. Only a registration looks it up.
	ByTail IdentifierKind = "number_tail"
)

// Compare orders identifiers the way they are locked.
func (i Identifier) Compare(other Identifier) int {
	if c := strings.Compare(string(i.Kind), string(other.Kind)); c != 0 {
		return c
	}
	if c := strings.Compare(i.Value, other.Value); c != 0 {
		return c
	}
	return strings.Compare(i.Channel, other.Channel)
}

// Lookups are the identifiers under which an order might be known to which
// evidence naming i belongs, sorted. Their Channel is empty and to be ignored:
// a number is looked up in every channel, a tail behind every head.
func (i Identity) Lookups() []Identifier {
	var ids []Identifier
	add := func(kind IdentifierKind, value string) {
		if value != "" {
			ids = append(ids, Identifier{Kind: kind, Value: value})
		}
	}
	add(ByAWB, i.AWB)
	add(ByAWB, i.ReturnAWB)
	add(BySR, i.SR)
	add(BySR, i.MaybeSR)
	add(BySR, i.ForwardRef)
	add(ByMaybeSR, i.SR)
	add(ByNumber, i.Number)
	add(ByNumber, i.ForwardRef)
	if tail := numberTail(i.Number); tail != "" {
		add(ByNumber, tail)
	}
	if i.Number != "" && i.Direction != Return {
		add(ByMaybeSR, i.Number)
	}
	slices.SortFunc(ids, Identifier.Compare)
	return slices.Compact(ids)
}

// numberTail is the part of a number after its first "_": Shiprocket puts a
// prefix of its own before some channels' numbers (docs sample:
// 1373900_150876814).
func numberTail(number string) string {
	_, tail, _ := strings.Cut(number, "_")
	return tail
}

// Identifiers are all names under which the order is to be found again,
// sorted.
func (o *Order) Identifiers() []Identifier {
	var ids []Identifier
	add := func(kind IdentifierKind, value, channel string) {
		if value != "" {
			ids = append(ids, Identifier{Kind: kind, Value: value, Channel: channel})
		}
	}
	add(ByNumber, o.Number, o.ChannelID)
	for _, r := range o.Readings {
		add(ByAWB, r.AWB, "")
		add(ByAWB, r.ReturnAWB, "")
		add(BySR, r.SR, "")
		if r.Number != r.SR { // hyperlocal pushes repeat Shiprocket's id as the number
			add(ByNumber, r.Number, r.ChannelID)
			if head, tail, ok := strings.Cut(r.Number, "_"); ok && !o.Registered {
				add(ByTail, tail, head)
			}
		}
		if r.SR == "" {
			add(ByMaybeSR, r.MaybeSR, "")
		}
		add(ByMaybeSR, r.ForwardRef, "")
	}
	slices.SortFunc(ids, Identifier.Compare)
	return slices.Compact(ids)
}

// A Verdict says whose evidence a push is.
type Verdict struct {
	// Order is the one it belongs to; nil when none is known yet.
	Order *Order
	// Merge are orders that the push shows to be the same as Order.
	Merge []*Order
	// Conflict, if not empty, is why it must not be applied: a sentence that
	// is safe to show.
	Conflict string
}

// Resolve decides which of the candidates a push belongs to that names itself
// as id says. Candidates are all orders found under id.Lookups, each once; the
// answer does not depend on their order.
func Resolve(id Identity, candidates []*Order) Verdict {
	slices.SortFunc(candidates, func(a, b *Order) int { return strings.Compare(a.ID, b.ID) })
	named := make([]names, len(candidates))
	for i, o := range candidates {
		named[i] = namesOf(o)
	}

	var owners []*Order // strongest claim first
	claim := func(o *Order) {
		if o != nil && !slices.Contains(owners, o) {
			owners = append(owners, o)
		}
	}
	var own *Order // of Shiprocket's id
	if id.SR != "" {
		own = find(candidates, named, func(n names) bool { return n.srs[id.SR] })
		claim(own)
	}
	for _, awb := range []string{id.AWB, id.ReturnAWB} {
		if awb == "" {
			continue
		}
		for i, o := range candidates {
			if !named[i].awbs[awb] {
				continue
			}
			other, live := o.heldUnder(awb, id.SR)
			switch {
			case other != "" && live && !own.hasLeg(awb, id.SR):
				return Verdict{Conflict: "AWB " + awb + " is known under another open shipment (Shiprocket order " + other + ")"}
			case other == "":
				claim(o)
			}
		}
	}
	numbered, ambiguous := byNumber(id, candidates, named)
	if ambiguous && len(owners) == 0 {
		return Verdict{Conflict: "order number " + id.Number + " is known in several sales channels, and the push names none"}
	}
	claim(numbered)
	if numbered == nil && id.MaybeSR != "" && len(owners) == 0 {
		claim(find(candidates, named, func(n names) bool { return n.srs[id.MaybeSR] }))
	}
	if id.SR != "" {
		claim(find(candidates, named, func(n names) bool { return n.maybe[id.SR] }))
	}
	if id.ForwardRef != "" {
		claim(find(candidates, named, func(n names) bool { return n.srs[id.ForwardRef] || n.hasNumber(id.ForwardRef) }))
	}
	if id.Number != "" && id.Direction != Return {
		claim(find(candidates, named, func(n names) bool { return n.maybe[id.Number] && n.weak }))
	}
	return settle(id, owners)
}

// settle makes one order of all that claim a push, or says why that cannot be.
func settle(id Identity, owners []*Order) Verdict {
	if len(owners) == 0 {
		return Verdict{}
	}
	for i, a := range owners {
		for _, b := range owners[i+1:] {
			if !mergeable(a, b) {
				return Verdict{Conflict: "its ids point at different orders (" + shown(a) + " and " + shown(b) + ")"}
			}
		}
	}
	keep := slices.MinFunc(owners, func(a, b *Order) int {
		if a.Registered != b.Registered {
			if a.Registered {
				return -1
			}
			return 1
		}
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	v := Verdict{Order: keep}
	for _, o := range owners {
		if o != keep {
			v.Merge = append(v.Merge, o)
		}
	}
	if id.AWB == "" && id.SR == "" && len(v.Merge) == 0 && !keep.knowsSR(id.MaybeSR) {
		if n := keep.openShipments(id.Direction); n > 1 {
			return Verdict{Conflict: "it names only the order, which has several open shipments"}
		}
	}
	return v
}

func shown(o *Order) string {
	if n := o.DisplayNumber(); n != "" {
		return n
	}
	return o.ID
}

// names are an order's identifiers as sets.
type names struct {
	awbs, srs, maybe map[string]bool
	numbers          map[string][]string // number → channels
	registered       bool
	// weak: the order has no number of its own that would speak against being
	// another order's part.
	weak bool
}

func (n names) hasNumber(number string) bool { return len(n.numbers[number]) > 0 }

func namesOf(o *Order) names {
	n := names{
		awbs: map[string]bool{}, srs: map[string]bool{}, maybe: map[string]bool{},
		numbers: map[string][]string{}, registered: o.Registered, weak: o.weaklyNumbered(),
	}
	for _, id := range o.Identifiers() {
		switch id.Kind {
		case ByAWB:
			n.awbs[id.Value] = true
		case BySR:
			n.srs[id.Value] = true
		case ByMaybeSR:
			n.maybe[id.Value] = true
		case ByNumber:
			n.numbers[id.Value] = append(n.numbers[id.Value], id.Channel)
		}
	}
	return n
}

func find(candidates []*Order, named []names, match func(names) bool) *Order {
	for i, o := range candidates {
		if match(named[i]) {
			return o
		}
	}
	return nil
}

// byNumber finds the order a number means. A push without a channel matches
// any; one with a channel matches its own, else an order whose channel is not
// known yet. The part after the first "_" serves only registered orders.
func byNumber(id Identity, candidates []*Order, named []names) (found *Order, ambiguous bool) {
	if id.Number == "" || id.Number == id.SR {
		return nil, false
	}
	var exact, open []*Order
	for i, o := range candidates {
		channels := named[i].numbers[id.Number]
		switch {
		case len(channels) == 0:
		case id.ChannelID != "" && slices.Contains(channels, id.ChannelID):
			exact = append(exact, o)
		case id.ChannelID == "" || !slices.ContainsFunc(channels, func(c string) bool { return c != "" }):
			open = append(open, o)
		}
	}
	matches := exact
	if len(matches) == 0 {
		matches = open
	}
	if len(matches) == 0 {
		tail := numberTail(id.Number)
		for i, o := range candidates {
			if tail != "" && named[i].registered && o.Number == tail {
				matches = append(matches, o)
			}
		}
	}
	if len(matches) == 1 {
		return matches[0], false
	}
	return nil, len(matches) > 1
}

// mergeable reports whether two orders may turn out to be one: not when both
// carry a number of their own, or both were registered by the shop.
func mergeable(a, b *Order) bool {
	if a.Registered && b.Registered {
		return false
	}
	return a.weaklyNumbered() || b.weaklyNumbered() || sharesNumber(a, b)
}

func sharesNumber(a, b *Order) bool {
	na, nb := namesOf(a), namesOf(b)
	for number, channels := range na.numbers {
		for _, c := range nb.numbers[number] {
			if c == "" || slices.Contains(channels, "") || slices.Contains(channels, c) {
				return true
			}
		}
		if nb.registered && nb.hasNumber(numberTail(number)) {
			return true
		}
	}
	for number := range nb.numbers {
		if na.registered && na.hasNumber(numberTail(number)) {
			return true
		}
	}
	return false
}

// weaklyNumbered reports whether nothing but a return, a repeated Shiprocket
// id or a lone order_id gave the order its number.
func (o *Order) weaklyNumbered() bool {
	if o.Number != "" {
		return false
	}
	for _, r := range o.Readings {
		if r.Number != "" && r.Number != r.SR && r.Number != r.MaybeSR && r.Direction != Return {
			return false
		}
	}
	return true
}
