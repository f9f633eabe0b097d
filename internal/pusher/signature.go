package pusher

import (
	"crypto/hmac"
	"crypto/md5" // #nosec G501 -- the protocol's checksum of a body; the HMAC over it is what proves
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timestampWindow is how far a request's clock may be from ours (Pusher docs).
const timestampWindow = 600 * time.Second

// sign returns the lower-case hex HMAC-SHA256 of text under the app's secret.
func (a App) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(a.Secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// equal compares in constant time.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// verify checks the signature of an API request: for one of the paths (a proxy or
// a mount may have changed it) and within the time window. It returns the MD5 that
// the signature says the body has; empty for no body.
func (a App) verify(method string, paths []string, rawQuery string, now time.Time) (bodyMD5 string, err error) {
	query := parseQuery(rawQuery)
	if key := query.get("auth_key"); key != a.Key {
		return "", unauthorized("auth_key is missing or not this app's")
	}
	if v := query.get("auth_version"); v != "1.0" {
		return "", unauthorized("auth_version must be 1.0")
	}
	unix, err := strconv.ParseInt(query.get("auth_timestamp"), 10, 64)
	if err != nil {
		return "", unauthorized("auth_timestamp is missing or not a number of seconds")
	}
	// In whole seconds: the difference of any two times need not fit a Duration.
	if off := now.Unix() - unix; off > int64(timestampWindow/time.Second) || off < -int64(timestampWindow/time.Second) {
		return "", unauthorized(fmt.Sprintf("auth_timestamp is not within %s of the server's time %d", timestampWindow, now.Unix()))
	}
	given, params := query.get("auth_signature"), query.signed()
	for _, path := range paths {
		if equal(given, a.sign(method+"\n"+path+"\n"+params)) {
			return query.get("body_md5"), nil
		}
	}
	return "", unauthorized("auth_signature does not match: check the secret, and that no proxy changes the path")
}

// checkBody says whether the body is the one the signature was made for.
func checkBody(body []byte, bodyMD5 string) error {
	if len(body) == 0 && bodyMD5 == "" {
		return nil
	}
	sum := md5.Sum(body) // #nosec G401
	if !equal(hex.EncodeToString(sum[:]), strings.ToLower(bodyMD5)) {
		return unauthorized("body_md5 does not match the body")
	}
	return nil
}

// pairs is a query in the order it came, keys in lower case. The SDKs send values
// unescaped, with characters url.ParseQuery stumbles over.
type pairs [][2]string

func parseQuery(raw string) pairs {
	var q pairs
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		q = append(q, [2]string{strings.ToLower(unescape(k)), unescape(v)})
	}
	return q
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func (q pairs) get(key string) string {
	for _, p := range q {
		if p[0] == key {
			return p[1]
		}
	}
	return ""
}

// signed is the query as the signature covers it: everything but the signature,
// sorted by key, values as they are meant and not as they are escaped.
func (q pairs) signed() string {
	sorted := slices.Clone(q)
	slices.SortStableFunc(sorted, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	var b strings.Builder
	for _, p := range sorted {
		if p[0] == "auth_signature" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}
