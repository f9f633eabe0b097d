package shiprocket_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// encodings are all ways in which a signature may be written.
var encodings = map[string]func([]byte) string{
	"hex":                        hex.EncodeToString,
	"upper hex":                  func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
	"base64":                     base64.StdEncoding.EncodeToString,
	"base64 without padding":     base64.RawStdEncoding.EncodeToString,
	"URL base64":                 base64.URLEncoding.EncodeToString,
	"URL base64 without padding": base64.RawURLEncoding.EncodeToString,
}

// Every writing of a right signature is taken under every active secret, and
// none of one with a single bit turned. There are enough bodies for every
// character of the alphabets to occur.
func TestSignatureEncodings(t *testing.T) {
	t.Parallel()
	secrets := []string{"secret-one", "secret-two", "secret-three"}
	v := shiprocket.NewVerifier(nil, secrets, "")
	tried := 0
	for n := range 100 {
		body := fmt.Appendf(nil, `{"awb":"%d"}`, n)
		for _, secret := range secrets {
			for name, encode := range encodings {
				sum := sign(secret, body)
				for _, prefix := range []string{"", "sha256=", "SHA256="} {
					tried++
					h := http.Header{shiprocket.DefaultSignatureHeader: {prefix + encode(sum)}}
					if proof, err := v.Verify(h, body); err != nil || proof.Method != shiprocket.BySignature {
						t.Fatalf("%s%s of body %d: %q, %v", prefix, name, n, proof.Method, err)
					}
				}
				sum[n%len(sum)] ^= 1 << (n % 8)
				h := http.Header{shiprocket.DefaultSignatureHeader: {encode(sum)}}
				if _, err := v.Verify(h, body); !errors.Is(err, shiprocket.InvalidSignature) {
					t.Fatalf("%s of body %d with a bit turned: %v", name, n, err)
				}
			}
		}
	}
	t.Logf("%d writings of right signatures", tried)
}

// Writings that some decoders forgive are not signatures.
func TestSignaturesThatAreNone(t *testing.T) {
	t.Parallel()
	v := shiprocket.NewVerifier([]string{"token-0123456789abcdef0123456789abcdef"}, []string{"secret"}, "")
	body := []byte(`{"awb":"1"}`)
	sum := sign("secret", body)
	inHex, inBase64 := hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum)
	for _, s := range []string{
		"", "sha256=", "=", inHex + " ", // a blank at the end is trimmed: see below
		inHex + ",", inHex + "," + inHex, "0x" + inHex, inHex[:63], inHex + "00", strings.Repeat(inHex, 2),
		"sha1=" + inHex, "sha512=" + inHex, "sha256:" + inHex, "sha256=sha256=" + inHex, "v1=" + inHex, "HMAC " + inHex, `"` + inHex + `"`,
		inBase64 + "=", inBase64[:42], inBase64[:20] + "\r\n" + inBase64[20:], inBase64[:20] + " " + inBase64[20:], url.QueryEscape(inBase64),
		base64.StdEncoding.EncodeToString([]byte(inHex)), string(sum),
	} {
		h := http.Header{}
		h.Set(shiprocket.DefaultSignatureHeader, s)
		h.Set("X-Api-Key", "token-0123456789abcdef0123456789abcdef")
		_, err := v.Verify(h, body)
		if trimmed := strings.TrimSpace(s) == inHex; trimmed != (err == nil) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// FuzzSignatureHeader: what is no signature is refused before the body is
// looked at, and what may be one proves the body that it is of and no other.
func FuzzSignatureHeader(f *testing.F) {
	const secret = "secret"
	right := sign(secret, []byte("{}"))
	for _, encode := range encodings {
		f.Add(encode(right), "")
		f.Add("sha256="+encode(right), encode(right))
	}
	f.Add("sha256=", "=")
	v := shiprocket.NewVerifier([]string{"token-0123456789abcdef0123456789abcdef"}, []string{secret}, "")
	f.Fuzz(func(t *testing.T, one, other string) {
		h := http.Header{"X-Api-Key": {"token-0123456789abcdef0123456789abcdef"}}
		h.Add(shiprocket.DefaultSignatureHeader, one)
		if other != "" {
			h.Add(shiprocket.DefaultSignatureHeader, other)
		}
		early, earlyErr := v.Screen(h)
		if early.Method != "" {
			t.Fatalf("%s proves beside a signature header", early.Method)
		}
		proof, err := v.Verify(h, []byte("{}"))
		if earlyErr != nil && err == nil || (err == nil) != (proof.Method == shiprocket.BySignature) {
			t.Fatalf("%q, %v; before the body: %v", proof.Method, err, earlyErr)
		}
		if _, foreign := v.Verify(h, []byte("[]")); err == nil && foreign == nil {
			t.Fatal("one signature proves two bodies")
		}
		if err == nil && !written(one, right) {
			t.Fatalf("%q is taken for the signature", one)
		}
	})
}

// written reports whether s is a writing of sum.
func written(s string, sum []byte) bool {
	s = strings.TrimSpace(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "sha256=") {
		s = s[7:]
	}
	if strings.EqualFold(s, hex.EncodeToString(sum)) {
		return true
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimSuffix(s, "="))
	return s == base64.RawStdEncoding.EncodeToString(sum)
}

// FuzzAuthorization: only the token itself proves, raw or as Bearer, whatever
// stands around it.
func FuzzAuthorization(f *testing.F) {
	const token = "token-0123456789abcdef0123456789abcdef"
	for _, s := range []string{token, "Bearer " + token, "bearer\t" + token, "Bearer Bearer " + token, "Basic " + token, token + "," + token, "", " "} {
		f.Add(s, "")
		f.Add("Bearer "+token, s)
	}
	v := shiprocket.NewVerifier([]string{token}, nil, "")
	f.Fuzz(func(t *testing.T, one, other string) {
		h := http.Header{"Authorization": {one}}
		if other != "" {
			h.Add("Authorization", other)
		}
		proof, err := v.Screen(h)
		if (err == nil) != (proof.Method != "") {
			t.Fatalf("a token leaves it open: %q, %v", proof.Method, err)
		}
		if full, fullErr := v.Verify(h, []byte("{}")); full != proof || !errors.Is(fullErr, err) {
			t.Fatalf("with the body: %q, %v; without: %q, %v", full.Method, fullErr, proof.Method, err)
		}
		if err != nil {
			return
		}
		for _, value := range h["Authorization"] {
			value = strings.TrimSpace(value)
			if scheme, rest, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
				value = strings.TrimSpace(rest)
			}
			if value != token {
				t.Fatalf("%q proves", value)
			}
		}
	})
}
