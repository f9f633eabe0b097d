package store_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestAllowedAddresses(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		one, two := netip.MustParsePrefix("203.0.113.9/32"), netip.MustParsePrefix("2001:db8::/48")
		for i, p := range []netip.Prefix{two, one, two} {
			if err := s.AllowAddress(ctx, inbox.AllowedAddress{Prefix: p, At: noon.Add(time.Duration(i) * time.Second), By: "me"}); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.AllowedAddresses(ctx)
		if err != nil || len(all) != 2 || all[0] != (inbox.AllowedAddress{Prefix: two, At: noon, By: "me"}) || all[1].Prefix != one {
			t.Errorf("kept: %+v, %v", all, err)
		}
		if err := s.ForgetAddress(ctx, two); err != nil {
			t.Fatal(err)
		}
		if err := s.ForgetAddress(ctx, two); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("forget it twice: %v", err)
		}
		if all, err := s.AllowedAddresses(ctx); err != nil || len(all) != 1 {
			t.Errorf("left: %+v, %v", all, err)
		}
	})
}

func TestReleaseAddresses(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		reject := func(id, peer string, reason inbox.Reason) string {
			t.Helper()
			w := pushed(id, `{"awb":"`+id+`"}`)
			w.AWB, w.Peer, w.Status, w.Reason = id, peer, inbox.Rejected, reason
			return keep(t, s, w)
		}
		const rows = 1100 // more than two slices
		for i := range rows {
			w := pushed(fmt.Sprint("E", i), fmt.Sprint(i))
			w.Status, w.Reason, w.Peer = inbox.Rejected, inbox.Address, fmt.Sprintf("203.0.113.%d", i%2)
			if _, err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		reject("six", "2001:db8::7", inbox.Address)
		reject("other", "203.0.113.1", inbox.NotJSON)
		reject("nowhere", "invalid IP", inbox.Address)
		dismissed := reject("dismissed", "203.0.113.1", inbox.Address)
		if err := s.Dismiss(ctx, dismissed, noon, ""); err != nil {
			t.Fatal(err)
		}
		release := func(prefixes ...string) int {
			t.Helper()
			var all []netip.Prefix
			for _, p := range prefixes {
				all = append(all, netip.MustParsePrefix(p))
			}
			released, after := 0, ""
			for range 10 {
				n, last, err := s.ReleaseAddresses(ctx, all, after)
				if err != nil {
					t.Fatal(err)
				}
				released, after = released+n, last
				if last == "" {
					return released
				}
			}
			t.Fatal("it does not come to an end")
			return 0
		}
		for _, step := range []struct {
			prefixes []string
			want     int
		}{
			{[]string{"198.51.100.0/24"}, 0},
			{[]string{"203.0.113.1/32"}, rows / 2},
			{[]string{"203.0.113.1/32"}, 0},
			{[]string{"203.0.113.0/24", "2001:db8::/32"}, rows/2 + 1},
		} {
			if got := release(step.prefixes...); got != step.want {
				t.Errorf("%v: %d rows released, want %d", step.prefixes, got, step.want)
			}
		}
		depth, err := s.Depth(ctx)
		if err != nil || depth[inbox.Pending] != rows+1 || depth[inbox.Rejected] != 3 {
			t.Errorf("%v, %v", depth, err)
		}
		if got := claim(t, s, rows+1); len(got) != rows+1 {
			t.Errorf("%d rows can be claimed, want %d", len(got), rows+1)
		}
		if found, err := s.Webhooks(ctx, store.Filter{Status: inbox.Rejected}, 1, 9); err != nil || len(found.Rows) != 3 {
			t.Errorf("left: %+v, %v", found, err)
		}
	})
}
