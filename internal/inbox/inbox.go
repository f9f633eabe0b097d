package inbox

import (
	"log/slog"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// Options are what an Inbox needs. Log, Verifier and Logger are required.
type Options struct {
	Log      Log
	Verifier *shiprocket.Verifier
	// Addresses are the senders' allowed addresses; nil allows any.
	Addresses *shiprocket.AllowList
	// WarnAddress accepts and flags pushes from unlisted addresses instead of
	// keeping them as rejected.
	WarnAddress bool
	Apply       ApplyOptions
	Metrics     *Metrics
	Logger      *slog.Logger
	Now         func() time.Time // default time.Now
	Batch       int              // rows worked off in one transaction, default 128
	Sweep       time.Duration    // look for work this often even without a signal, default 5 s
	MaxAttempts int              // tries before a row is failed, default 8
	Backoff     func(attempt int) time.Duration
}

// Inbox takes pushes in and works them off. Receive may be called by any
// number of goroutines; Run by one.
type Inbox struct {
	opts    Options
	log     *slog.Logger
	metrics *Metrics
	wake    chan struct{}
}

// New makes an Inbox that is ready to receive.
func New(opts Options) *Inbox {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Batch == 0 {
		opts.Batch = 128
	}
	if opts.Sweep == 0 {
		opts.Sweep = 5 * time.Second
	}
	if opts.MaxAttempts == 0 {
		opts.MaxAttempts = 8
	}
	if opts.Backoff == nil {
		opts.Backoff = backoff
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}
	return &Inbox{
		opts: opts, log: opts.Logger.With("component", "inbox"), metrics: opts.Metrics,
		wake: make(chan struct{}, 1),
	}
}

// Wake makes Run look for work now. It never blocks.
func (i *Inbox) Wake() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}
