package durability

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// TestSimulation draws loads, crashes and workers from a seed. In the end every
// order must be believed as a straight fold in memory believes it.
func TestSimulation(t *testing.T) {
	t.Parallel()
	first, seeds := 1, setting(t, "SEEDS", 4)
	if os.Getenv("SEED") != "" {
		first, seeds = setting(t, "SEED", 0), 1
	}
	for n := range seeds {
		eachDatabase(t, func(t *testing.T, db database) {
			seed := uint64(first + n)
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				defer func() {
					if t.Failed() {
						t.Logf("to run it again: SEED=%d go test -count=1 -run 'TestSimulation/%s' ./e2e/durability (with the race detector: %t)", seed, db.Name, raced)
					}
				}()
				simulation(t, db, seed)
			})
		})
	}
}

func simulation(t *testing.T, db database, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	parcels, lives := 120+dice.IntN(120), 12+dice.IntN(8)
	if raced {
		parcels, lives = parcels/4, lives/4
	}
	w := newWorld(t, db, load{
		Seed: seed, Parcels: parcels, Duplicates: dice.Float64() / 3, Shuffle: dice.IntN(4) > 0, Samples: dice.IntN(20),
	})
	w.life.Senders, w.life.Workers = 1<<dice.IntN(6), 1+dice.IntN(4)
	w.life.Hiccup = 10 + dice.Int64N(40)
	all := points()
	began := time.Now()
	for range lives {
		l := w.life
		l.Batch = 1 << dice.IntN(9)
		// A part of the load, so that some is left for later lives. What is in
		// work when the process ends comes again and again.
		l.Most = 20 + dice.IntN(len(w.pushes)/8)
		limit := time.Duration(0)
		if dice.IntN(2) == 0 {
			l.Fault = fault{Point: all[dice.IntN(len(all))], Nth: 1 + dice.Int64N(30)}
		} else {
			limit = time.Duration(20+dice.IntN(200)) * time.Millisecond
		}
		w.live(t, l, limit)
	}
	found := w.end(t)
	t.Logf("seed %d: %d pushes by %d senders to %d workers, %d crashes in %d lives, %s; %s",
		seed, len(w.pushes), w.life.Senders, w.life.Workers, w.deaths, w.lives, time.Since(began).Round(time.Millisecond), found)
}
