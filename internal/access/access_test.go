package access_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/access"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is a request with an Authorization header.
func asked(t testing.TB, header string) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", header)
	return r
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	tests := []struct {
		name, configured, header string
		ok                       bool
	}{
		{"good", secret, "Bearer " + secret, true},
		{"scheme in any case", secret, "bearer " + secret, true},
		{"wrong", secret, "Bearer " + secret + "x", false},
		{"raw", secret, secret, false},
		{"none sent", secret, "", false},
		{"none configured", "", "Bearer ", false},
		{"none configured, one sent", "", "Bearer " + secret, false},
		{"none configured, one of ours sent", "", "Bearer wb_admin_" + secret, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := access.NewGuard(tt.configured)
			actor, err := g.Who(asked(t, tt.header))
			switch {
			case tt.ok && (err != nil || actor != access.Actor{Name: access.AdminTokenName, Role: access.Admin} || g.Refused() != 0):
				t.Errorf("%+v, %v, %d refused", actor, err, g.Refused())
			case !tt.ok && (err != access.ErrUnknown || actor != access.Actor{} || g.Refused() != 1): //nolint:errorlint // the sentinel itself
				t.Errorf("%+v, %v, %d refused", actor, err, g.Refused())
			}
		})
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	if !access.Admin.May(access.Viewer) || !access.Viewer.May(access.Viewer) || access.Viewer.May(access.Shop) || access.Role("").May(access.Viewer) || !access.Admin.May() {
		t.Error("a role may more or less than it should")
	}
	if nobody := access.ActorOf(t.Context()); nobody.Role.May(access.Viewer, access.Shop, access.Admin) {
		t.Error("nobody may something")
	}
}

func TestWatchTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := access.NewWatchTokens("secret")
	token := w.Make("order-a", now.Add(time.Hour))
	if !w.Valid(token, "order-a", now) {
		t.Error("a fresh token is refused")
	}
	if w.Valid(token, "order-b", now) {
		t.Error("a token opens another order")
	}
	if w.Valid(token, "order-a", now.Add(time.Hour)) {
		t.Error("an expired token is accepted")
	}
	if access.NewWatchTokens("other").Valid(token, "order-a", now) {
		t.Error("a token of another installation is accepted")
	}
	for _, junk := range []string{"", ".", "zz.", "zzzzzz." + token} {
		if w.Valid(junk, "order-a", now) {
			t.Errorf("%q is accepted", junk)
		}
	}
}
