package pusher

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// App is the one application a Server serves: its id is part of the HTTP API's
// paths, its key is public and part of the WebSocket path, its secret signs.
type App struct {
	ID, Key, Secret string

	// Disabled refuses watchers with 4003 and API requests with 403.
	Disabled bool
	// RequireTLS refuses watchers that came over plain ws:// with 4000, on which
	// pusher-js switches to wss://. X-Forwarded-Proto is believed: lying about it
	// only costs the liar his own encryption.
	RequireTLS bool
	// MaxConnections is the application's quota; 0 is none. Over it a watcher gets
	// 4004 and, being pusher-js, never tries again: see Options.MaxConnections.
	MaxConnections int
}

// Options are the settings of a Server. Only App is required.
type Options struct {
	App    App
	Logger *slog.Logger // nil: nothing is logged

	// ActivityTimeout is told to clients, which ping after that much silence.
	// After one and a half of it without a frame from the client the server pings;
	// PongTimeout later it closes with 4201. Defaults: 120 s and 30 s.
	ActivityTimeout, PongTimeout time.Duration

	// MaxConnections is what this process can bear; 0 is no limit. Over it a
	// watcher gets 4100, on which pusher-js tries again after a second.
	MaxConnections int
	// MaxSubscriptions bounds the channels of one connection. Default 1,000.
	MaxSubscriptions int
	// MaxMessageBytes bounds one message from a client; over it the connection is
	// closed with 1009. Default 16 KiB.
	MaxMessageBytes int
	// MaxEventBytes bounds the data of a published event. Default 10 KiB.
	MaxEventBytes int

	// QueueBytes and QueueMessages bound what waits for one watcher, counted until
	// the kernel has taken it. Defaults: 2 MiB and 4,096.
	QueueBytes, QueueMessages int
	// WriteTimeout is how long one write may take before the watcher counts as
	// gone. Default 10 s.
	WriteTimeout time.Duration

	// AllowedOrigins are the browser origins that may connect, as
	// "https://shop.example" or "https://*.shop.example"; empty allows any. A
	// request without Origin is not from a browser and always allowed.
	AllowedOrigins []string

	Observer Observer // nil: nobody is told
	Cluster  Cluster  // nil: this node is alone
}

// Observer is told what happens, for metrics. It is called from many goroutines
// and on hot paths: it must not block, and not call the Server.
type Observer interface {
	// Opened is called for each watcher that got its connection_established.
	Opened()
	// Refused is called for each watcher that was turned away, with the code.
	Refused(code Code)
	// Closed is called once after each Opened, with the code that ended the
	// connection, whoever sent it; CodeAbnormal when the socket just broke.
	// CodeOverCapacity here is a watcher that read too slowly.
	Closed(code Code)
	// Delivered is called for each event with watchers here: how many it was
	// queued for.
	Delivered(watchers int)
}

type deaf struct{}

func (deaf) Opened()       {}
func (deaf) Refused(Code)  {}
func (deaf) Closed(Code)   {}
func (deaf) Delivered(int) {}

// complete checks the options and fills in the defaults.
func (o Options) complete() (Options, error) {
	if o.App.ID == "" || o.App.Key == "" || o.App.Secret == "" {
		return o, errors.New("pusher: app needs an id, a key and a secret")
	}
	if strings.ContainsAny(o.App.ID+o.App.Key, "/:?#% ") {
		return o, errors.New("pusher: app id and key are parts of a path: letters, digits, - and _ only")
	}
	for _, origin := range o.AllowedOrigins {
		if origin != "*" && !strings.Contains(origin, "://") {
			return o, fmt.Errorf("pusher: allowed origin %q has no scheme", origin)
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = deaf{}
	}
	if o.Cluster == nil {
		o.Cluster = NewMemoryCluster()
	}
	orDefault(&o.ActivityTimeout, 120*time.Second)
	orDefault(&o.PongTimeout, 30*time.Second)
	orDefault(&o.WriteTimeout, 10*time.Second)
	orDefault(&o.MaxSubscriptions, 1000)
	orDefault(&o.MaxMessageBytes, 16<<10)
	orDefault(&o.MaxEventBytes, 10<<10)
	orDefault(&o.QueueBytes, 2<<20)
	orDefault(&o.QueueMessages, 4096)
	return o, nil
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
