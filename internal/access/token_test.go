package access_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestSecrets(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, role := range []access.Role{access.Admin, access.Viewer, access.Shop} {
		for range 100 {
			secret := access.NewSecret(role)
			if !regexp.MustCompile(`^wb_` + string(role) + `_[a-z2-7]{52}$`).MatchString(secret) {
				t.Fatalf("secret %q", secret)
			}
			if seen[secret] {
				t.Fatalf("secret %q comes again", secret)
			}
			seen[secret] = true
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"Grafana", "Asha's laptop", "दुकान", strings.Repeat("x", 100)} {
		if err := access.CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " x", "x ", "a\nb", "a\x00b", "\xff", strings.Repeat("x", 101), "ADMIN_TOKEN", "admin_token", "Command Line", "wb_admin_abc", "a\u202eb"} {
		if err := access.CheckName(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Time{
		"": {}, "90d": noon.AddDate(0, 0, 90), "12h": noon.Add(12 * time.Hour), "3650d": noon.Add(3650 * 24 * time.Hour),
		"2026-11-24": time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), "2026-11-23T18:00:00+05:30": noon.Add(30 * time.Minute),
	} {
		if at, err := access.ParseExpiry(s, noon); err != nil || !at.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", s, at, err, want)
		}
	}
	for _, bad := range []string{"d", "0d", "-1d", "+1d", "1w", "90", "3651d", "99999d", "65535d", "2026-11-23", "2020-01-01", "2099-01-01", "never", "1.5d", "90 d"} {
		if at, err := access.ParseExpiry(bad, noon); err == nil {
			t.Errorf("%q is %v", bad, at)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for want, token := range map[string]access.Token{
		"active":  {ExpiresAt: noon.Add(time.Second)},
		"expired": {ExpiresAt: noon},
		"revoked": {ExpiresAt: noon, RevokedAt: noon},
	} {
		if got := token.State(noon); got != want || token.Live(noon) != (want == "active") {
			t.Errorf("%s, live %v; want %s", got, token.Live(noon), want)
		}
	}
	if forever := (&access.Token{}); !forever.Live(noon.AddDate(100, 0, 0)) {
		t.Error("a token without expiry expires")
	}
}
