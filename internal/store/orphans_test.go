package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// What was committed without the process hearing of it is worked off all the
// same, and what it did hear of is worked off once.
func TestLostAnswersOfCommits(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t).Open(t)
	push := func(from, to int) {
		for i := from; i < to; i++ {
			if _, err := s.Append(ctxOf(t), pushed(fmt.Sprint("E", i), fmt.Sprintf(`{"awb":"%d"}`, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	push(0, 3)
	s.LoseAnswer()
	push(3, 5)
	if a, err := s.Append(ctxOf(t), pushed("E0", `{"awb":"0"}`)); err != nil || a.Status != inbox.Pending || !a.Duplicate {
		t.Fatalf("a repeat: %+v, %v", a, err)
	}
	claimed := map[string]int{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); len(claimed) < 5; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%d of 5 were given out", len(claimed))
		}
		rows, err := s.Claim(ctxOf(t), 10, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range rows {
			claimed[w.EventID]++
		}
	}
	for id, times := range claimed {
		if times != 1 {
			t.Errorf("%s was given out %d times", id, times)
		}
	}
}
