package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// What is kept in memory of an order is what the database holds of it, after
// every batch, whatever was in it: new orders, repeats, mergers.
func TestHotOrdersAreTheStoredOnes(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t).Open(t)
	rng := rand.New(rand.NewPCG(7, 7))
	pushes := journeys()
	pushes = append(pushes, pushes...)
	rng.Shuffle(len(pushes), func(i, j int) { pushes[i], pushes[j] = pushes[j], pushes[i] })
	most := 0
	for len(pushes) > 0 {
		size := min(1+rng.IntN(6), len(pushes))
		apply(t, s, pushes[:size]...)
		pushes = pushes[size:]
		n, diff, err := s.HotOrders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff != "" {
			t.Fatalf("memory (+) is not what is stored (-):\n%s", diff)
		}
		most = max(most, n)
	}
	if most == 0 {
		t.Error("no order was kept in memory")
	}
}
