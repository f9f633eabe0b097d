package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	token1 = "0123456789abcdef0123456789abcdef"
	token2 = "fedcba9876543210fedcba9876543210"
)

// valid is an environment in which production starts.
func valid(more ...string) []string {
	return append([]string{"SHIPROCKET_WEBHOOK_TOKEN=" + token1}, more...)
}

func load(t *testing.T, environ ...string) *Config {
	t.Helper()
	c, err := Load(environ, Production)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// problems loads and returns what is wrong.
func problems(t *testing.T, environ ...string) Problems {
	t.Helper()
	_, err := Load(environ, Production)
	var ps Problems
	if err != nil && !errors.As(err, &ps) {
		t.Fatalf("Load returned %T, want Problems", err)
	}
	return ps
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestDefaultsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	c := load(t, valid()...)
	equal(t, "Addr", c.Addr(), "0.0.0.0:5000")
	equal(t, "AppEnv", c.AppEnv, Production)
	equal(t, "DataDir", c.DataDir, "./data")
	equal(t, "DatabaseURL", c.DatabaseURL.IsSet(), false)
	equal(t, "Retention", c.Retention(), 90*24*time.Hour)
	equal(t, "AuditRetention", c.AuditRetention(), 730*24*time.Hour)
	equal(t, "SignatureHeader", c.Shiprocket.SignatureHeader, "X-Shiprocket-Signature")
	equal(t, "IPCheck", c.Shiprocket.IPCheck, Enforce)
	equal(t, "AllowedIPs", showPrefixes(c.Shiprocket.AllowedIPs),
		"13.234.161.44, 13.234.27.58, 13.234.251.9, 52.66.111.82, 13.235.80.206, 3.110.101.158")
	equal(t, "TrustedProxies", len(c.TrustedProxies), 0)
	equal(t, "Live", c.Live, Embedded)
	equal(t, "Soketi.Port", c.Soketi.Port, 6001)
	equal(t, "Soketi.UseTLS", c.Soketi.UseTLS, false)
	equal(t, "AutoCreateOrders", c.AutoCreateOrders, true)
	equal(t, "PublicOrderChannels", c.PublicOrderChannels, true)
	equal(t, "PublicShipmentsChannel", c.PublicShipmentsChannel, false)
	equal(t, "ShopOrderIDs", c.ShopOrderIDs, false)
	equal(t, "PusherClientEvents", c.PusherClientEvents, false)
	equal(t, "LogLevel", c.LogLevel.Level(), slog.LevelInfo)
	equal(t, "LogFormat", c.LogFormat, Text)
	if c.PublicURL != nil {
		t.Errorf("PublicURL = %v, want nil", c.PublicURL)
	}
}

func TestDefaultsOfDevelopment(t *testing.T) {
	t.Parallel()
	c := Defaults(Development)
	equal(t, "AppEnv", c.AppEnv, Development)
	equal(t, "IPCheck", c.Shiprocket.IPCheck, Off)
	if err := c.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	c, err := Load(valid("APP_ENV=production"), Development)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "IPCheck", c.Shiprocket.IPCheck, Enforce)
}

func TestLoadReadsEveryKindOfValue(t *testing.T) {
	t.Parallel()
	c := load(
		t,
		"SHIPROCKET_WEBHOOK_TOKEN= "+token1+" ,, "+token2+",",
		"SHIPROCKET_ALLOWED_IPS=10.1.2.3/8, 2001:db8::1,::ffff:192.0.2.7,::ffff:198.51.100.9/120",
		"TRUSTED_PROXIES=172.16.0.0/12",
		"PUBLIC_URL=HTTPS://Track.Example.com:443/",
		"ALLOWED_ORIGINS=https://Shop.example.com/, http://localhost:3000",
		"APP_ENV=Production", "PUBLIC_ORDER_CHANNELS=FALSE", "SHOP_ORDER_IDS=1",
		"PORT=8080", "HOST=::1", "LOG_LEVEL=warn", "LOG_FORMAT=json",
		"SHIPROCKET_PASSWORD= with blanks ", "METRICS_ADDR=:9090", "SOKETI_PUBLIC_TLS=false",
		"SHOP_NAME=", // empty counts as not set
	)
	equal(t, "tokens", len(c.Shiprocket.WebhookTokens), 2)
	equal(t, "second token", c.Shiprocket.WebhookTokens[1].Reveal(), token2)
	if want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("2001:db8::1/128"),
		netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("198.51.100.0/24"),
	}; !slices.Equal(c.Shiprocket.AllowedIPs, want) {
		t.Errorf("AllowedIPs = %v, want %v", c.Shiprocket.AllowedIPs, want)
	}
	equal(t, "TrustedProxies", showPrefixes(c.TrustedProxies), "172.16.0.0/12")
	equal(t, "PublicURL", c.PublicURL.String(), "https://track.example.com")
	equal(t, "AllowedOrigins", strings.Join(c.AllowedOrigins, " "), "https://shop.example.com http://localhost:3000")
	equal(t, "AppEnv", c.AppEnv, Production)
	equal(t, "PublicOrderChannels", c.PublicOrderChannels, false)
	equal(t, "ShopOrderIDs", c.ShopOrderIDs, true)
	equal(t, "Addr", c.Addr(), "[::1]:8080")
	equal(t, "LogLevel", c.LogLevel.Level(), slog.LevelWarn)
	equal(t, "LogFormat", c.LogFormat, JSON)
	equal(t, "Password", c.Shiprocket.Password.Reveal(), " with blanks ")
	equal(t, "PublicTLS", *c.Soketi.PublicTLS, false)
	equal(t, "Shop.Name", c.Shop.Name, "")
}

func TestNameFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := load(
		t,
		"SHIPROCKET_WEBHOOK_TOKEN_FILE="+write("tokens", token1+","+token2+"\n"),
		"ADMIN_TOKEN_FILE="+write("admin", token2+"\r\n"),
		"ADMIN_TOKEN=", // compose passes unset variables on as empty ones
		"PORT_FILE="+write("port", "8081\n"),
	)
	equal(t, "tokens", len(c.Shiprocket.WebhookTokens), 2)
	equal(t, "ADMIN_TOKEN", c.AdminToken.Reveal(), token2)
	equal(t, "PORT", c.Port, 8081)

	for name, environ := range map[string][]string{
		"both set":    {"ADMIN_TOKEN=" + token1, "ADMIN_TOKEN_FILE=" + write("second", token2)},
		"no file":     {"ADMIN_TOKEN_FILE=" + filepath.Join(dir, "none")},
		"empty file":  {"ADMIN_TOKEN_FILE=" + write("empty", "\n")},
		"two of them": {"ADMIN_TOKEN_FILE=" + write("lines", token1+"\n"+token2)},
	} {
		ps := problems(t, valid(environ...)...)
		if len(ps) != 1 || ps[0].Setting != "ADMIN_TOKEN" {
			t.Errorf("%s: problems = %q, want one of ADMIN_TOKEN", name, ps)
		}
	}
}

func TestLiveFollowsTheHost(t *testing.T) {
	t.Parallel()
	app := valid("SOKETI_HOST=soketi.internal", "SOKETI_APP_ID=a", "SOKETI_APP_KEY=k", "SOKETI_APP_SECRET=s")
	equal(t, "with a host", load(t, app...).Live, External)
	equal(t, "both", load(t, append(app, "LIVE=both")...).Live, Both)
	equal(t, "embedded", load(t, append(app, "LIVE=embedded")...).Live, Embedded)

	ps := problems(t, valid("LIVE=external")...)
	for _, name := range []string{"SOKETI_HOST", "SOKETI_APP_ID", "SOKETI_APP_KEY", "SOKETI_APP_SECRET"} {
		if !slices.ContainsFunc(ps, func(p Problem) bool { return p.Setting == name }) {
			t.Errorf("external without %s is not refused: %q", name, ps)
		}
	}
}

func TestHostedPusherNeedsItsHostNameOnly(t *testing.T) {
	t.Parallel()
	app := valid("SOKETI_HOST=api-ap2.pusher.com", "SOKETI_APP_ID=1", "SOKETI_APP_KEY=k", "SOKETI_APP_SECRET=s")
	c := load(t, app...)
	equal(t, "Port", c.Soketi.Port, 443)
	equal(t, "UseTLS", c.Soketi.UseTLS, true)
	equal(t, "Cluster", c.Soketi.Cluster, "ap2")
	socket := c.BrowserSocket()
	equal(t, "browser's host", socket.Host, "ws-ap2.pusher.com")
	equal(t, "browser's port", socket.Port, 443)
	equal(t, "browser's TLS", *socket.TLS, true)
	equal(t, "given port", load(t, append(app, "SOKETI_PORT=6001")...).Soketi.Port, 6001)
}

func TestBrowserSocket(t *testing.T) {
	t.Parallel()
	external := []string{"SOKETI_HOST=s", "SOKETI_APP_ID=1", "SOKETI_APP_KEY=k", "SOKETI_APP_SECRET=s"}
	for _, tt := range []struct {
		name    string
		environ []string
		host    string
		port    int
		tls     string
	}{
		{"the page's own", nil, "", 0, "page"},
		{"PUBLIC_URL", []string{"PUBLIC_URL=https://t.example"}, "t.example", 443, "true"},
		{"PUBLIC_URL with a port", []string{"PUBLIC_URL=http://t.example:8080"}, "t.example", 8080, "false"},
		{"PUBLIC_URL without TLS", []string{"PUBLIC_URL=http://t.example"}, "t.example", 80, "false"},
		{"a host of its own", []string{"PUBLIC_URL=https://t.example:8443", "SOKETI_PUBLIC_HOST=ws.example"}, "ws.example", 443, "true"},
		{"a port alone", []string{"SOKETI_PUBLIC_PORT=6001"}, "", 6001, "page"},
		{"an outside server reached directly", append(external, "SOKETI_PUBLIC_HOST=localhost"), "localhost", 6001, "false"},
		{"this server reached directly", []string{"SOKETI_PUBLIC_HOST=localhost"}, "localhost", 5000, "false"},
		{"all three", []string{"SOKETI_PUBLIC_HOST=w", "SOKETI_PUBLIC_PORT=1", "SOKETI_PUBLIC_TLS=true"}, "w", 1, "true"},
	} {
		s := load(t, valid(tt.environ...)...).BrowserSocket()
		tls := "page"
		if s.TLS != nil {
			tls = show(s.TLS)
		}
		if s.Host != tt.host || s.Port != tt.port || tls != tt.tls {
			t.Errorf("%s: %q %d %s, want %q %d %s", tt.name, s.Host, s.Port, tls, tt.host, tt.port, tt.tls)
		}
	}
}
