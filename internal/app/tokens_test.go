package app

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// A terminal is where the commands about tokens speak.
type terminal struct {
	TokenOptions
	out, err *bytes.Buffer
}

func newTerminal(cfg *config.Config) terminal {
	out, errOut := &bytes.Buffer{}, &bytes.Buffer{}
	return terminal{TokenOptions{Config: cfg, Log: slog.New(slog.DiscardHandler), Out: out, Err: errOut}, out, errOut}
}

// made makes a token and returns its id and secret.
func (c terminal) made(t testing.TB, role, name, expires string) (id, secret string) {
	t.Helper()
	c.out.Reset()
	c.err.Reset()
	if err := CreateToken(t.Context(), c.TokenOptions, role, name, expires); err != nil {
		t.Fatal(err)
	}
	secret = strings.TrimSuffix(c.out.String(), "\n")
	if !regexp.MustCompile(`^wb_` + role + `_[a-z2-7]{52}$`).MatchString(secret) {
		t.Fatalf("printed %q", c.out)
	}
	found := regexp.MustCompile(role + ` token (\w{26}) for "` + name + `", expires `).FindStringSubmatch(c.err.String())
	if found == nil || strings.Contains(c.err.String(), secret) {
		t.Fatalf("said %q", c.err)
	}
	return found[1], secret
}

// Tokens made in a terminal open a server's calls, and those that it makes are
// seen there.
func TestTokensOnSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := settings(t, dir, "ADMIN_TOKEN=")
	c := newTerminal(cfg)
	_, admin := c.made(t, "admin", "first", "")
	gone, revoked := c.made(t, "viewer", "gone", "90d")
	if err := RevokeToken(t.Context(), c.TokenOptions, gone); err != nil {
		t.Fatal(err)
	}
	says(t, c.out.String(), "revoked viewer token "+gone+" (gone)")

	a, _ := started(t, cfg)
	ask := func(method, path, body, secret string) (int, string) {
		return do(t, method, a.URL()+path, body, "Authorization", "Bearer "+secret)
	}
	if code, body := ask(http.MethodGet, "/api/tokens", "", admin); code != http.StatusOK || !strings.Contains(body, `"state":"revoked"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := ask(http.MethodGet, "/api/webhooks/logs", "", revoked); code != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", code)
	}
	if code, body := ask(http.MethodPost, "/api/tokens", `{"role":"shop","name":"by API"}`, admin); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	if _, body := ask(http.MethodGet, "/metrics", "", admin); !strings.Contains(body, "\nwaybill_unauthorized_total 1\n") {
		t.Error("no count of unauthorized calls")
	}
	_, body := ask(http.MethodGet, "/api/audit", "", admin)
	says(t, body, `"actor":"command line","role":"admin","peer":null`, `"actor":"first"`, `"total":4`)

	// A running server keeps its tokens itself, and the mend is said.
	err := CreateToken(t.Context(), c.TokenOptions, "viewer", "in vain", "")
	if !errors.Is(err, store.ErrInUse) {
		t.Fatalf("beside a server: %v", err)
	}
	says(t, err.Error(), "it is in use by another waybill process (pid ", "curl -H \"Authorization: Bearer $ADMIN_TOKEN\" http://127.0.0.1:", "/api/tokens -d '{\"role\"", "-X DELETE")

	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	c.out.Reset()
	if err := ListTokens(t.Context(), c.TokenOptions); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	if len(lines) != 4 || !regexp.MustCompile(`^ID +ROLE +STATE +CREATED +EXPIRES +LAST USED +NAME$`).MatchString(lines[0]) {
		t.Fatalf("printed %s", c.out)
	}
	for i, want := range []string{`shop +active +20\S+ +never +never +by API`, `viewer +revoked +20\S+ +20\S+ +never +gone`, `admin +active +20\S+ +never +20\S+ +first`} {
		if !regexp.MustCompile(`^\w{26} +` + want + `$`).MatchString(lines[i+1]) {
			t.Errorf("line %q, want %s", lines[i+1], want)
		}
	}
	if strings.Contains(c.out.String(), "wb_") {
		t.Error("a secret is in the list")
	}
}

// On PostgreSQL the terminal works beside servers, which see what it does.
func TestTokensOnPostgreSQL(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir(), "DATABASE_URL="+storetest.PostgresURL(t), "ADMIN_TOKEN=")
	c := newTerminal(cfg)
	if err := CreateToken(t.Context(), c.TokenOptions, "viewer", "too early", ""); err == nil || !strings.Contains(err.Error(), "`waybill migrate` brings it up to date") {
		t.Errorf("before any migration: %v", err)
	}
	one, _ := started(t, cfg)
	two, _ := started(t, cfg)
	id, secret := c.made(t, "viewer", "Grafana", "12h")
	opens := func(a *App) bool {
		code, _ := do(t, http.MethodGet, a.URL()+"/api/webhooks/logs", "", "Authorization", "Bearer "+secret)
		return code == http.StatusOK
	}
	until(t, "the token opens both servers", func() bool { return opens(one) && opens(two) })
	if err := RevokeToken(t.Context(), c.TokenOptions, id); err != nil {
		t.Fatal(err)
	}
	until(t, "the token opens neither server", func() bool { return !opens(one) && !opens(two) })
}

func TestTokenCommandsRefuse(t *testing.T) {
	t.Parallel()
	c := newTerminal(settings(t, t.TempDir()))
	for says, args := range map[string][3]string{
		"role must be": {"root", "x", ""}, "name must be": {"viewer", "", ""}, "expires must be": {"viewer", "x", "soon"},
	} {
		if err := CreateToken(t.Context(), c.TokenOptions, args[0], args[1], args[2]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := RevokeToken(t.Context(), c.TokenOptions, "nobody"); err == nil || !strings.Contains(err.Error(), "token not found: \"nobody\" is no") {
		t.Errorf("revoke an unknown one: %v", err)
	}
	// A database that cannot be named is not replaced by another.
	cfg, loaded := config.Load([]string{"DATABASE_URL=mysql://db", "DATA_DIR=" + t.TempDir()}, config.Production)
	c = newTerminal(cfg)
	c.Loaded = loaded
	var problems config.Problems
	if err := CreateToken(t.Context(), c.TokenOptions, "admin", "x", ""); !errors.As(err, &problems) || len(problems) != 1 || c.out.Len() > 0 {
		t.Errorf("with a broken DATABASE_URL: %v", err)
	}
}
