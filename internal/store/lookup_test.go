package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestCandidatesAreTheOrdersOfANumber(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		register := func(reg tracking.Registration) *tracking.Order {
			t.Helper()
			o, _, err := s.Register(ctxOf(t), noon, reg)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		asha := &tracking.Contact{Name: "Asha Rao", Phone: "9000003210", Email: "asha@shop.example"}
		web := register(tracking.Registration{Number: "N-1", ChannelID: "7", Contact: asha})
		app := register(tracking.Registration{Number: "N-1", ChannelID: "8", Contact: &tracking.Contact{Phone: "9000009999"}})
		other := register(tracking.Registration{Number: "N-2", Contact: asha})
		pushed := apply(t, s, told{awb: "A3", sr: "S3", number: "N-3", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})[0].OrderID

		// find returns ids; its orders are checked to be whole.
		find := func(numbers ...string) []string {
			t.Helper()
			candidates, err := s.Candidates(ctxOf(t), numbers)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, c := range candidates {
				if c.CreatedAt.IsZero() {
					t.Errorf("%s was never made", c.OrderID)
				}
				if c.OrderID == web.ID && (c.Contact == nil || *c.Contact != *asha) {
					t.Errorf("contact %+v", c.Contact)
				}
				if c.OrderID == pushed && c.Contact != nil {
					t.Errorf("an order that was never registered has the contact %+v", c.Contact)
				}
				ids = append(ids, c.OrderID)
			}
			slices.Sort(ids)
			return ids
		}
		sorted := func(ids ...string) []string { slices.Sort(ids); return ids }
		for _, tt := range []struct {
			numbers, want []string
		}{
			{[]string{"N-1"}, sorted(web.ID, app.ID)},
			{[]string{"#N-1", "N-1", "n-1"}, sorted(web.ID, app.ID)},
			{[]string{"N-1", "N-2", "N-2"}, sorted(web.ID, app.ID, other.ID)},
			{[]string{"N-3"}, []string{pushed}},
			{[]string{"N-4", "A3", "S3", web.ID, "", "\x00", "\xff", strings.Repeat("9", 5000)}, nil},
			{nil, nil},
		} {
			if got := find(tt.numbers...); !slices.Equal(got, tt.want) {
				t.Errorf("%.60q finds %q, want %q", tt.numbers, got, tt.want)
			}
		}

		if err := s.ErasePersonalData(ctxOf(t), other.ID); err != nil {
			t.Fatal(err)
		}
		erased, err := s.Candidates(ctxOf(t), []string{"N-2"})
		if err != nil || len(erased) != 1 || erased[0].Contact != nil {
			t.Errorf("after it was erased: %+v, %v", erased, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Candidates(ctxOf(t), []string{"N-1"}); tracking.ErrorCode(err) != tracking.Unavailable {
			t.Errorf("of a closed store: %v", err)
		}
	})
}
