package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// WatchTokens makes and checks the short-lived tokens that let a browser listen
// to one order's private channel. They are signed, not stored.
type WatchTokens struct {
	key []byte
}

// NewWatchTokens derives the signing key from a secret that the installation
// keeps.
func NewWatchTokens(secret string) *WatchTokens {
	key := sha256.Sum256([]byte("watch-token\x00" + secret))
	return &WatchTokens{key: key[:]}
}

// Make gives a token for one order that is good until the given time.
func (w *WatchTokens) Make(orderID string, until time.Time) string {
	expires := strconv.FormatInt(until.Unix(), 36)
	return expires + "." + w.sign(orderID, expires)
}

// Valid reports whether the token is for this order and has not expired.
func (w *WatchTokens) Valid(token, orderID string, now time.Time) bool {
	expires, signature, found := strings.Cut(token, ".")
	if !found || !hmac.Equal([]byte(signature), []byte(w.sign(orderID, expires))) {
		return false
	}
	at, err := strconv.ParseInt(expires, 36, 64)
	return err == nil && now.Unix() < at
}

func (w *WatchTokens) sign(orderID, expires string) string {
	mac := hmac.New(sha256.New, w.key)
	mac.Write([]byte(orderID + "\x00" + expires))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
