package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// knownFor is how long tokens that were read are believed. A token that
	// another process has revoked opens nothing after that.
	knownFor = 2 * time.Second
	// missedFor is the same for a secret that is in none of them: it may be one
	// that another process has just made. Guessing makes no more work than
	// this.
	missedFor = 250 * time.Millisecond
	// lookUpWithin is how long a caller waits for tokens to be read.
	lookUpWithin = 5 * time.Second
)

// ErrUnknown is the answer to who has no token, or none that is known.
var ErrUnknown = errors.New("no known token")

// Tokens is where tokens are kept.
type Tokens interface {
	// LiveTokens are those that are neither revoked nor expired by now. When it
	// fails, nobody who needs one of them is let in.
	LiveTokens(ctx context.Context, now time.Time) ([]Token, error)
	// NoteTokensUsed keeps when tokens were used last, by their ids. A time
	// that is before what is kept already changes nothing.
	NoteTokensUsed(ctx context.Context, at map[string]time.Time) error
}

// Options are what a Guard needs. With neither AdminToken nor Tokens everything
// is closed.
type Options struct {
	AdminToken string // of the settings: it opens all, also while no token is kept
	Tokens     Tokens
	Logger     *slog.Logger     // required with Tokens
	Now        func() time.Time // default time.Now
}

// Guard knows who may come in. It reads the few tokens there are from time to
// time and keeps them in memory, so that neither guessing nor honest calls wait
// for the database.
type Guard struct {
	opts    Options
	admin   *[sha256.Size]byte
	refused atomic.Int64
	reading chan struct{} // held by the one who reads the tokens

	mu      sync.Mutex
	tokens  []Token
	readAt  time.Time // zero: they are to be read before they are believed
	forgets int
	used    map[string]time.Time // since the last NoteTokensUsed
}

// NewGuard makes a Guard that knows one admin token; "" is none.
func NewGuard(adminToken string) *Guard { return New(Options{AdminToken: adminToken}) }

// New makes a Guard. Run notes down which tokens are used.
func New(opts Options) *Guard {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	g := &Guard{opts: opts, reading: make(chan struct{}, 1), used: map[string]time.Time{}}
	if opts.AdminToken != "" {
		hash := HashSecret(opts.AdminToken)
		g.admin = &hash
	}
	return g
}

// Who is the one whose bearer token the request has: ErrUnknown if it has none
// that is known. Any other error says that tokens could not be looked up, and
// then nobody may come in either.
func (g *Guard) Who(r *http.Request) (Actor, error) {
	actor, err := g.who(r)
	if errors.Is(err, ErrUnknown) {
		g.refused.Add(1)
	}
	return actor, err
}

func (g *Guard) who(r *http.Request) (Actor, error) {
	scheme, secret, found := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !found || !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return Actor{}, ErrUnknown
	}
	hash := HashSecret(secret)
	if g.admin != nil && subtle.ConstantTimeCompare(hash[:], g.admin[:]) == 1 {
		return Actor{Name: AdminTokenName, Role: Admin}, nil
	}
	// What does not look like one of ours is not looked for.
	if g.opts.Tokens == nil || !strings.HasPrefix(secret, secretPrefix) {
		return Actor{}, ErrUnknown
	}
	for _, believed := range []time.Duration{knownFor, missedFor} {
		if err := g.read(r.Context(), believed); err != nil {
			return Actor{}, err
		}
		if actor, ok := g.find(hash); ok {
			return actor, nil
		}
	}
	return Actor{}, ErrUnknown
}

// find compares with every token, so that it takes the same time for all.
func (g *Guard) find(hash [sha256.Size]byte) (actor Actor, ok bool) {
	now := g.opts.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.tokens {
		t := &g.tokens[i]
		if subtle.ConstantTimeCompare(hash[:], t.Hash[:]) == 1 && t.Live(now) {
			actor, ok = Actor{TokenID: t.ID, Name: t.Name, Role: t.Role}, true
		}
	}
	if ok {
		g.used[actor.TokenID] = now
	}
	return actor, ok
}

// read makes sure that the tokens in memory were read within the last believed.
func (g *Guard) read(ctx context.Context, believed time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpWithin)
	defer cancel()
	for {
		if fresh, _ := g.fresh(believed); fresh {
			return nil
		}
		select {
		case g.reading <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := g.readOnce(ctx, believed)
		<-g.reading
		if err != nil {
			return err
		}
	}
}

// readOnce reads the tokens, unless somebody has while this one waited. What
// was read while tokens were told to be forgotten may be from before: it is not
// believed.
func (g *Guard) readOnce(ctx context.Context, believed time.Duration) error {
	fresh, forgets := g.fresh(believed)
	if fresh {
		return nil
	}
	now := g.opts.Now()
	tokens, err := g.opts.Tokens.LiveTokens(ctx, now)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.forgets == forgets {
		g.tokens, g.readAt = tokens, now
	}
	return nil
}

// fresh reports whether the tokens in memory were read within the last
// believed. A clock that was set back makes them old.
func (g *Guard) fresh(believed time.Duration) (fresh bool, forgets int) {
	now := g.opts.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	age := now.Sub(g.readAt)
	return !g.readAt.IsZero() && age >= 0 && age < believed, g.forgets
}

// Forget makes the next call read the tokens anew. Whoever has made or revoked
// one calls it, so that this process knows at once.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens, g.readAt = nil, time.Time{}
	g.forgets++
}

// Refused is how many calls were turned away because they had no known token.
func (g *Guard) Refused() int64 { return g.refused.Load() }
