package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sampleTokenSHA256 is the hash of a token that was printed as a sample and
// is therefore known to everyone.
const sampleTokenSHA256 = "5c6a855bed15396bfbc0ef216cc532ea4ea9c5854a8bddef25d3290533322102"

// minToken is the shortest token that is taken in production, in characters.
const minToken = 32

const makeOne = "make one with: openssl rand -hex 32"

// ordinal names one of several values without showing it.
func ordinal(i, n int) string {
	if n == 1 {
		return "it"
	}
	return fmt.Sprintf("value %d of %d", i+1, n)
}

func (c *Config) checkSecrets(ps *Problems, burned string) {
	s := c.Shiprocket
	if !isSignatureHeader(s.SignatureHeader) {
		ps.form("SHIPROCKET_SIGNATURE_HEADER", fmt.Sprintf("%q cannot name the signature's header", s.SignatureHeader))
	}
	if c.Production() && len(s.WebhookTokens) == 0 && len(s.WebhookSecrets) == 0 {
		ps.add("SHIPROCKET_WEBHOOK_TOKEN", "neither it nor SHIPROCKET_WEBHOOK_SECRET is set, so no push could be proved",
			makeOne+", set it here and in Shiprocket's panel")
	}
	for i, t := range s.WebhookTokens {
		c.checkToken(ps, "SHIPROCKET_WEBHOOK_TOKEN", ordinal(i, len(s.WebhookTokens)), t, c.Production())
	}
	if c.AdminToken.IsSet() {
		c.checkToken(ps, "ADMIN_TOKEN", "it", c.AdminToken, true)
	}
	if !c.Production() {
		return
	}
	for _, group := range c.secrets() {
		for i, t := range group.values {
			if isBurned(t, burned) {
				ps.add(group.name, ordinal(i, len(group.values))+" is a published sample that everyone knows", makeOne)
			}
		}
	}
}

// checkToken looks at a value that travels in a header.
func (c *Config) checkToken(ps *Problems, name, which string, t Secret, strict bool) {
	text := t.Reveal()
	if strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		ps.add(name, which+" holds characters that cannot be sent in a header", "use letters and digits; "+makeOne)
	}
	if strict && utf8.RuneCountInString(text) < minToken {
		ps.add(name, fmt.Sprintf("%s is shorter than %d characters", which, minToken), makeOne)
	}
}

// namedSecrets is the values of one setting.
type namedSecrets struct {
	name   string
	values []Secret
}

// secrets is every setting whose value proves somebody to us or us to others.
func (c *Config) secrets() []namedSecrets {
	return []namedSecrets{
		{"SHIPROCKET_WEBHOOK_TOKEN", c.Shiprocket.WebhookTokens},
		{"SHIPROCKET_WEBHOOK_SECRET", c.Shiprocket.WebhookSecrets},
		{"ADMIN_TOKEN", []Secret{c.AdminToken}},
		{"SOKETI_APP_SECRET", []Secret{c.Soketi.AppSecret}},
		{"SHIPROCKET_PASSWORD", []Secret{c.Shiprocket.Password}},
	}
}

func isBurned(t Secret, burned string) bool {
	sum := sha256.Sum256([]byte(strings.TrimSpace(t.Reveal())))
	return t.IsSet() && hex.EncodeToString(sum[:]) == burned
}
