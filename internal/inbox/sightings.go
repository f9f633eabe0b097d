package inbox

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// Sighting is something met on the way that no row's status tells.
type Sighting struct {
	Code        AlarmCode
	Value       string // what was met, fit to be shown; "" where there is nothing to tell
	Count       int
	First, Last time.Time
}

// valuesSeen is how many different values of one code are told apart until they
// are kept: whoever sends what he likes shall not fill memory with it.
const valuesSeen = 20

// sightings gathers what is met until it is kept.
type sightings struct {
	mu    sync.Mutex
	fresh map[AlarmCode]map[string]int
}

func (s *sightings) add(code AlarmCode, value string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh == nil {
		s.fresh = map[AlarmCode]map[string]int{}
	}
	values := s.fresh[code]
	if values == nil {
		values = map[string]int{}
		s.fresh[code] = values
	}
	if _, known := values[value]; !known && len(values) >= valuesSeen {
		value = ""
	}
	values[value] += n
}

// take empties it; what was met, was met now.
func (s *sightings) take(now time.Time) []Sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Sighting
	for code, values := range s.fresh {
		for value, n := range values {
			all = append(all, Sighting{Code: code, Value: value, Count: n, First: now, Last: now})
		}
	}
	s.fresh = nil
	slices.SortFunc(all, func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Value, b.Value))
	})
	return all
}

// giveBack takes back what could not be kept.
func (s *sightings) giveBack(all []Sighting) {
	for _, one := range all {
		s.add(one.Code, one.Value, one.Count)
	}
}

// fault notes what an operator should hear of: that a table of statuses is
// behind the carrier's. Values of faults may be shown.
func (s *sightings) fault(f *shiprocket.Fault) {
	switch f.Code {
	case shiprocket.UnknownStatus:
		s.add(UnknownStatusSeen, f.Value, 1)
	case shiprocket.LabelDisagrees:
		s.add(LabelDisagrees, f.Field+" "+f.Value, 1)
	}
}
