package durability

import (
	"math/rand/v2"
	"testing"
)

// TestCrashAtFaultPoints ends the rooms before and after each of their commits
// and effects. Each point is met several times, at its first pass and at later
// ones.
func TestCrashAtFaultPoints(t *testing.T) {
	t.Parallel()
	rounds := setting(t, "ROUNDS", 2)
	eachDatabase(t, func(t *testing.T, db database) {
		all := points()
		w := newWorld(t, db, load{Seed: 7, Parcels: 6 * rounds * len(all), Duplicates: 0.1, Shuffle: true, Samples: rounds * len(all) * 10})
		w.life.Hiccup = 3
		dice := rand.New(rand.NewPCG(7, 7))
		met := map[string]int{}
		for round := range rounds {
			for _, point := range all {
				l := w.life
				// Enough is sent that every point is passed, and is left for
				// the points to come.
				l.Most = 40
				l.Batch = 1 + dice.IntN(16)
				l.Fault = fault{Point: point, Nth: 1}
				if round > 0 && point != "before recover" && point != "after recover" {
					l.Fault.Nth += dice.Int64N(4)
				}
				if w.live(t, l, 0) {
					met[point]++
				}
			}
		}
		for _, point := range all {
			if met[point] == 0 {
				t.Errorf("no crash happened at the point %q", point)
			}
		}
		t.Logf("%d crashes at %d points; %s", w.deaths, len(met), w.end(t))
	})
}
