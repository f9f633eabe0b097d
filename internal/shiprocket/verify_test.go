package shiprocket_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
)

func sign(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		token, nextToken   = "token-one-0123456789abcdef0123456789", "token-two-0123456789abcdef0123456789"
		secret, nextSecret = "secret-one", "secret-two"
	)
	body := []byte(`{"awb":"A1","current_status":"DELIVERED"}`)
	good := hex.EncodeToString(sign(secret, body))
	inBase64 := base64.StdEncoding.EncodeToString(sign(secret, body))
	both := shiprocket.NewVerifier([]string{token, nextToken}, []string{secret, nextSecret}, "")
	onlyTokens := shiprocket.NewVerifier([]string{token}, nil, "")
	onlySecrets := shiprocket.NewVerifier(nil, []string{secret}, "")
	const sig = "X-Shiprocket-Signature"

	tests := []struct {
		name     string
		verifier *shiprocket.Verifier
		headers  [][2]string
		method   shiprocket.Method
		refusal  error
	}{
		{"token in x-api-key", both, [][2]string{{"x-api-key", token}}, shiprocket.ByAPIKey, nil},
		{"the other token", both, [][2]string{{"X-API-KEY", nextToken}}, shiprocket.ByAPIKey, nil},
		{"token in Authorization", both, [][2]string{{"Authorization", token}}, shiprocket.ByAuthorization, nil},
		{"token as Bearer", both, [][2]string{{"Authorization", "Bearer " + token}}, shiprocket.ByBearer, nil},
		{"Bearer in any case", both, [][2]string{{"authorization", "bEaReR   " + token}}, shiprocket.ByBearer, nil},
		{"blanks around the token", both, [][2]string{{"x-api-key", " " + token + "\t"}}, shiprocket.ByAPIKey, nil},
		{"good key beside another scheme", both, [][2]string{{"x-api-key", token}, {"Authorization", "Basic dTpw"}}, shiprocket.ByAPIKey, nil},
		{"nothing offered", both, nil, "", shiprocket.InvalidToken},
		{"wrong token", both, [][2]string{{"x-api-key", "wrong"}}, "", shiprocket.InvalidToken},
		{"beginning of the token", both, [][2]string{{"x-api-key", token[:len(token)-1]}}, "", shiprocket.InvalidToken},
		{"token and more", both, [][2]string{{"x-api-key", token + "0"}}, "", shiprocket.InvalidToken},
		{"token in other case", both, [][2]string{{"x-api-key", strings.ToUpper(token)}}, "", shiprocket.InvalidToken},
		{"both tokens as a list", both, [][2]string{{"x-api-key", token + "," + nextToken}}, "", shiprocket.InvalidToken},
		{"empty token", both, [][2]string{{"x-api-key", ""}}, "", shiprocket.InvalidToken},
		{"empty Bearer", both, [][2]string{{"Authorization", "Bearer "}}, "", shiprocket.InvalidToken},
		{"token under another scheme", both, [][2]string{{"Authorization", "Basic " + token}}, "", shiprocket.InvalidToken},
		{"token in another header", both, [][2]string{{"anx-api-key", token}}, "", shiprocket.InvalidToken},
		{"a secret as token", both, [][2]string{{"x-api-key", secret}}, "", shiprocket.InvalidToken},
		{"good and wrong value of one header", both, [][2]string{{"x-api-key", token}, {"x-api-key", "wrong"}}, "", shiprocket.InvalidToken},
		{"two good values of one header", both, [][2]string{{"x-api-key", token}, {"x-api-key", nextToken}}, shiprocket.ByAPIKey, nil},

		{"signature in hexadecimal", both, [][2]string{{sig, good}}, shiprocket.BySignature, nil},
		{"in upper case", both, [][2]string{{sig, strings.ToUpper(good)}}, shiprocket.BySignature, nil},
		{"with its name before it", both, [][2]string{{sig, "sha256=" + good}}, shiprocket.BySignature, nil},
		{"in base64", both, [][2]string{{sig, inBase64}}, shiprocket.BySignature, nil},
		{"in base64 with its name", both, [][2]string{{sig, "sha256=" + inBase64}}, shiprocket.BySignature, nil},
		{"in base64 without padding", both, [][2]string{{sig, strings.TrimRight(inBase64, "=")}}, shiprocket.BySignature, nil},
		{"by the other secret", both, [][2]string{{sig, hex.EncodeToString(sign(nextSecret, body))}}, shiprocket.BySignature, nil},
		{"signature without tokens configured", onlySecrets, [][2]string{{sig, good}}, shiprocket.BySignature, nil},
		{"header in another case", both, [][2]string{{strings.ToLower(sig), good}}, shiprocket.BySignature, nil},
		{"wrong signature", both, [][2]string{{sig, hex.EncodeToString(sign("x", body))}}, "", shiprocket.InvalidSignature},
		{"wrong signature beside a good token", both, [][2]string{{sig, "00"}, {"x-api-key", token}}, "", shiprocket.InvalidSignature},
		{"empty signature beside a good token", both, [][2]string{{sig, ""}, {"x-api-key", token}}, "", shiprocket.InvalidSignature},
		{"a token as signature", both, [][2]string{{sig, token}}, "", shiprocket.InvalidSignature},
		{"signature of another body", both, [][2]string{{sig, hex.EncodeToString(sign(secret, append(body, ' ')))}}, "", shiprocket.InvalidSignature},
		{"half a signature", both, [][2]string{{sig, good[:32]}}, "", shiprocket.InvalidSignature},
		{"64 letters that are no hexadecimal", both, [][2]string{{sig, strings.Repeat("z", 64)}}, "", shiprocket.InvalidSignature},
		{"zeros", both, [][2]string{{sig, strings.Repeat("0", 64)}}, "", shiprocket.InvalidSignature},
		{"base64 with a line break", both, [][2]string{{sig, inBase64[:20] + "\n" + inBase64[20:43]}}, "", shiprocket.InvalidSignature},
		{"good and wrong signature", both, [][2]string{{sig, good}, {sig, "00"}}, "", shiprocket.InvalidSignature},
		{"wrong and good signature", both, [][2]string{{sig, "00"}, {sig, good}}, "", shiprocket.InvalidSignature},
		{"two good signatures", both, [][2]string{{sig, good}, {sig, inBase64}}, shiprocket.BySignature, nil},
		{"good signature beside a wrong token", both, [][2]string{{sig, good}, {"x-api-key", "wrong"}}, shiprocket.BySignature, nil},
		{"no secret: signature is not looked at", onlyTokens, [][2]string{{sig, "00"}, {"x-api-key", token}}, shiprocket.ByAPIKey, nil},
		{"no secret: signature proves nothing", onlyTokens, [][2]string{{sig, good}}, "", shiprocket.InvalidToken},
		{"no token: a token proves nothing", onlySecrets, [][2]string{{"x-api-key", token}}, "", shiprocket.InvalidToken},
		{
			"another header was named", shiprocket.NewVerifier(nil, []string{secret}, "X-Api-HMAC-SHA256"),
			[][2]string{{"x-api-hmac-sha256", good}},
			shiprocket.BySignature, nil,
		},
		{
			"nothing configured is closed", shiprocket.NewVerifier(nil, nil, ""),
			[][2]string{{"x-api-key", token}, {sig, good}},
			"", shiprocket.InvalidToken,
		},
		{
			"blank settings are none", shiprocket.NewVerifier([]string{"", " "}, []string{"", "\t"}, " "),
			[][2]string{{"x-api-key", ""}, {"Authorization", "Bearer "}, {sig, hex.EncodeToString(sign("", body))}},
			"", shiprocket.InvalidToken,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for _, pair := range tt.headers {
				h.Add(pair[0], pair[1])
			}
			proof, err := tt.verifier.Verify(h, body)
			if proof.Method != tt.method || err != tt.refusal { //nolint:errorlint // the refusal itself is promised
				t.Errorf("got %q, %v; want %q, %v", proof.Method, err, tt.method, tt.refusal)
			}
			// What the headers alone tell is never another thing.
			early, earlyErr := tt.verifier.Screen(h)
			switch {
			case early.Method != "" && early != proof, earlyErr != nil && earlyErr != err: //nolint:errorlint // as above
				t.Errorf("the headers alone say %q, %v", early.Method, earlyErr)
			case early.Method == "" && earlyErr == nil && h.Get(sig) == "" && h.Get("x-api-hmac-sha256") == "":
				t.Error("the headers alone leave a token open")
			}
		})
	}
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	list := shiprocket.NewAllowList([]netip.Prefix{
		netip.MustParsePrefix("13.234.161.44/32"),
		netip.MustParsePrefix("10.1.2.3/8"),
		netip.MustParsePrefix("::ffff:192.0.2.1/128"),
		netip.MustParsePrefix("2001:db8::/32"),
		{},
	})
	tests := []struct {
		addr string
		want bool
	}{
		{"13.234.161.44", true},
		{"::ffff:13.234.161.44", true},
		{"13.234.161.45", false},
		{"10.200.0.1", true},
		{"192.0.2.1", true},
		{"192.0.2.2", false},
		{"2001:db8::7", true},
		{"2001:db8::7%eth0", true},
		{"2001:db9::7", false},
		{"::1", false},
	}
	for _, tt := range tests {
		if got := list.Contains(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s is on the list: %v, want %v", tt.addr, got, tt.want)
		}
	}
	if list.Contains(netip.Addr{}) || (&shiprocket.AllowList{}).Contains(netip.MustParseAddr("10.0.0.1")) {
		t.Error("no address is on the list, or an empty list has one")
	}
}
