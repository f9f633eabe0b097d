package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// settingsOf lists which settings the problems are about.
func settingsOf(ps Problems) string {
	var names []string
	for _, p := range ps {
		names = append(names, p.Setting)
	}
	return strings.Join(names, " ")
}

func TestAllProblemsAtOnceInReadingOrder(t *testing.T) {
	t.Parallel()
	ps := problems(
		t,
		"SHOP_COLOR=teal", "RETENTION_DAYS=ninety", "PORT=70000", "LIVE=sometimes",
		"PUBLIC_ORDER_CHANNELS=yes", "SHIPROCKET_ALLOWED_IPS=1.2.3.4,1.2.3.400,example.com", "LOG_LEVEL=loud",
	)
	want := "PORT SHIPROCKET_WEBHOOK_TOKEN SHIPROCKET_ALLOWED_IPS LIVE PUBLIC_ORDER_CHANNELS RETENTION_DAYS LOG_LEVEL SHOP_COLOR"
	if got := settingsOf(ps); got != want {
		t.Errorf("problems of %q, want %q", got, want)
	}
	for _, p := range ps {
		if p.Mend == "" {
			t.Errorf("%s does not say how to mend it", p)
		}
	}
	if lines := strings.Split(ps.Error(), "\n"); len(lines) != len(ps) {
		t.Errorf("Error has %d lines for %d problems", len(lines), len(ps))
	}
	if text := ps.Error(); !strings.Contains(text, "1.2.3.400") || !strings.Contains(text, "example.com") {
		t.Errorf("the bad items of a list are not named: %s", text)
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{
		"APP_ENV=staging", "PORT=-1", "PORT=5000x", "HOST=0.0.0.0:5000", "HOST=a b",
		"PUBLIC_URL=track.example.com", "PUBLIC_URL=https://a.example/path", "PUBLIC_URL=https://u:p@a.example",
		"PUBLIC_URL=https://a.example?x=1", "PUBLIC_URL=ftp://a.example", "PUBLIC_URL=https://", "PUBLIC_URL=https://a:0",
		"DATA_DIR= ",
		"DATABASE_URL=mysql://h/d", "DATABASE_URL=host=h user=u", "DATABASE_URL=postgres:///d", "DATABASE_URL=postgres://u:p@ss/word@h/d",
		"REDIS_URL=localhost:6379", "REDIS_URL=http://h",
		"ADMIN_TOKEN=short", "ADMIN_TOKEN=" + token1 + " ", "ADMIN_TOKEN=" + token1 + "é",
		"SHIPROCKET_SIGNATURE_HEADER=X Signature", "SHIPROCKET_SIGNATURE_HEADER=x-api-key", "SHIPROCKET_SIGNATURE_HEADER=authorization",
		"SHIPROCKET_ALLOWED_IPS=::ffff:1.2.3.4/95", "SHIPROCKET_ALLOWED_IPS=fe80::1%eth0", "TRUSTED_PROXIES=10.0.0.0/33",
		"SHIPROCKET_IP_CHECK=maybe", "LIVE=none",
		"SOKETI_APP_ID=a/b", "SOKETI_APP_KEY=k?", "SOKETI_PUBLIC_HOST=https://w.example", "SOKETI_PORT=0", "SOKETI_PUBLIC_PORT=70000",
		"ALLOWED_ORIGINS=*", "ALLOWED_ORIGINS=https://a.example/shop", "ALLOWED_ORIGINS=null",
		"PUSHER_WEBHOOK_URLS=http://shop.example/hook", "PUSHER_WEBHOOK_URLS=https://a.example,shop", "PUSHER_WEBHOOK_URLS=ftp://a.example",
		"RETENTION_DAYS=0", "RETENTION_DAYS=4000", "AUDIT_RETENTION_DAYS=-1", "AUDIT_RETENTION_DAYS=3651", "SILENCE_HOURS=-1", "SILENCE_HOURS=721", "DRAIN_SECONDS=-1", "DRAIN_SECONDS=61",
		"METRICS_ADDR=9090", "METRICS_ADDR=:5000", "LOG_FORMAT=xml",
		"SHOP_COLOR=#12345", "SHOP_COLOR=red;}", "SHOP_LOGO_URL=http://a.example/l.png", "SHOP_LOGO_URL=data:image/png;base64,",
		"SHOP_SUPPORT_URL=javascript:alert(1)", "SHOP_SUPPORT_URL=https:", "SHOP_NAME=a\x00b", "AUTO_CREATE_ORDERS=on",
	} {
		name, _, _ := strings.Cut(pair, "=")
		if got := settingsOf(problems(t, valid(pair)...)); got != name {
			t.Errorf("%q: problems of %q, want %s alone", pair, got, name)
		}
	}
}

func TestValuesThatAreTaken(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{
		"PORT=0", "HOST=::", "HOST=localhost", "PUBLIC_URL=http://localhost:5000", "PUBLIC_URL=https://[2001:db8::1]:8443",
		"DATABASE_URL=postgres://u:p%40@h:5432/d?sslmode=disable", "DATABASE_URL=postgresql://u@/d?host=/run/postgresql",
		"REDIS_URL=rediss://:pw@h:6380/1", "METRICS_ADDR=127.0.0.1:9090", "METRICS_ADDR=[::1]:9090",
		"SHOP_COLOR=#0f7", "SHOP_SUPPORT_URL=mailto:help@shop.example", "SHOP_SUPPORT_URL=tel:+911234567890", "SHOP_NAME=दुकान",
		"ADMIN_TOKEN=" + token2, "PUSHER_WEBHOOK_URLS=https://shop.example/hook?t=1,http://127.0.0.1:9000/hook",
	} {
		if ps := problems(t, valid(pair)...); len(ps) > 0 {
			t.Errorf("%q is refused: %v", pair, ps)
		}
	}
}

func TestProductionRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"neither token nor secret", nil, "SHIPROCKET_WEBHOOK_TOKEN"},
		{"a short token", []string{"SHIPROCKET_WEBHOOK_TOKEN=" + token1[:31]}, "SHIPROCKET_WEBHOOK_TOKEN"},
		{"one short token of two", []string{"SHIPROCKET_WEBHOOK_TOKEN=" + token1 + ",short"}, "SHIPROCKET_WEBHOOK_TOKEN"},
		{"a token of 32", []string{"SHIPROCKET_WEBHOOK_TOKEN=" + token1}, ""},
		{"a secret alone", []string{"SHIPROCKET_WEBHOOK_SECRET=" + token1}, ""},
		{"commas alone", []string{"SHIPROCKET_WEBHOOK_TOKEN=,,"}, "SHIPROCKET_WEBHOOK_TOKEN"},
	} {
		ps := problems(t, tt.environ...)
		if got := settingsOf(ps); got != tt.want {
			t.Errorf("%s: problems of %q, want %q", tt.name, got, tt.want)
		}
		if tt.want != "" && !strings.Contains(ps.Error(), "openssl rand -hex 32") {
			t.Errorf("%s: does not say how to make one: %v", tt.name, ps)
		}
		if _, err := Load(append(tt.environ, "APP_ENV=development"), Production); err != nil {
			t.Errorf("%s: refused in development: %v", tt.name, err)
		}
	}
}

func TestPublishedSampleIsRefused(t *testing.T) {
	t.Parallel()
	if len(sampleTokenSHA256) != 2*sha256.Size {
		t.Fatalf("the sample's hash has %d characters", len(sampleTokenSHA256))
	}
	sum := sha256.Sum256([]byte(token2))
	burned := hex.EncodeToString(sum[:]) // stands in for the real sample, which is known by its hash alone
	for _, name := range []string{"SHIPROCKET_WEBHOOK_TOKEN", "SHIPROCKET_WEBHOOK_SECRET", "ADMIN_TOKEN", "SOKETI_APP_SECRET"} {
		environ := []string{name + "=" + token2}
		if name != "SHIPROCKET_WEBHOOK_TOKEN" {
			environ = valid(environ...)
		}
		c := read(environ, Production)
		if got := settingsOf(c.check(burned)); got != name {
			t.Errorf("%s: problems of %q", name, got)
		}
		if ps := c.check(sampleTokenSHA256); len(ps) > 0 {
			t.Errorf("%s: another value is refused too: %v", name, ps)
		}
		c.AppEnv = Development
		if ps := c.check(burned); len(ps) > 0 {
			t.Errorf("%s: refused in development: %v", name, ps)
		}
		if got := settingsOf(c.warn(burned)); !strings.Contains(got, name) {
			t.Errorf("%s: no warning in development: %q", name, got)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	quiet := valid("ADMIN_TOKEN="+token2, "PUBLIC_URL=https://t.example")
	if ps := load(t, quiet...).Warnings(); len(ps) > 0 {
		t.Errorf("a good production warns: %v", ps)
	}
	for _, tt := range []struct{ pair, want string }{
		{"ADMIN_TOKEN=", "ADMIN_TOKEN"},
		{"ADMIN_TOKEN=" + token1, "ADMIN_TOKEN"},
		{"PUBLIC_URL=", "PUBLIC_URL"},
		{"PUBLIC_URL=http://t.example", "PUBLIC_URL"},
		{"TRUSTED_PROXIES=10.0.0.0/8,0.0.0.0/0", "TRUSTED_PROXIES"},
		{"TRUSTED_PROXIES=::/0", "TRUSTED_PROXIES"},
		{"SHIPROCKET_ALLOWED_IPS=0.0.0.0/0", "SHIPROCKET_ALLOWED_IPS"},
		{"SHIPROCKET_IP_CHECK=off", "SHIPROCKET_IP_CHECK"},
		{"SHIPROCKET_WEBHOOK_SECRET=short", "SHIPROCKET_WEBHOOK_SECRET"},
		{"SHIPROCKET_EMAIL=api@shop.example", "SHIPROCKET_EMAIL"},
		{"SHIPROCKET_PASSWORD=hidden", "SHIPROCKET_PASSWORD"},
		{"PUBLIC_SHIPMENTS_CHANNEL=true", "PUBLIC_SHIPMENTS_CHANNEL"},
		{"SHOP_ORDER_IDS=true", "SHOP_ORDER_IDS"},
	} {
		ps := load(t, append(slices.Clone(quiet), tt.pair)...).Warnings() // the last of two wins
		if got := settingsOf(ps); got != tt.want {
			t.Errorf("%q warns about %q, want %s", tt.pair, got, tt.want)
		}
	}
	// What cannot be read is told as an error only.
	c, _ := Load(valid("ADMIN_TOKEN="+token2), Production)
	c.Shiprocket.WebhookTokens = nil
	c.Shiprocket.WebhookSecrets = []Secret{NewSecret(token1)}
	if got := settingsOf(c.Warnings()); !strings.Contains(got, "SHIPROCKET_WEBHOOK_TOKEN") {
		t.Errorf("a secret without a token does not warn: %q", got)
	}
}
