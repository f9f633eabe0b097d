package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// AllowedAddress is an address or a range that pushes may come from.
type AllowedAddress struct {
	Prefix netip.Prefix
	At     time.Time // when it was allowed by a call; zero: it is from the settings
	By     string    // and who did that
}

// AddressLog keeps which addresses were allowed by calls, and what was sent from
// others.
type AddressLog interface {
	// AllowedAddresses are those allowed by calls, the oldest first.
	AllowedAddresses(ctx context.Context) ([]AllowedAddress, error)
	// AllowAddress keeps an address; one that is kept already stays as it is.
	AllowAddress(ctx context.Context, address AllowedAddress) error
	// ForgetAddress is NotFound if the address is not kept.
	ForgetAddress(ctx context.Context, prefix netip.Prefix) error
	// ReleaseAddresses makes rows pending that were rejected because of their
	// addresses and came from one of prefixes. It looks at some of those after
	// a row, and says how many it released and which row it came to, "" at the
	// end.
	ReleaseAddresses(ctx context.Context, prefixes []netip.Prefix, after string) (released int, last string, err error)
}

// AddressOptions are what Addresses need. All but Now and Every are required.
type AddressOptions struct {
	Log    AddressLog
	List   *shiprocket.AllowList // it is kept up to date
	Wake   func()                // called when rows were released
	Logger *slog.Logger
	Now    func() time.Time
	Every  time.Duration // how soon one process hears of another's addresses; default 2 s
}

// Addresses are those that pushes may come from: the settings' and what an
// operator allowed later. Several processes on one database have the same.
type Addresses struct {
	opts AddressOptions
	log  *slog.Logger

	mu    sync.Mutex
	known map[netip.Prefix]time.Time // allowed by calls, and since when this process knows; zero: for long
	owed  bool                       // what came from the settings' addresses may still be rejected
}

// NewAddresses makes Addresses that know those of the settings; Refresh reads
// the others.
func NewAddresses(opts AddressOptions) *Addresses {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Every == 0 {
		opts.Every = 2 * time.Second
	}
	return &Addresses{opts: opts, log: opts.Logger.With("component", "addresses"), known: map[netip.Prefix]time.Time{}, owed: true}
}

// Run keeps the list as the database has it, until ctx is done.
func (a *Addresses) Run(ctx context.Context) error {
	look := time.NewTicker(a.opts.Every)
	defer look.Stop()
	for {
		if err := a.Refresh(ctx); err == nil {
			err = a.release(ctx)
			a.told(ctx, err)
		} else {
			a.told(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

func (a *Addresses) told(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		a.log.Warn("addresses.stale", "error", err)
	}
}

// Refresh reads what was allowed by calls, here or by another process.
func (a *Addresses) Refresh(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	allowed, err := a.opts.Log.AllowedAddresses(ctx)
	if err != nil {
		return fmt.Errorf("read allowed addresses: %w", err)
	}
	prefixes := make([]netip.Prefix, len(allowed))
	known := make(map[netip.Prefix]time.Time, len(allowed))
	for i := range allowed {
		prefix := allowed[i].Prefix
		prefixes[i] = prefix
		since, before := a.known[prefix]
		if !before {
			since = a.opts.Now()
		}
		known[prefix] = since
	}
	a.opts.List.AllowAlso(prefixes)
	a.known = known
	return nil
}

// releasesFor is for how long an address is new to a process: a push that was
// judged before it heard of the address may be longest in the writing.
const releasesFor = 30 * time.Second

// release sees to what was sent from addresses that are new to this process. It
// rejected such pushes until it heard of them, so whoever allowed them elsewhere
// cannot have released all; nobody has where they came with the settings.
func (a *Addresses) release(ctx context.Context) error {
	now := a.opts.Now()
	a.mu.Lock()
	var fresh []netip.Prefix
	seen := map[netip.Prefix]time.Time{}
	for prefix, since := range a.known {
		if !since.IsZero() {
			fresh = append(fresh, prefix)
			seen[prefix] = since
		}
	}
	owed := a.owed
	if a.owed = false; owed {
		fresh = append(fresh, a.opts.List.Fixed()...)
	}
	a.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	_, _, err := a.releaseFrom(ctx, fresh, -1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || ctx.Err() != nil {
		a.owed = a.owed || owed
		return err
	}
	for prefix, since := range seen {
		if a.known[prefix].Equal(since) && now.Sub(since) > releasesFor {
			a.known[prefix] = time.Time{}
		}
	}
	return nil
}

// releasedAtOnce is how many rows a call releases itself. The others follow
// from Run: the call must not outlast its answer.
const releasedAtOnce = 10_000

// releaseFrom releases at most about most rows, all with -1, and says whether
// there may be more.
func (a *Addresses) releaseFrom(ctx context.Context, prefixes []netip.Prefix, most int) (released int, more bool, err error) {
	for after := ""; most < 0 || released < most; {
		var n int
		n, after, err = a.opts.Log.ReleaseAddresses(ctx, prefixes, after)
		released += n
		if n > 0 {
			a.opts.Wake()
		}
		if err != nil || after == "" || ctx.Err() != nil {
			return released, false, err
		}
	}
	return released, true, nil
}

// Allow allows an address or a range at once and for good, and releases what was
// rejected from it: so many rows, and more of them soon if more is true. One of
// the settings is only released.
func (a *Addresses) Allow(ctx context.Context, prefix netip.Prefix, by string) (released int, more bool, err error) {
	if !a.fixed(prefix) {
		if err := a.opts.Log.AllowAddress(ctx, AllowedAddress{Prefix: prefix, At: a.opts.Now().UTC(), By: by}); err != nil {
			return 0, false, fmt.Errorf("allow address: %w", err)
		}
	}
	if err := a.Refresh(ctx); err != nil {
		return 0, false, err
	}
	released, more, err = a.releaseFrom(ctx, []netip.Prefix{prefix}, releasedAtOnce)
	if more && a.fixed(prefix) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.owed = true
	}
	return released, more, err
}

// Forget takes back what Allow did; what was released stays so. Invalid for an
// address of the settings, NotFound for one that nobody allowed.
func (a *Addresses) Forget(ctx context.Context, prefix netip.Prefix) error {
	if a.fixed(prefix) {
		return &tracking.Error{
			Code:    tracking.Invalid,
			Message: "this address is from SHIPROCKET_ALLOWED_IPS: take it out there and restart",
		}
	}
	if err := a.opts.Log.ForgetAddress(ctx, prefix); err != nil {
		return fmt.Errorf("forget address: %w", err)
	}
	return a.Refresh(ctx)
}

// All are the allowed addresses, those of the settings first.
func (a *Addresses) All(ctx context.Context) ([]AllowedAddress, error) {
	later, err := a.opts.Log.AllowedAddresses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read allowed addresses: %w", err)
	}
	var all []AllowedAddress
	for _, prefix := range a.opts.List.Fixed() {
		all = append(all, AllowedAddress{Prefix: prefix})
	}
	return append(all, later...), nil
}

func (a *Addresses) fixed(prefix netip.Prefix) bool {
	for _, p := range a.opts.List.Fixed() {
		if p == prefix {
			return true
		}
	}
	return false
}
