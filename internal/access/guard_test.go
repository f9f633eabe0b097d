package access_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/access"
)

// kept is where tokens are kept, for what a real store does not do when asked:
// fail, and dawdle.
type kept struct {
	live func(ctx context.Context, now time.Time) ([]access.Token, error)
	note func(ctx context.Context, at map[string]time.Time) error
}

func (k *kept) LiveTokens(ctx context.Context, now time.Time) ([]access.Token, error) {
	return k.live(ctx, now)
}

func (k *kept) NoteTokensUsed(ctx context.Context, at map[string]time.Time) error {
	return k.note(ctx, at)
}

const secret = "wb_viewer_0123456789abcdef0123456789abcdef"

func token(id, secret string) access.Token {
	return access.Token{ID: id, Name: "of " + id, Role: access.Viewer, Hash: access.HashSecret(secret)}
}

func always(tokens ...access.Token) func(context.Context, time.Time) ([]access.Token, error) {
	return func(context.Context, time.Time) ([]access.Token, error) { return tokens, nil }
}

func TestKeptTokens(t *testing.T) {
	t.Parallel()
	expiring := token("2", secret+"2")
	expiring.ExpiresAt = noon.Add(time.Minute)
	now := noon
	reads := 0
	g := access.New(access.Options{
		AdminToken: "an-admin-token", Now: func() time.Time { return now },
		Tokens: &kept{live: func(context.Context, time.Time) ([]access.Token, error) {
			reads++
			return []access.Token{token("1", secret), expiring}, nil
		}},
	})
	if actor, err := g.Who(asked(t, "Bearer "+secret)); err != nil || actor != (access.Actor{TokenID: "1", Name: "of 1", Role: access.Viewer}) {
		t.Errorf("%+v, %v", actor, err)
	}
	if actor, err := g.Who(asked(t, "Bearer "+secret+"2")); err != nil || actor.TokenID != "2" {
		t.Errorf("%+v, %v", actor, err)
	}
	if actor, err := g.Who(asked(t, "Bearer an-admin-token")); err != nil || actor.Role != access.Admin {
		t.Errorf("%+v, %v", actor, err)
	}
	for _, wrong := range []string{secret + "3", "wb_", "other-" + secret} {
		for range 100 {
			if actor, err := g.Who(asked(t, "Bearer "+wrong)); !errors.Is(err, access.ErrUnknown) {
				t.Errorf("%s: %+v, %v", wrong, actor, err)
			}
		}
	}
	if reads != 1 || g.Refused() != 300 {
		t.Errorf("%d reads for calls at one time, %d refused", reads, g.Refused())
	}
	// One that expires does so at once, whatever was read before.
	now = now.Add(time.Second)
	g.Forget()
	if _, err := g.Who(asked(t, "Bearer "+secret+"2")); err != nil {
		t.Error(err)
	}
	now = expiring.ExpiresAt
	if actor, err := g.Who(asked(t, "Bearer "+secret+"2")); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("an expired token: %+v, %v", actor, err)
	}
}

// What another process changes is seen within seconds; what this one does, at
// once, also while tokens are being read.
func TestRevocation(t *testing.T) {
	t.Parallel()
	now := noon
	var live []access.Token
	during := func() {}
	g := access.New(access.Options{Now: func() time.Time { return now }, Tokens: &kept{live: func(context.Context, time.Time) ([]access.Token, error) {
		read := live
		during()
		return read, nil
	}}})
	in := func() bool {
		_, err := g.Who(asked(t, "Bearer "+secret))
		return err == nil
	}
	if in() {
		t.Error("a token that nobody made opens")
	}
	live = []access.Token{token("1", secret)}
	if now = now.Add(250 * time.Millisecond); !in() {
		t.Error("a token of another process is not seen after a quarter of a second")
	}
	live = nil
	if now = now.Add(2 * time.Second); in() {
		t.Error("a token that another process revoked opens after two seconds")
	}
	live = []access.Token{token("1", secret)}
	if g.Forget(); !in() {
		t.Error("a token of this process is not seen at once")
	}
	live = nil
	if g.Forget(); in() {
		t.Error("a token that this process revoked opens")
	}
	// Revoked between what was read and its being believed.
	live = []access.Token{token("1", secret)}
	during = func() { live, during = nil, func() {}; g.Forget() }
	if g.Forget(); in() {
		t.Error("a token opens that was revoked while tokens were read")
	}
	// A clock that goes back makes nothing live longer.
	live = []access.Token{token("1", secret)}
	g.Forget()
	in()
	live = nil
	if now = now.Add(-time.Hour); in() {
		t.Error("a revoked token opens after the clock was set back")
	}
}

// While tokens cannot be read nobody comes in but the bootstrap admin, who
// needs none.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	now := noon
	var fails error
	g := access.New(access.Options{AdminToken: "an-admin-token", Now: func() time.Time { return now }, Tokens: &kept{
		live: func(context.Context, time.Time) ([]access.Token, error) {
			return []access.Token{token("1", secret)}, fails
		},
	}})
	if _, err := g.Who(asked(t, "Bearer "+secret)); err != nil {
		t.Error(err)
	}
	fails = broken
	now = now.Add(2 * time.Second)
	if actor, err := g.Who(asked(t, "Bearer "+secret)); !errors.Is(err, broken) || actor != (access.Actor{}) {
		t.Errorf("%+v, %v", actor, err)
	}
	if _, err := g.Who(asked(t, "Bearer an-admin-token")); err != nil {
		t.Error(err)
	}
	if g.Refused() != 0 {
		t.Errorf("%d were counted as strangers", g.Refused())
	}
}

// Any number of callers cause one read, and one who goes away waits no longer.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		answer := make(chan struct{})
		g := access.New(access.Options{Tokens: &kept{live: func(ctx context.Context, _ time.Time) ([]access.Token, error) {
			reads.Add(1)
			select {
			case <-answer:
				return []access.Token{token("1", secret)}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}})
		var in sync.WaitGroup
		var opened atomic.Int64
		for range 200 {
			in.Go(func() {
				if _, err := g.Who(asked(t, "Bearer "+secret)); err == nil {
					opened.Add(1)
				}
			})
		}
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := g.Who(asked(t, "Bearer "+secret).WithContext(ctx))
			gone <- err
		}()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who went away: %v", err)
		}
		close(answer)
		in.Wait()
		if reads.Load() != 1 || opened.Load() != 200 {
			t.Errorf("%d reads, %d of 200 came in", reads.Load(), opened.Load())
		}
	})
}

// The last use is kept once a minute and at the end; what could not be kept is
// tried again.
func TestNotesUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var noted []map[string]time.Time
		var fails error
		g := access.New(access.Options{Logger: slog.New(slog.DiscardHandler), Tokens: &kept{
			live: always(token("1", secret), token("2", secret+"2")),
			note: func(_ context.Context, at map[string]time.Time) error {
				if fails == nil {
					noted = append(noted, at)
				}
				return fails
			},
		}})
		use := func(secret string) time.Time {
			if _, err := g.Who(asked(t, "Bearer "+secret)); err != nil {
				t.Error(err)
			}
			return time.Now()
		}
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()

		pass(10 * time.Second)
		for range 50 {
			use(secret)
			pass(100 * time.Millisecond)
		}
		last := use(secret)
		pass(2 * time.Minute)
		if len(noted) != 1 || len(noted[0]) != 1 || !noted[0]["1"].Equal(last) {
			t.Fatalf("noted %v, want token 1 at %v", noted, last)
		}
		fails = errors.New("broken")
		use(secret)
		second := use(secret + "2")
		pass(2 * time.Minute)
		fails = nil
		first := use(secret)
		pass(time.Minute)
		if len(noted) != 2 || !noted[1]["1"].Equal(first) || !noted[1]["2"].Equal(second) {
			t.Fatalf("noted %v, want %v and %v", noted, first, second)
		}
		last = use(secret)
		stop()
		if err := <-ended; err != nil || len(noted) != 3 || !noted[2]["1"].Equal(last) {
			t.Errorf("at the end: %v, noted %v", err, noted)
		}
	})
}
