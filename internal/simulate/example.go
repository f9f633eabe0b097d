package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

type example struct {
	name string
	step step
}

// examples are single pushes about one parcel, to be sent by hand.
var examples = []example{
	{"pickup_scheduled", collected[0]},
	{"picked_up", collected[2]},
	{"shipped", collected[3]},
	{"in_transit", hauled[1]},
	{"reached_hub", hauled[3]},
	{"out_for_delivery", handedOver[0]},
	{"undelivered", step{
		status: undelivered, scans: []line{{saidNobodyHome, branch}},
		fact: fact{reason: "Customer Not Available", reasonCode: "SRNDR1"},
	}},
	{"delivered", handedOver[1]},
	{"rto_initiated", step{status: rtoInitiated, scans: []line{{saidBagged, branch}}}},
	{"cancelled", step{status: cancelled}},
}

// Examples are the names that Example knows.
func Examples() []string {
	var names []string
	for _, e := range examples {
		names = append(names, e.name)
	}
	return names
}

// Example is one push of family A with its newest scans alone, small enough to
// read: what Shiprocket would send at now about something that happened six
// seconds before. All are about the same parcel, AWB 19041424751500 of order
// WB-1001, so sending them one after the other moves it along.
func Example(name string, now time.Time) ([]byte, error) {
	i := slices.IndexFunc(examples, func(e example) bool { return e.name == name })
	if i < 0 {
		return nil, fmt.Errorf("simulate: no example is called %q; there are %s", name, strings.Join(Examples(), ", "))
	}
	st := examples[i].step
	st.scans = st.scans[max(0, len(st.scans)-1):]
	j := &journey{kind: Happy, title: "an example", legs: []leg{{etaDays: 2}}, steps: []step{st}}
	p := shop{tag: "EXAMPLE", channel: 3422553}.parcel(0, j)
	p.Number = "WB-1001"
	p.legs[0].courier, p.legs[0].awb, p.legs[0].sr = couriers[0], "19041424751500", 348456300
	p.happen(now.Add(-6*time.Second), now)
	return p.body(0, retelling{}), nil
}
