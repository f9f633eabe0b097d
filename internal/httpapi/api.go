package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
	"github.com/webazaar/waybill/web"
)

// Options are the rooms and settings an API works with. All rooms are
// required.
type Options struct {
	Inbox       *inbox.Inbox
	Addresses   *inbox.Addresses
	Replayer    *inbox.Replayer
	Alarms      *inbox.Alarms
	Store       *store.Store
	Guard       *access.Guard
	WatchTokens *access.WatchTokens
	// RealtimeServer answers /app/ and /apps/; nil when watchers go elsewhere.
	RealtimeServer http.Handler
	Metrics        http.Handler
	// Connections are those the API is served on; nil sets no bound.
	Connections *Connections
	Logger      *slog.Logger

	Realtime       Realtime
	Shop           Shop
	PublicURL      string // without a trailing slash; "" takes the request's own host
	TrustedProxies []netip.Prefix
	AllowedOrigins []string
	ShopOrderIDs   bool
	PublicChannels bool // order-{id} is open to anyone who knows the id
	Now            func() time.Time
	AnswerWithin   time.Duration // how long a call may take to be answered; default 25 s
}

// Realtime is how browsers reach the Pusher-protocol server. Empty Host and
// zero Port mean the page's own.
type Realtime struct {
	Key  string
	Host string
	Port int
	TLS  *bool
	// Authorize signs that a socket may join a private channel; it refuses
	// every other kind of channel and what is not a socket id.
	Authorize func(socketID, channel string) (string, error)
}

// Shop is how the buyer's pages call and colour the shop.
type Shop struct {
	Name, LogoURL, Color, SupportURL string
}

// API answers HTTP. It is safe for concurrent use.
type API struct {
	opts     Options
	log      *slog.Logger
	peers    peers
	watchers *limiter
	// What buyers may look up by number and contact.
	lookups    *limiter
	tries      *tries
	sameOrigin *http.CrossOriginProtection
	// What strangers to the webhook may take, and what the log is told of it.
	strangers *limiter
	large     *places
	trouble   trouble
	draining  atomic.Bool
	handler   http.Handler
	described func() description
}

// New makes an API that is ready to serve.
func New(opts Options) *API {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.AnswerWithin == 0 {
		opts.AnswerWithin = answerWithin
	}
	a := &API{
		opts: opts, log: opts.Logger.With("component", "http"), peers: peers{trusted: opts.TrustedProxies},
		watchers: newLimiter(20, 60), strangers: newLimiter(strangersPerSecond, strangersBurst), large: newPlaces(),
	}
	a.lookups, a.tries, a.sameOrigin = newLimiter(1/lookupsEvery.Seconds(), lookupsBurst), newTries(), sameOriginOnly(opts.PublicURL)
	a.trouble.log = a.log
	a.described = sync.OnceValue(a.makeDescription)
	mux := http.NewServeMux()
	for _, rt := range a.routes() {
		mux.Handle(rt.pattern, a.wrap(rt))
	}
	if opts.RealtimeServer != nil {
		mux.HandleFunc("/app/", a.watch)
		mux.HandleFunc("/apps/", a.watch)
	}
	files := web.Files(a.openRealtime())
	mux.Handle("GET /assets/", files)
	mux.Handle("GET "+web.WidgetPath, files)
	mux.Handle("GET "+web.FrameScriptPath, files)
	mux.Handle("/", a.wrap(route{handle: a.noSuchPath}))
	a.handler = mux
	return a
}

// noSuchPath answers for every path that is not in the table. A WebSocket is
// told in the protocol's own way: a plain 404 would make pusher-js try for
// ever.
func (a *API) noSuchPath(w http.ResponseWriter, r *http.Request) error {
	if a.opts.RealtimeServer != nil && isUpgrade(r) {
		a.watch(w, r)
		return nil
	}
	return errNoSuchPath
}

// Drain makes /readyz fail, so that a balancer sends no more; everything is
// still answered, each connection for the last time.
func (a *API) Drain() { a.draining.Store(true) }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close")
	}
	a.handler.ServeHTTP(w, r)
}

// answerWithin is a little less than the server takes to write an answer: who
// asks for too much, or while the database hangs, is told so, and does not go on
// being worked for.
const answerWithin = 25 * time.Second

// bounded ends what takes longer to answer than anybody waits for.
func (a *API) bounded(handle handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), a.opts.AnswerWithin)
		defer cancel()
		err := handle(w, r.WithContext(ctx))
		if errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil {
			return &tracking.Error{Code: tracking.Unavailable, Message: "it took too long; ask for less, or come again", Err: err}
		}
		return err
	}
}

// wrap guards a route and answers for what goes wrong in it, a panic included.
func (a *API) wrap(rt route) http.Handler {
	if !rt.streams() {
		rt.handle = a.bounded(rt.handle)
	}
	handle := a.guarded(rt)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // how a handler breaks an answer off: the server knows it
			default:
				a.log.Error("http.panicked", "path", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				a.fail(w, r, fmt.Errorf("panic: %v", p))
			}
		}()
		if err := handle(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// baseURL is where buyers find this service: PUBLIC_URL, else what the request
// itself was sent to.
func (a *API) baseURL(r *http.Request) string {
	if a.opts.PublicURL != "" {
		return strings.TrimRight(a.opts.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil || a.peers.viaTrusted(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
