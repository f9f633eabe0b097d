package simulate

import (
	"math/rand/v2"
	"slices"
)

// A place is where on a parcel's way something happens.
type place int

const (
	sender place = iota // where the parcel is collected: the seller's, or the buyer's of a return
	originHub
	transitHub
	wrongHub // of a misrouted parcel
	destinationHub
	branch // where the last rider sets out from
)

type city struct{ name, state, code, area string }

// shops are where sellers are; the rest of cities is where everybody is.
const shops = 5

var cities = []city{
	{"Jaipur", "Rajasthan", "JAI", "Mansarovar"},
	{"Surat", "Gujarat", "STV", "Katargam"},
	{"Bengaluru", "Karnataka", "BLR", "Hebbal"},
	{"Pune", "Maharashtra", "PNQ", "Parvati"},
	{"Ahmedabad", "Gujarat", "AMD", "Naroda"},
	{"Mumbai", "Maharashtra", "BOM", "Andheri"},
	{"Delhi", "Delhi", "DEL", "Okhla"},
	{"Hyderabad", "Telangana", "HYD", "Kukatpally"},
	{"Chennai", "Tamil Nadu", "MAA", "Guindy"},
	{"Kolkata", "West Bengal", "CCU", "Behala"},
	{"Kochi", "Kerala", "COK", "Edappally"},
	{"Lucknow", "Uttar Pradesh", "LKO", "Aliganj"},
	{"Guwahati", "Assam", "GAU", "Dispur"},
	{"Bhopal", "Madhya Pradesh", "BHO", "Kolar"},
	{"Chandigarh", "Chandigarh", "IXC", "Manimajra"},
	{"Patna", "Bihar", "PAT", "Kankarbagh"},
	{"Bhubaneswar", "Odisha", "BBI", "Patia"},
	{"Coimbatore", "Tamil Nadu", "CJB", "Peelamedu"},
	{"Nagpur", "Maharashtra", "NAG", "Dharampeth"},
	{"Dehradun", "Uttarakhand", "DED", "Rajpur"},
}

// hubs are the cities through which couriers lead everything.
var hubs = []int{5, 6, 7, 9, 18}

// A route is a parcel's way over four different cities.
type route struct{ from, over, astray, to city }

func drawRoute(rng *rand.Rand) route {
	from := rng.IntN(shops)
	to := (from + 1 + rng.IntN(len(cities)-1)) % len(cities)
	between := slices.DeleteFunc(slices.Clone(hubs), func(n int) bool { return n == to })
	rng.Shuffle(len(between), func(i, j int) { between[i], between[j] = between[j], between[i] })
	return route{from: cities[from], over: cities[between[0]], astray: cities[between[1]], to: cities[to]}
}

// back is the way of a return.
func (r route) back() route {
	r.from, r.to = r.to, r.from
	return r
}

// across is the way of a parcel that stays in town.
func (r route) across() route {
	r.to = r.from
	return r
}

func (r route) city(p place) city {
	switch p {
	case transitHub:
		return r.over
	case wrongHub:
		return r.astray
	case destinationHub, branch:
		return r.to
	}
	return r.from
}
