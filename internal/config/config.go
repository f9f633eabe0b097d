package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// AppEnv says how strict the service is with its settings and its senders.
type AppEnv string

// The two environments. Development skips the address check and refuses less.
const (
	Production  AppEnv = "production"
	Development AppEnv = "development"
)

// IPCheck says what becomes of a proven push from an address that is not on
// the list.
type IPCheck string

// Enforce keeps it as rejected, Warn takes and flags it, Off does not look.
const (
	Enforce IPCheck = "enforce"
	Warn    IPCheck = "warn"
	Off     IPCheck = "off"
)

// Live says which realtime server updates go to.
type Live string

// Embedded is the server in this process, External the one at SOKETI_HOST.
const (
	Embedded Live = "embedded"
	External Live = "external"
	Both     Live = "both"
)

// Embedded reports whether this process serves watchers itself.
func (l Live) Embedded() bool { return l == Embedded || l == Both }

// External reports whether updates are published to SOKETI_HOST.
func (l Live) External() bool { return l == External || l == Both }

// LogLevel is the least important kind of line that is logged. It is a
// slog.Leveler, as a handler's options take it.
type LogLevel string

// The levels of slog, by their names.
const (
	Debug     LogLevel = "debug"
	Info      LogLevel = "info"
	Warning   LogLevel = "warn"
	ErrorOnly LogLevel = "error"
)

// Level implements slog.Leveler; an odd value is Info.
func (l LogLevel) Level() slog.Level {
	switch l {
	case Debug:
		return slog.LevelDebug
	case Warning:
		return slog.LevelWarn
	case ErrorOnly:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// LogFormat is how log lines are written.
type LogFormat string

// Text is for people, JSON for collectors.
const (
	Text LogFormat = "text"
	JSON LogFormat = "json"
)

// Config is every setting, typed. Load fills it; the field's tag names its
// variable and Settings explains it. Zero strings, nil lists and nil pointers
// mean "not set".
type Config struct {
	AppEnv    AppEnv   `env:"APP_ENV"`
	Host      string   `env:"HOST"`
	Port      int      `env:"PORT"` // 0 takes a free port
	PublicURL *url.URL `env:"PUBLIC_URL"`

	DataDir       string `env:"DATA_DIR"`
	DatabaseURL   DSN    `env:"DATABASE_URL"` // not set: SQLite in DataDir
	RedisURL      DSN    `env:"REDIS_URL"`
	RetentionDays int    `env:"RETENTION_DAYS"`
	AuditDays     int    `env:"AUDIT_RETENTION_DAYS"` // 0: for ever
	SilenceHours  int    `env:"SILENCE_HOURS"`        // 0: silence is no alarm
	DrainSeconds  int    `env:"DRAIN_SECONDS"`

	AdminToken Secret `env:"ADMIN_TOKEN"`

	Shiprocket     Shiprocket
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES"`

	Live                   Live `env:"LIVE"`
	Soketi                 Soketi
	AllowedOrigins         []string `env:"ALLOWED_ORIGINS"` // as a browser sends them
	PublicOrderChannels    bool     `env:"PUBLIC_ORDER_CHANNELS"`
	PublicShipmentsChannel bool     `env:"PUBLIC_SHIPMENTS_CHANNEL"`
	PusherClientEvents     bool     `env:"PUSHER_CLIENT_EVENTS"`
	PusherCounts           bool     `env:"PUSHER_SUBSCRIPTION_COUNT"`
	PusherWebhookURLs      []Secret `env:"PUSHER_WEBHOOK_URLS"` // they may hold a token

	AutoCreateOrders bool `env:"AUTO_CREATE_ORDERS"`
	ShopOrderIDs     bool `env:"SHOP_ORDER_IDS"`
	Shop             Shop

	MetricsAddr string    `env:"METRICS_ADDR"`
	LogLevel    LogLevel  `env:"LOG_LEVEL"`
	LogFormat   LogFormat `env:"LOG_FORMAT"`

	sources  map[string]Source
	misspelt map[string]string // by setting, what stands in its place
	unread   Problems          // what Load could not make a value of
}

// Shiprocket is how the sender of webhooks is proved, and its REST account.
type Shiprocket struct {
	WebhookTokens   []Secret       `env:"SHIPROCKET_WEBHOOK_TOKEN"`
	WebhookSecrets  []Secret       `env:"SHIPROCKET_WEBHOOK_SECRET"`
	SignatureHeader string         `env:"SHIPROCKET_SIGNATURE_HEADER"`
	AllowedIPs      []netip.Prefix `env:"SHIPROCKET_ALLOWED_IPS"`
	IPCheck         IPCheck        `env:"SHIPROCKET_IP_CHECK"`
	Email           Secret         `env:"SHIPROCKET_EMAIL"`
	Password        Secret         `env:"SHIPROCKET_PASSWORD"`
}

// Soketi is the realtime app: the embedded server's, or that of a Soketi or
// Pusher server at Host.
type Soketi struct {
	AppID      string `env:"SOKETI_APP_ID"`
	AppKey     string `env:"SOKETI_APP_KEY"`
	AppSecret  Secret `env:"SOKETI_APP_SECRET"`
	Host       string `env:"SOKETI_HOST"`
	Port       int    `env:"SOKETI_PORT"`
	UseTLS     bool   `env:"SOKETI_USE_TLS"`
	Cluster    string `env:"SOKETI_CLUSTER"`
	PublicHost string `env:"SOKETI_PUBLIC_HOST"`
	PublicPort int    `env:"SOKETI_PUBLIC_PORT"`
	PublicTLS  *bool  `env:"SOKETI_PUBLIC_TLS"`
}

// Shop is how the buyer's pages call and colour the shop.
type Shop struct {
	Name       string `env:"SHOP_NAME"`
	LogoURL    string `env:"SHOP_LOGO_URL"`
	Color      string `env:"SHOP_COLOR"`
	SupportURL string `env:"SHOP_SUPPORT_URL"`
}

// Production reports whether the strict rules hold.
func (c *Config) Production() bool { return c.AppEnv != Development }

// Addr is where the service listens, as net.Listen takes it.
func (c *Config) Addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// Retention is how long finished webhooks are kept.
func (c *Config) Retention() time.Duration {
	return time.Duration(c.RetentionDays) * 24 * time.Hour
}

// AuditRetention is how long the audit is kept; 0: for ever.
func (c *Config) AuditRetention() time.Duration {
	return time.Duration(c.AuditDays) * 24 * time.Hour
}

// Silence is after how long without a push there is an alarm; 0: never.
func (c *Config) Silence() time.Duration { return time.Duration(c.SilenceHours) * time.Hour }

// Drain is how long everything is still answered after /readyz has begun to
// say that the service is stopping.
func (c *Config) Drain() time.Duration { return time.Duration(c.DrainSeconds) * time.Second }

// Socket is where browsers open their WebSocket. An empty Host, a zero Port
// and a nil TLS each mean that of the page itself.
type Socket struct {
	Host string
	Port int
	TLS  *bool
}

// BrowserSocket resolves the SOKETI_PUBLIC_ settings: what is set wins, then
// PUBLIC_URL, then the page's own host.
func (c *Config) BrowserSocket() Socket {
	s := Socket{Host: c.Soketi.PublicHost, Port: c.Soketi.PublicPort, TLS: c.Soketi.PublicTLS}
	secure := c.Soketi.UseTLS
	if c.PublicURL != nil {
		secure = c.PublicURL.Scheme == "https"
	}
	if s.Host == "" && c.PublicURL != nil {
		s.Host = c.PublicURL.Hostname()
		if port, err := strconv.Atoi(c.PublicURL.Port()); err == nil && s.Port == 0 {
			s.Port = port
		}
	}
	if s.Host == "" {
		return s
	}
	if s.TLS == nil {
		s.TLS = &secure
	}
	if s.Port == 0 {
		s.Port = c.socketPort(*s.TLS)
	}
	return s
}

// socketPort is the port of a browser's host that names none. A host of its
// own without TLS is a server reached directly, not through a proxy.
func (c *Config) socketPort(tls bool) int {
	switch {
	case tls:
		return 443
	case c.Soketi.PublicHost == "":
		return 80
	case c.Live.External():
		return c.Soketi.Port
	default:
		return c.Port
	}
}
