package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// acting is ctx of an act of the command line's.
func acting(t testing.TB, act access.Act) context.Context {
	t.Helper()
	return access.WithEntry(ctxOf(t), &access.Entry{At: noon, Actor: access.CommandLine(), Act: act})
}

// tokenOf makes a token in a store.
func tokenOf(t testing.TB, s *store.Store, name string, at, expires time.Time) access.Token {
	t.Helper()
	token, err := s.CreateToken(acting(t, access.CreateToken), access.Token{
		Name: name, Role: access.Viewer, Hash: access.HashSecret("the secret of " + name), CreatedAt: at, CreatedBy: "the test", ExpiresAt: expires,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensAreKept(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		if live, err := s.LiveTokens(ctx, noon); err != nil || len(live) != 0 {
			t.Fatalf("of a new database: %v, %v", live, err)
		}
		forever := tokenOf(t, s, "forever", noon, time.Time{})
		hour := tokenOf(t, s, "an hour", noon.Add(time.Second), noon.Add(time.Hour+time.Nanosecond))
		if forever.ID == "" || forever.ID == hour.ID || !hour.ExpiresAt.Equal(noon.Add(time.Hour)) {
			t.Fatalf("%+v\n%+v", forever, hour)
		}
		liveAt := func(at time.Time, want ...access.Token) {
			t.Helper()
			live, err := s.LiveTokens(ctx, at)
			if err != nil || len(live) != len(want) {
				t.Errorf("at %v: %v, %v", at, live, err)
				return
			}
			byID := map[string]access.Token{}
			for _, token := range live {
				byID[token.ID] = token
			}
			for _, token := range want {
				if byID[token.ID] != token {
					t.Errorf("at %v: %+v, want %+v", at, byID[token.ID], token)
				}
			}
		}
		liveAt(noon, forever, hour)
		liveAt(noon.Add(time.Hour), forever)

		// The last use moves forward only.
		for _, at := range []time.Time{noon.Add(2 * time.Minute), noon.Add(time.Minute)} {
			if err := s.NoteTokensUsed(ctx, map[string]time.Time{forever.ID: at, "unknown": at}); err != nil {
				t.Fatal(err)
			}
		}
		forever.LastUsedAt = noon.Add(2 * time.Minute)
		liveAt(noon, forever, hour)

		revoked, err := s.RevokeToken(acting(t, access.RevokeToken), forever.ID, noon.Add(time.Minute))
		if err != nil || !revoked.RevokedAt.Equal(noon.Add(time.Minute)) || revoked.Name != "forever" {
			t.Errorf("%+v, %v", revoked, err)
		}
		again, err := s.RevokeToken(acting(t, access.RevokeToken), forever.ID, noon.Add(time.Hour))
		if err != nil || again != revoked {
			t.Errorf("revoked twice: %+v, %v", again, err)
		}
		if _, err := s.RevokeToken(acting(t, access.RevokeToken), "unknown\x00", noon); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("an unknown one: %v", err)
		}
		liveAt(noon, hour)

		for page, want := range []access.Token{hour, revoked} {
			tokens, total, err := s.Tokens(ctx, page+1, 1)
			if err != nil || total != 2 || len(tokens) != 1 || tokens[0] != want {
				t.Errorf("page %d: %v of %d, %v", page+1, tokens, total, err)
			}
		}
		if tokens, total, err := s.Tokens(ctx, 3, 1); err != nil || total != 2 || len(tokens) != 0 {
			t.Errorf("past the last page: %v of %d, %v", tokens, total, err)
		}
	})
}

// Tokens are kept in memory by every process, so there is an end to them; those
// that are revoked or have expired do not count.
func TestTokensHaveAnEnd(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		var last access.Token
		for i := range 1000 {
			last = tokenOf(t, s, fmt.Sprint(i), noon, noon.Add(time.Hour))
		}
		one := access.Token{Name: "one more", Role: access.Shop, Hash: access.HashSecret("one more"), CreatedAt: noon}
		if _, err := s.CreateToken(acting(t, access.CreateToken), one); tracking.ErrorCode(err) != tracking.Conflict {
			t.Fatalf("one more: %v", err)
		}
		if _, err := s.RevokeToken(acting(t, access.RevokeToken), last.ID, noon); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateToken(acting(t, access.CreateToken), one); err != nil {
			t.Fatalf("after one was revoked: %v", err)
		}
		one.Hash, one.CreatedAt = access.HashSecret("another"), noon.Add(time.Hour)
		if _, err := s.CreateToken(acting(t, access.CreateToken), one); err != nil {
			t.Fatalf("after all have expired: %v", err)
		}
	})
}
