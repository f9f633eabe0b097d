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

	// EncryptionMasterKey has 32 bytes, from which the keys of encrypted channels are
	// made for AuthorizeEncrypted; nil if the application has none. The server does
	// not need it: it passes on what it cannot read.
	EncryptionMasterKey []byte
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

	// MaxMembers bounds the users of a presence channel, and MaxMemberBytes the
	// user_info of one. Defaults: 100 and 1 KiB (Pusher docs). More members are a
	// matter of what all of them are sent when one comes.
	MaxMembers, MaxMemberBytes int
	// CacheTTL is how long the last event of a cache channel is kept. Default 30 min.
	CacheTTL time.Duration
	// ClientEvents lets clients send events to each other in private and presence
	// channels, ClientEventRate of them a second and connection. Default: no, and 10.
	ClientEvents    bool
	ClientEventRate int
	// SubscriptionCount tells the watchers of channels that are not presence channels
	// how many they are, when it changes; over 100 at most every 5 seconds.
	SubscriptionCount bool
	// AuthorizeWithin closes with 4009 who has by then neither signed in nor
	// subscribed to a channel that takes a signature. 0 is never.
	AuthorizeWithin time.Duration
	// PublishRate bounds the messages, one for each channel of an event, that this
	// node takes over its HTTP API in a second; over it the answer is 429. 0 is no
	// limit.
	PublishRate int
	// Webhooks are told what happens in the app's channels.
	Webhooks []WebhookTarget

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
	if n := len(o.App.EncryptionMasterKey); n != 0 && n != masterKeyBytes {
		return o, fmt.Errorf("pusher: the encryption master key has %d bytes and must have %d", n, masterKeyBytes)
	}
	for _, target := range o.Webhooks {
		if err := target.check(); err != nil {
			return o, err
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
	orDefault(&o.MaxMembers, 100)
	orDefault(&o.MaxMemberBytes, 1<<10)
	orDefault(&o.CacheTTL, 30*time.Minute)
	orDefault(&o.ClientEventRate, 10)
	orDefault(&o.QueueBytes, 2<<20)
	orDefault(&o.QueueMessages, 4096)
	return o, nil
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
