package shiprocket

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// NeutralPath is a path for pushes that holds none of the words Shiprocket's
// panel refuses.
const NeutralPath = "/api/webhooks/courier"

// Finding is something about a URL that keeps Shiprocket's panel from taking
// it, or its pushes from arriving.
type Finding struct {
	Code  FindingCode
	Word  string // what was found: the refused word, the host
	Place string // "host", "path" or "scheme"; "" for the URL as a whole
	// Message says what is wrong and Mend what to do, in plain sentences.
	Message, Mend string
}

// FindingCode says what is wrong. Codes are stable.
type FindingCode string

// Codes of findings.
const (
	BannedWord  FindingCode = "banned_word"
	LocalHost   FindingCode = "local_host"
	PrivateHost FindingCode = "private_host"
	NoTLS       FindingCode = "no_tls"
	NotAURL     FindingCode = "not_a_url"
)

// bannedWords are refused anywhere in host or path, inside other words too and
// in any case (Shiprocket docs: "do not use keywords like shiprocket,
// kartrocket, sr, or kr in your webhook URL").
var bannedWords = []string{"shiprocket", "kartrocket", "sr", "kr"}

// CheckURL says what is wrong with a URL that is to be entered in Shiprocket's
// panel; nothing is found in a good one.
func CheckURL(s string) []Finding {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return []Finding{{
			Code: NotAURL, Message: "this is not a complete URL",
			Mend: "write it in full, as https://shop.example" + NeutralPath,
		}}
	}
	var found []Finding
	if u.Scheme == "http" {
		found = append(found, Finding{
			Code: NoTLS, Word: "http", Place: "scheme",
			Message: "the URL has no TLS: tokens and buyers' data would travel in the clear",
			Mend:    "use https://",
		})
	}
	host := strings.ToLower(u.Hostname())
	if f, bad := checkReach(host); bad {
		found = append(found, f)
	}
	for _, word := range bannedWords {
		if at := strings.Index(host, word); at >= 0 {
			found = append(found, Finding{
				Code: BannedWord, Word: word, Place: "host",
				Message: fmt.Sprintf("the host %q holds %q, which Shiprocket's panel refuses", host, word),
				Mend:    "use another host name, for example a subdomain of another domain",
			})
		}
	}
	return append(found, checkPath(u)...)
}

// checkReach looks at hosts that Shiprocket cannot reach.
func checkReach(host string) (Finding, bool) {
	tunnel := "use the public address of the server, or a tunnel (ngrok, cloudflared) for a trial"
	addr, err := netip.ParseAddr(host)
	addr = addr.Unmap()
	name := strings.TrimSuffix(host, ".")
	switch {
	case name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && (addr.IsLoopback() || addr.IsUnspecified()):
		return Finding{
			Code: LocalHost, Word: host, Place: "host",
			Message: fmt.Sprintf("%q is this machine only; Shiprocket's panel refuses it", host), Mend: tunnel,
		}, true
	case err == nil && (addr.IsPrivate() || addr.IsLinkLocalUnicast()):
		return Finding{
			Code: PrivateHost, Word: host, Place: "host",
			Message: fmt.Sprintf("%q is an address inside a private network, where Shiprocket cannot reach it", host), Mend: tunnel,
		}, true
	}
	return Finding{}, false
}

// checkPath looks for refused words in the path, as written and as decoded.
func checkPath(u *url.URL) []Finding {
	var found []Finding
	for _, path := range []string{u.EscapedPath(), u.Path} {
		for _, segment := range strings.Split(path, "/") {
			for _, word := range bannedWords {
				at := strings.Index(strings.ToLower(segment), word)
				if at < 0 {
					continue
				}
				f := Finding{
					Code: BannedWord, Word: word, Place: "path",
					Message: fmt.Sprintf("%q in the path holds %q, which Shiprocket's panel refuses", segment, word),
					Mend:    "use " + NeutralPath,
				}
				if len(word) == 2 && isASCII(segment) {
					f.Mend = fmt.Sprintf("put a hyphen between the letters (%q), or use %s", hyphened(segment, word), NeutralPath)
				}
				if !slices.Contains(found, f) {
					found = append(found, f)
				}
			}
		}
	}
	return found
}

// hyphened parts the letters of every occurrence of a two-letter word.
func hyphened(s, word string) string {
	var out strings.Builder
	for i := range len(s) {
		if i > 0 && strings.EqualFold(s[i-1:i+1], word) {
			out.WriteByte('-')
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
