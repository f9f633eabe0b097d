package durability

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// A ledger keeps orders in memory and is told evidence by one goroutine, push
// after push: the straight fold that whatever crashes and workers did must
// equal.
type ledger struct {
	orders map[*tracking.Order]bool
	known  map[tracking.Identifier][]*tracking.Order // without channels
	clock  time.Time
}

func newLedger() *ledger {
	return &ledger{orders: map[*tracking.Order]bool{}, known: map[tracking.Identifier][]*tracking.Order{}, clock: moment}
}

// add says why the evidence could not be added: "" if it was.
func (l *ledger) add(e tracking.Evidence) (conflict string) {
	l.clock = l.clock.Add(time.Second)
	var candidates []*tracking.Order
	for _, id := range e.Reading.Lookups() {
		for _, o := range l.known[id] {
			if l.orders[o] && !slices.Contains(candidates, o) {
				candidates = append(candidates, o)
			}
		}
	}
	verdict := tracking.Resolve(e.Reading.Identity, candidates)
	if verdict.Conflict != "" {
		return verdict.Conflict
	}
	o := verdict.Order
	if o == nil {
		o = tracking.NewOrder(l.clock)
		l.orders[o] = true
	}
	for _, gone := range verdict.Merge {
		o.Absorb(gone)
		delete(l.orders, gone)
	}
	o.Add(e)
	for _, id := range o.Identifiers() {
		id.Channel = ""
		if !slices.Contains(l.known[id], o) {
			l.known[id] = append(l.known[id], o)
		}
	}
	return ""
}

// beliefs are what is believed of each order, sorted.
func (l *ledger) beliefs() []string {
	all := make([]string, 0, len(l.orders))
	for o := range l.orders {
		o.Revise(l.clock)
		all = append(all, beliefOf(o))
	}
	slices.Sort(all)
	return all
}

// beliefOf renders what the order's evidence adds up to and what is shown of
// it, without what is drawn or depends on the order of arrival: ids, versions
// and the time of the last change.
func beliefOf(o *tracking.Order) string {
	text := ""
	for _, v := range []any{o.Snapshot, o.Believe()} {
		encoded, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		var tree any
		if err := json.Unmarshal(encoded, &tree); err != nil {
			panic(err)
		}
		if encoded, err = json.MarshalIndent(strip(tree), "", " "); err != nil {
			panic(err)
		}
		text += string(encoded) + "\n"
	}
	return text
}

func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"id", "orderId", "version", "updatedAt"} {
			delete(v, key)
		}
		for _, inner := range v {
			strip(inner)
		}
	case []any:
		for _, inner := range v {
			strip(inner)
		}
	}
	return v
}
