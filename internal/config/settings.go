package config

// Setting explains one variable. Every one of them can also be given as
// NAME_FILE, the path of a file that holds the value.
type Setting struct {
	Name    string
	Default string // what an unset variable is read as; "" = none
	Depends string // the default in words, when it depends on other settings
	Explain string // what it does, one sentence
	Form    string // what a value looks like, to finish "use …"
	Secret  bool   // the value, or a part of it, is never shown
}

// DefaultText is the default as a person reads it.
func (s Setting) DefaultText() string {
	switch {
	case s.Depends != "":
		return s.Depends
	case s.Default != "":
		return s.Default
	default:
		return "none"
	}
}

const (
	formBool = "true or false"
	formText = "plain text"
)

// settings is in the order in which people read them: what everyone sets, then
// what grows out of the box, then the fine print.
var settings = []Setting{
	{
		Name: "APP_ENV", Default: string(Production), Form: "production or development",
		Explain: "How strict the service is: development skips the address check and starts without secrets.",
	},
	{
		Name: "HOST", Default: "0.0.0.0", Form: "an address or a host name without a port",
		Explain: "Address the service listens on.",
	},
	{
		Name: "PORT", Default: "5000", Form: "a whole number from 0 to 65535",
		Explain: "Port the service listens on; 0 takes a free one.",
	},
	{
		Name: "PUBLIC_URL", Form: "the address alone, such as https://track.example.com",
		Explain: "Address under which buyers and Shiprocket reach the service; tracking links are made from it.",
	},
	{
		Name: "DATA_DIR", Default: "./data", Form: "the path of a directory",
		Explain: "Directory of the SQLite database and of what is made once and kept.",
	},
	{
		Name: "DATABASE_URL", Depends: "SQLite in DATA_DIR", Secret: true, Form: "postgres://user:password@host:5432/database",
		Explain: "PostgreSQL database to use in place of SQLite.",
	},
	{
		Name: "REDIS_URL", Secret: true, Form: "redis://host:6379/0, or rediss:// for TLS",
		Explain: "Redis that carries live updates between several instances; without it, PostgreSQL does.",
	},
	{
		Name: "ADMIN_TOKEN", Depends: "none: only tokens made by `waybill token` or the API open the admin calls", Secret: true, Form: "32 characters or more, of `openssl rand -hex 32`",
		Explain: "Bearer token for the admin calls.",
	},
	{
		Name: "SHIPROCKET_WEBHOOK_TOKEN", Secret: true, Form: "the token of Shiprocket's panel; several with commas between",
		Explain: "Token that Shiprocket sends with every push; list the old and the new one while you change it.",
	},
	{
		Name: "SHIPROCKET_WEBHOOK_SECRET", Secret: true, Form: "the key of the signature; several with commas between",
		Explain: "Key of the HMAC-SHA256 signature, for senders that sign the raw body.",
	},
	{
		Name: "SHIPROCKET_SIGNATURE_HEADER", Default: "X-Shiprocket-Signature", Form: "the name of a header",
		Explain: "Header that carries the signature.",
	},
	{
		Name:    "SHIPROCKET_ALLOWED_IPS",
		Default: "13.234.161.44, 13.234.27.58, 13.234.251.9, 52.66.111.82, 13.235.80.206, 3.110.101.158",
		Form:    "addresses or CIDR ranges with commas between",
		Explain: "Addresses that Shiprocket's pushes come from.",
	},
	{
		Name: "SHIPROCKET_IP_CHECK", Depends: "enforce in production, off in development", Form: "enforce, warn or off",
		Explain: "What to do with a proven push from another address: keep it as rejected, take and flag it, or not look.",
	},
	{
		Name: "TRUSTED_PROXIES", Depends: "none: the socket's address is the sender", Form: "addresses or CIDR ranges with commas between",
		Explain: "Proxies whose X-Forwarded-For is believed.",
	},
	{
		Name: "SHIPROCKET_EMAIL", Secret: true, Form: "the e-mail address of an API user",
		Explain: "API user of Shiprocket's REST interface. Nothing uses it yet: leave it out.",
	},
	{
		Name: "SHIPROCKET_PASSWORD", Secret: true, Form: "the password of the API user",
		Explain: "Password of that API user. Nothing uses it yet: leave it out.",
	},
	{
		Name: "LIVE", Depends: "external when SOKETI_HOST is set, else embedded", Form: "embedded, external or both",
		Explain: "Where live updates go: the server inside, the one at SOKETI_HOST, or both.",
	},
	{
		Name: "SOKETI_APP_ID", Depends: "made once and kept", Form: "letters, digits, - and _",
		Explain: "App id of the realtime server, inside or outside.",
	},
	{
		Name: "SOKETI_APP_KEY", Depends: "made once and kept", Form: "letters, digits, - and _",
		Explain: "App key, which browsers connect with; it is public.",
	},
	{
		Name: "SOKETI_APP_SECRET", Depends: "made once and kept", Secret: true, Form: "the secret of the realtime app",
		Explain: "App secret, which publishing and channel access are signed with.",
	},
	{
		Name: "SOKETI_HOST", Form: "a host name or address without a port",
		Explain: "Soketi or Pusher server to publish to; for hosted Pusher api-<cluster>.pusher.com.",
	},
	{
		Name: "SOKETI_PORT", Default: "6001", Depends: "6001; 443 for hosted Pusher", Form: "a whole number from 1 to 65535",
		Explain: "Port of SOKETI_HOST.",
	},
	{
		Name: "SOKETI_USE_TLS", Default: "false", Depends: "false; true for hosted Pusher", Form: formBool,
		Explain: "Whether SOKETI_HOST is reached over TLS.",
	},
	{
		Name: "SOKETI_CLUSTER", Depends: "that of a hosted Pusher's host name", Form: "letters, digits, - and _",
		Explain: "Cluster name for front ends that ask for one. Nothing of Waybill's own does.",
	},
	{
		Name: "SOKETI_PUBLIC_HOST", Depends: "PUBLIC_URL, or the page's own host", Form: "a host name or address without a port",
		Explain: "Host on which browsers open the live connection.",
	},
	{
		Name: "SOKETI_PUBLIC_PORT", Depends: "PUBLIC_URL, or the page's own port", Form: "a whole number from 1 to 65535",
		Explain: "Port on which browsers open the live connection.",
	},
	{
		Name: "SOKETI_PUBLIC_TLS", Depends: "PUBLIC_URL, or as the page", Form: formBool,
		Explain: "Whether browsers open the live connection over TLS.",
	},
	{
		Name: "PUSHER_CLIENT_EVENTS", Default: "false", Form: formBool,
		Explain: "Lets browsers send events to each other on private channels of the server inside.",
	},
	{
		Name: "PUSHER_SUBSCRIPTION_COUNT", Default: "false", Form: formBool,
		Explain: "Tells the watchers of each channel of the server inside how many they are.",
	},
	{
		Name: "PUSHER_WEBHOOK_URLS", Secret: true, Form: "https:// addresses with commas between",
		Explain: "Where the server inside tells of channels that are watched or left, of members and of client events, signed as Pusher's webhooks are.",
	},
	{
		Name: "PUBLIC_ORDER_CHANNELS", Default: "true", Form: formBool,
		Explain: "Publishes updates on order-{orderId} too, where knowing the id is the right to watch.",
	},
	{
		Name: "PUBLIC_SHIPMENTS_CHANNEL", Default: "false", Form: formBool,
		Explain: "Publishes every order's updates on the public channel shipments too.",
	},
	{
		Name: "ALLOWED_ORIGINS", Form: "origins such as https://shop.example.com with commas between",
		Explain: "Browser origins of the shop: their pages may frame the tracking page and call /api/realtime/auth.",
	},
	{
		Name: "AUTO_CREATE_ORDERS", Default: "true", Form: formBool,
		Explain: "Makes an order of a push that names an unknown one; with false the push waits until the order is registered.",
	},
	{
		Name: "SHOP_ORDER_IDS", Default: "false", Form: formBool,
		Explain: "Lets the shop bring its own public order ids; a guessable id lets anyone watch the order.",
	},
	{
		Name: "RETENTION_DAYS", Default: "90", Form: "a whole number from 1 to 3650",
		Explain: "Days for which finished webhooks are kept.",
	},
	{
		Name: "AUDIT_RETENTION_DAYS", Default: "730", Form: "a whole number from 0 to 3650; 0 for ever",
		Explain: "Days for which the audit of operators' acts is kept, and what is known of tokens that open nothing any more.",
	},
	{
		Name: "SILENCE_HOURS", Default: "24", Form: "a whole number from 0 to 720; 0 for no alarm",
		Explain: "Hours without a push, while parcels are on their way, after which there is an alarm.",
	},
	{
		Name: "DRAIN_SECONDS", Default: "0", Depends: "6 in production, 0 in development", Form: "a whole number from 0 to 60",
		Explain: "Seconds for which a service that was told to stop says so at /readyz and still answers everything.",
	},
	{
		Name: "METRICS_ADDR", Depends: "none: /metrics needs a token", Form: "host:port, such as 127.0.0.1:9090",
		Explain: "Listener of its own for /metrics, without a token.",
	},
	{
		Name: "LOG_LEVEL", Default: "info", Form: "debug, info, warn or error",
		Explain: "Least important lines that are logged.",
	},
	{
		Name: "LOG_FORMAT", Default: string(Text), Form: "text or json",
		Explain: "How log lines are written.",
	},
	{
		Name: "SHOP_NAME", Form: formText + " of at most 80 characters",
		Explain: "Name of the shop on the tracking page.",
	},
	{
		Name: "SHOP_LOGO_URL", Form: "an https:// address",
		Explain: "Picture at the head of the tracking page.",
	},
	{
		Name: "SHOP_COLOR", Form: "a colour such as #0f766e",
		Explain: "Accent colour of the tracking page.",
	},
	{
		Name: "SHOP_SUPPORT_URL", Form: "an https://, mailto: or tel: address",
		Explain: "Where the tracking page sends buyers who need help.",
	},
}

// Settings returns the table of all settings, in reading order.
func Settings() []Setting { return append([]Setting(nil), settings...) }

// setting returns the row of a name that is in the table.
func setting(name string) Setting {
	for _, s := range settings {
		if s.Name == name {
			return s
		}
	}
	panic("config: no setting " + name) // a test keeps fields and table equal
}
