package config

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Validate returns nil or, as Problems, everything for which the service must
// not start: what Load could not read, values that cannot work, and in
// production what would leave intake open.
func (c *Config) Validate() error {
	if ps := c.check(sampleTokenSHA256); len(ps) > 0 {
		return ps
	}
	return nil
}

func (c *Config) check(burned string) Problems {
	var found Problems
	c.checkServer(&found)
	c.checkStores(&found)
	c.checkLive(&found)
	c.checkShop(&found)
	c.checkSecrets(&found, burned)

	all := slices.Clone(c.unread)
	for _, p := range found { // what could not be read was told already
		if !slices.ContainsFunc(c.unread, func(u Problem) bool { return u.Setting == p.Setting }) {
			all = append(all, p)
		}
	}
	if len(all) > 0 {
		c.warnMisspelt(&all) // it may be the cause
	}
	return all.sorted()
}

func (c *Config) checkServer(ps *Problems) {
	if !isHost(c.Host) {
		ps.form("HOST", fmt.Sprintf("%q is not a host", c.Host))
	}
	between(ps, "PORT", c.Port, 0, 65535)
	between(ps, "RETENTION_DAYS", c.RetentionDays, 1, 3650)
	between(ps, "AUDIT_RETENTION_DAYS", c.AuditDays, 0, 3650)
	between(ps, "SILENCE_HOURS", c.SilenceHours, 0, 720)
	between(ps, "DRAIN_SECONDS", c.DrainSeconds, 0, 60)
	if c.MetricsAddr == "" {
		return
	}
	host, port, err := net.SplitHostPort(c.MetricsAddr)
	if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 || host != "" && !isHost(host) {
		ps.form("METRICS_ADDR", fmt.Sprintf("%q is not an address to listen on", c.MetricsAddr))
	} else if n == c.Port && n != 0 {
		ps.add("METRICS_ADDR", "its port is that of the service", "use another port")
	}
}

func (c *Config) checkStores(ps *Problems) {
	if strings.TrimSpace(c.DataDir) == "" {
		ps.form("DATA_DIR", "it is blank")
	}
	checkDSN(ps, "DATABASE_URL", c.DatabaseURL, "postgres", "postgresql")
	checkDSN(ps, "REDIS_URL", c.RedisURL, "redis", "rediss")
}

// checkDSN tells as little as it can: what is wrong may be the password.
func checkDSN(ps *Problems, name string, d DSN, schemes ...string) {
	if !d.IsSet() {
		return
	}
	u, err := d.parse()
	switch {
	case err != nil:
		ps.add(name, err.Error(), "use "+setting(name).Form+", with odd characters of the password written as %XX")
	case !slices.Contains(schemes, u.Scheme):
		ps.form(name, "it does not begin with "+schemes[0]+"://")
	case u.Hostname() == "" && u.Query().Get("host") == "": // PostgreSQL takes a socket's directory as ?host=
		ps.form(name, "it names no host")
	}
}

var appWord = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func (c *Config) checkLive(ps *Problems) {
	s := c.Soketi
	for _, w := range []struct{ name, value string }{
		{"SOKETI_APP_ID", s.AppID},
		{"SOKETI_APP_KEY", s.AppKey},
		{"SOKETI_CLUSTER", s.Cluster},
	} {
		if w.value != "" && !appWord.MatchString(w.value) {
			ps.form(w.name, fmt.Sprintf("%q holds other characters", w.value))
		}
	}
	for _, w := range []struct{ name, value string }{
		{"SOKETI_HOST", s.Host},
		{"SOKETI_PUBLIC_HOST", s.PublicHost},
	} {
		if w.value != "" && !isHost(w.value) {
			ps.form(w.name, fmt.Sprintf("%q is not a host", w.value))
		}
	}
	for _, target := range c.PusherWebhookURLs {
		u, err := url.Parse(target.Reveal())
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || c.Production() && !loopback(u.Hostname())) {
			ps.form("PUSHER_WEBHOOK_URLS", "one of them is no such address; http:// is for this machine alone")
		}
	}
	between(ps, "SOKETI_PORT", s.Port, 1, 65535)
	if s.PublicPort != 0 {
		between(ps, "SOKETI_PUBLIC_PORT", s.PublicPort, 1, 65535)
	}
	if !c.Live.External() {
		return
	}
	for _, need := range []struct {
		name string
		ok   bool
	}{
		{"SOKETI_HOST", s.Host != ""},
		{"SOKETI_APP_ID", s.AppID != ""},
		{"SOKETI_APP_KEY", s.AppKey != ""},
		{"SOKETI_APP_SECRET", s.AppSecret.IsSet()},
	} {
		if !need.ok {
			ps.add(need.name, "it is not set, and updates go to an outside server",
				"set it to that server's own, or set LIVE=embedded")
		}
	}
}

// loopback reports whether the host is this machine: nothing in between reads
// what goes there.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

var hexColor = regexp.MustCompile(`^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)

func (c *Config) checkShop(ps *Problems) {
	if len([]rune(c.Shop.Name)) > 80 || strings.ContainsFunc(c.Shop.Name, unicode.IsControl) {
		ps.form("SHOP_NAME", "it is too long or holds control characters")
	}
	if c.Shop.Color != "" && !hexColor.MatchString(c.Shop.Color) {
		ps.form("SHOP_COLOR", fmt.Sprintf("%q is not a colour", c.Shop.Color))
	}
	logo := []string{"https"}
	support := []string{"https", "mailto", "tel"}
	if !c.Production() {
		logo, support = append(logo, "http"), append(support, "http")
	}
	checkLink(ps, "SHOP_LOGO_URL", c.Shop.LogoURL, logo)
	checkLink(ps, "SHOP_SUPPORT_URL", c.Shop.SupportURL, support)
}

// checkLink keeps javascript: and data: out of the buyers' pages.
func checkLink(ps *Problems, name, text string, schemes []string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) || strings.HasPrefix(u.Scheme, "http") && u.Hostname() == "" {
		ps.form(name, fmt.Sprintf("%q is not such an address", text))
	}
}

// between reports a number that is out of its bounds.
func between(ps *Problems, name string, n, low, high int) {
	if n < low || n > high {
		ps.form(name, fmt.Sprintf("%d is out of range", n))
	}
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// isSignatureHeader reports whether s can name the signature's header. The
// two headers that carry the token are taken.
func isSignatureHeader(s string) bool {
	name := http.CanonicalHeaderKey(s)
	return headerName.MatchString(s) && name != "Authorization" && name != "X-Api-Key"
}
