package access

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Token is what is kept of a bearer token: all but its secret.
type Token struct {
	ID         string
	Name       string
	Role       Role
	Hash       [sha256.Size]byte // of the secret
	CreatedAt  time.Time
	CreatedBy  string    // the actor's name
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: it is not
	LastUsedAt time.Time // to about a minute; zero: never
}

// Live reports whether the token opens anything at a time.
func (t *Token) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// State is active, revoked or expired.
func (t *Token) State(now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.Live(now):
		return "expired"
	}
	return "active"
}

// secretPrefix begins every secret, so that one that leaks is recognised, by
// people and by scanners.
const secretPrefix = "wb_"

// NewSecret makes the secret of a token with a role, such as wb_viewer_… with
// 52 letters and digits of 256 random bits behind it.
func NewSecret(role Role) string {
	return secretPrefix + string(role) + "_" + strings.ToLower(rand.Text()+rand.Text())
}

// HashSecret is what is kept of a secret. It is not salted: what is hashed is
// random, and there is nothing to guess.
func HashSecret(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

const maxTokenName = 100

// CheckName says what is wrong with the name of a token, nil if nothing is.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxTokenName ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("name must be 1 to %d printable characters that say who or what uses the token", maxTokenName)
	case strings.EqualFold(name, AdminTokenName), strings.EqualFold(name, CommandLineName):
		return fmt.Errorf("name must not be %q, which the audit calls somebody else by", name)
	case strings.Contains(name, secretPrefix):
		return fmt.Errorf("name must not hold %q, which secrets begin with", secretPrefix)
	}
	return nil
}

// longestLife bounds how far off an expiry may be.
const longestLife = 3650 * 24 * time.Hour

// ParseExpiry reads when a token made now shall expire: a number of days or
// hours such as 90d or 12h, a time (RFC 3339), or a day, which begins at
// midnight UTC. "" is never, the zero time.
func ParseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := parseExpiry(s, now)
	switch {
	case err != nil:
		return time.Time{}, errors.New("expires must be days or hours like 90d or 12h, a time like 2027-01-31T18:30:00Z or a day like 2027-01-31")
	case !at.After(now) || at.After(now.Add(longestLife)):
		return time.Time{}, errors.New("expires must be in the future, at most 3650d from now; leave it out for a token that does not expire")
	}
	return at.UTC(), nil
}

func parseExpiry(s string, now time.Time) (time.Time, error) {
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour}[s[len(s)-1]]
	if n, err := strconv.ParseUint(s[:len(s)-1], 10, 16); err == nil && unit != 0 {
		return now.Add(time.Duration(n) * unit), nil //nolint:gosec // 16 bits of days fit
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	return time.Parse(time.DateOnly, s)
}
