package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

// secretConfig has a telling value in every place that holds a secret.
func secretConfig(t *testing.T) (*Config, []string) {
	t.Helper()
	words := []string{
		"hidden-admin-0123456789abcdef-0123", "hidden-token-0123456789abcdef-0123", "hidden-second-0123456789abcdef-0123",
		"hidden-hmac", "hidden@example.com", "hidden password", "hidden-soketi", "hidden-pg", "hidden-query", "hidden-redis",
	}
	c := load(t, "ADMIN_TOKEN="+words[0], "SHIPROCKET_WEBHOOK_TOKEN="+words[1]+","+words[2],
		"SHIPROCKET_WEBHOOK_SECRET="+words[3], "SHIPROCKET_EMAIL="+words[4], "SHIPROCKET_PASSWORD="+words[5],
		"SOKETI_APP_SECRET="+words[6], "DATABASE_URL=postgres://shop:"+words[7]+"@db:5432/waybill?sslmode=require&sslpassword="+words[8],
		"REDIS_URL=redis://:"+words[9]+"@cache:6379/0")
	return c, words
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	c, words := secretConfig(t)
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
		printed["Config "+verb] = fmt.Sprintf(verb, *c)
		printed["pointer "+verb] = fmt.Sprintf(verb, c)
		printed["Secret "+verb] = fmt.Sprintf(verb, c.AdminToken)
		printed["list "+verb] = fmt.Sprintf(verb, c.Shiprocket.WebhookTokens)
		printed["DSN "+verb] = fmt.Sprintf(verb, c.DatabaseURL)
	}
	for name, v := range map[string]any{"value": *c, "pointer": c} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed["json "+name] = string(text)
		var buf bytes.Buffer
		slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "config", v, "token", c.AdminToken, "db", c.DatabaseURL)
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "config", v, "token", c.AdminToken, "db", c.DatabaseURL)
		printed["slog "+name] = buf.String()
	}
	printed["summary"] = fmt.Sprint(c.Summary())
	printed["warnings"] = c.Warnings().Error()
	for how, text := range printed {
		for _, word := range words {
			if strings.Contains(text, word) || strings.Contains(text, fmt.Sprintf("%x", word)) {
				t.Errorf("%s shows %q", how, word)
			}
		}
	}
}

func TestProblemsDoNotRepeatSecrets(t *testing.T) {
	t.Parallel()
	ps := problems(t, "ADMIN_TOKEN=hidden-1", "SHIPROCKET_WEBHOOK_TOKEN=hidden-2,hidden-3",
		"DATABASE_URL=postgres://u:hidden-4%zz@h/d", "REDIS_URL=hidden-5:hidden@h", "PUBLIC_URL=https://u:hidden-6@h.example")
	if len(ps) != 6 {
		t.Errorf("%d problems, want 6: %v", len(ps), ps)
	}
	if strings.Contains(ps.Error(), "hidden") {
		t.Errorf("problems repeat a secret: %v", ps)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	c, _ := secretConfig(t)
	got := map[string]Row{}
	for i, row := range c.Summary() {
		if row.Name != settings[i].Name {
			t.Errorf("row %d is %s, want %s", i, row.Name, settings[i].Name)
		}
		got[row.Name] = row
	}
	for name, want := range map[string]string{
		"ADMIN_TOKEN":               "set",
		"SHIPROCKET_WEBHOOK_TOKEN":  "set (2)",
		"SHIPROCKET_WEBHOOK_SECRET": "set (1)",
		"DATABASE_URL":              "postgres://shop@db:5432/waybill",
		"REDIS_URL":                 "redis://cache:6379/0",
		"PORT":                      "5000",
		"PUBLIC_URL":                "not set",
		"SOKETI_PUBLIC_PORT":        "not set",
		"SOKETI_PUBLIC_TLS":         "not set",
		"PUBLIC_ORDER_CHANNELS":     "true",
		"SHIPROCKET_IP_CHECK":       "enforce",
		"LOG_LEVEL":                 "info",
	} {
		equal(t, name, got[name].Value, want)
	}
	equal(t, "source of PORT", got["PORT"].Source, FromDefault)
	equal(t, "source of ADMIN_TOKEN", got["ADMIN_TOKEN"].Source, FromEnvironment)
	equal(t, "an unset Secret", Secret{}.String(), "not set")
	equal(t, "an unset DSN", DSN{}.String(), "not set")
	equal(t, "a DSN with one word", NewDSN("redis://word@h:6379").String(), "redis://h:6379")
	equal(t, "a DSN with a user alone", NewDSN("postgres://shop@h/d").String(), "postgres://shop@h/d")
	equal(t, "a DSN that is none", NewDSN("host=h password=p").String(), "set, not a URL")
}

// Zero is a value of DRAIN_SECONDS, and one that cannot be read is not one that
// is not set.
func TestSummaryTellsNoneFromNothing(t *testing.T) {
	t.Parallel()
	value := func(c *Config, name string) string {
		for _, row := range c.Summary() {
			if row.Name == name {
				return row.Value
			}
		}
		return ""
	}
	equal(t, "in development", value(Defaults(Development), "DRAIN_SECONDS"), "0")
	equal(t, "in production", value(Defaults(Production), "DRAIN_SECONDS"), "6")
	equal(t, "set to none", value(load(t, valid("DRAIN_SECONDS=0")...), "DRAIN_SECONDS"), "0")

	c, err := Load(valid("PUBLIC_URL=https://track.example/shop", "RETENTION_DAYS=many"), Production)
	equal(t, "the address", value(c, "PUBLIC_URL"), "cannot be used")
	equal(t, "the days", value(c, "RETENTION_DAYS"), "cannot be used")
	if c.PublicURL != nil || err == nil || strings.Contains(c.Warnings().Error(), "PUBLIC_URL") {
		t.Errorf("an address that is none: %v, %v, warned of: %v", c.PublicURL, err, c.Warnings())
	}
}

func TestEveryFieldIsInTheTable(t *testing.T) {
	t.Parallel()
	inTable := map[string]Setting{}
	for _, s := range Settings() {
		if _, twice := inTable[s.Name]; twice {
			t.Errorf("%s stands twice in the table", s.Name)
		}
		if s.Explain == "" || s.Form == "" || !strings.HasSuffix(s.Explain, ".") {
			t.Errorf("%s is not explained", s.Name)
		}
		inTable[s.Name] = s
	}
	secretTypes := []reflect.Type{reflect.TypeFor[Secret](), reflect.TypeFor[[]Secret](), reflect.TypeFor[DSN]()}
	Defaults(Production).fields(func(name string, field reflect.Value) {
		s, ok := inTable[name]
		if !ok {
			t.Errorf("%s is a field and not in the table", name)
		}
		secret := false
		for _, typ := range secretTypes {
			secret = secret || field.Type() == typ
		}
		if secret != s.Secret {
			t.Errorf("%s: secret by type is %t, by table %t", name, secret, s.Secret)
		}
		delete(inTable, name)
	})
	for name := range inTable {
		t.Errorf("%s is in the table and no field", name)
	}
}
