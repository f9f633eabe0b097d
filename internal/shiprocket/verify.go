package shiprocket

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// DefaultSignatureHeader is where a signature is looked for unless another
// header is named.
const DefaultSignatureHeader = "X-Shiprocket-Signature"

// Proof is how a sender was proved.
type Proof struct{ Method Method }

// Method is a way of proving a sender. The values are kept in the log.
type Method string

// Methods of proof.
const (
	BySignature     Method = "signature"     // HMAC-SHA256 of the raw body
	ByAPIKey        Method = "api_key"       // token in x-api-key (Shiprocket docs)
	ByAuthorization Method = "authorization" // token in Authorization, raw (captured test push)
	ByBearer        Method = "bearer"        // token in Authorization: Bearer
)

// Refusal is the error of a sender that is not proved. It says no more than a
// stranger may learn.
type Refusal string

// Refusals.
const (
	InvalidSignature Refusal = "invalid signature"
	InvalidToken     Refusal = "invalid webhook token"
)

func (r Refusal) Error() string { return string(r) }

// Headers are the headers of a request; http.Header is one.
type Headers interface {
	// Values returns all values of the header, its name in any case.
	Values(name string) []string
}

// Verifier proves senders. It is safe for concurrent use.
type Verifier struct {
	tokens  [][sha256.Size]byte
	secrets [][]byte
	header  string
}

// NewVerifier makes a verifier of all tokens and secrets that are active at
// once, for rotation. Blank ones count as not there; with nothing left it
// refuses everybody. An empty signatureHeader means DefaultSignatureHeader.
func NewVerifier(tokens, secrets []string, signatureHeader string) *Verifier {
	v := &Verifier{header: strings.TrimSpace(signatureHeader)}
	if v.header == "" {
		v.header = DefaultSignatureHeader
	}
	for _, t := range tokens {
		if t = strings.TrimSpace(t); t != "" {
			v.tokens = append(v.tokens, sha256.Sum256([]byte(t)))
		}
	}
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s != "" {
			v.secrets = append(v.secrets, []byte(s))
		}
	}
	return v
}

// Verify says how the sender of body is proved. The error is a Refusal.
//
// A signature header, once a secret is configured, decides alone: a wrong one
// is not saved by a good token. Without it a token must match in one of its
// three places. A header sent several times counts as right only if every one
// of its values is.
func (v *Verifier) Verify(h Headers, body []byte) (Proof, error) {
	signatures, proof, err := v.screen(h)
	switch {
	case err != nil || proof.Method != "":
		return proof, err
	case !v.signed(signatures, body):
		return Proof{}, InvalidSignature
	}
	return Proof{Method: BySignature}, nil
}

// Screen is what Verify says of the headers whatever the body is: a token's
// proof, or the refusal of a sender whom no body could prove. Neither of them
// means that the body decides.
func (v *Verifier) Screen(h Headers) (Proof, error) {
	_, proof, err := v.screen(h)
	return proof, err
}

// screen returns the signatures that a body has to match, if they decide.
func (v *Verifier) screen(h Headers) ([][sha256.Size]byte, Proof, error) {
	if len(v.secrets) > 0 {
		if offered := h.Values(v.header); len(offered) > 0 {
			signatures, ok := decodeSignatures(offered)
			if !ok {
				return nil, Proof{}, InvalidSignature
			}
			return signatures, Proof{}, nil
		}
	}
	authorizations := h.Values("Authorization")
	bearers := make([]string, len(authorizations))
	for i, a := range authorizations {
		bearers[i] = bearer(a)
	}
	byAPIKey, byAuthorization, byBearer := v.known(h.Values("X-Api-Key")), v.known(authorizations), v.known(bearers)
	switch {
	case byAPIKey:
		return nil, Proof{Method: ByAPIKey}, nil
	case byAuthorization:
		return nil, Proof{Method: ByAuthorization}, nil
	case byBearer:
		return nil, Proof{Method: ByBearer}, nil
	}
	return nil, Proof{}, InvalidToken
}

// signed reports whether there are signatures and every one is that of body
// under an active secret. The body is hashed once for each secret, however
// many are offered.
func (v *Verifier) signed(signatures [][sha256.Size]byte, body []byte) bool {
	all := 1
	want := make([][]byte, len(v.secrets))
	for i, secret := range v.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		want[i] = mac.Sum(nil)
	}
	for _, offered := range signatures {
		good := 0
		for _, w := range want {
			good |= subtle.ConstantTimeCompare(offered[:], w)
		}
		all &= good
	}
	return len(signatures) > 0 && all == 1
}

// decodeSignatures reads all of them; one that cannot be read spoils the rest,
// before a body is read or hashed for it.
func decodeSignatures(offered []string) ([][sha256.Size]byte, bool) {
	sums := make([][sha256.Size]byte, len(offered))
	for i, s := range offered {
		sum, ok := decodeSignature(s)
		if !ok {
			return nil, false
		}
		sums[i] = sum
	}
	return sums, true
}

// decodeSignature reads 32 bytes in hexadecimal of either case, or in base64 of
// either alphabet with or without padding, after an optional "sha256=".
func decodeSignature(s string) (sum [sha256.Size]byte, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "sha256=") {
		s = s[7:]
	}
	var b []byte
	var err error
	switch len(s) {
	case 64:
		b, err = hex.DecodeString(s)
	case 43, 44:
		if strings.ContainsAny(s, "\r\n") { // the decoder would skip them
			return sum, false
		}
		s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimSuffix(s, "="))
		b, err = base64.RawStdEncoding.Strict().DecodeString(s)
	}
	if err != nil || len(b) != len(sum) {
		return sum, false
	}
	return [sha256.Size]byte(b), true
}

// known reports whether there are values and every one is an active token. All
// are compared with all, by their hashes.
func (v *Verifier) known(values []string) bool {
	all := 1
	for _, offered := range values {
		sum := sha256.Sum256([]byte(strings.TrimSpace(offered)))
		good := 0
		for i := range v.tokens {
			good |= subtle.ConstantTimeCompare(sum[:], v.tokens[i][:])
		}
		all &= good
	}
	return len(values) > 0 && all == 1
}

// bearer is the token of an Authorization header with that scheme, else "".
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
