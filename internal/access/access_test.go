package access_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
)

func TestRole(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	tests := []struct {
		name, configured, header string
		want                     access.Role
		ok                       bool
	}{
		{"good", secret, "Bearer " + secret, access.Admin, true},
		{"scheme in any case", secret, "bearer " + secret, access.Admin, true},
		{"wrong", secret, "Bearer " + secret + "x", "", false},
		{"raw", secret, secret, "", false},
		{"none sent", secret, "", "", false},
		{"none configured", "", "Bearer ", "", false},
		{"none configured, one sent", "", "Bearer " + secret, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", tt.header)
			role, ok := access.NewGuard(tt.configured).Role(r)
			if role != tt.want || ok != tt.ok {
				t.Errorf("%q, %v; want %q, %v", role, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	if !access.Admin.May(access.Viewer) || !access.Viewer.May(access.Viewer) || access.Viewer.May(access.Shop) || access.Role("").May(access.Viewer) {
		t.Error("a role may more or less than it should")
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
