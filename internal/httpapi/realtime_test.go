package httpapi_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"
)

const socket = "1234.5678"

// signed is the answer that Pusher's protocol asks for (Pusher docs).
func signed(channel string) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(socket + ":" + channel))
	return `{"auth":"` + appKey + ":" + hex.EncodeToString(mac.Sum(nil)) + `"}`
}

func TestChannelAuthorization(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const mine, other = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbb"
	token := h.watch.Make(mine, noon.Add(time.Hour))
	_, signature, _ := strings.Cut(token, ".")
	old := h.watch.Make(mine, noon)
	const forbidden = `{"success":false,"code":"forbidden","message":"Forbidden"}`
	form := func(pairs ...string) string {
		f := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f.Encode()
	}
	ask := func(channel, token string) string {
		return form("socket_id", socket, "channel_name", channel, "token", token)
	}
	tests := []struct {
		name, path, body, bearer string
		status                   int
		answer                   string
	}{
		{"a watch token opens its order", "", ask("private-order-"+mine, token), "", 200, signed("private-order-" + mine)},
		{"the token in the query", "?token=" + token, form("socket_id", socket, "channel_name", "private-order-"+mine), "", 200, signed("private-order-" + mine)},
		{"an operator watches all", "", ask("private-shipments", ""), adminToken, 200, signed("private-shipments")},
		{"no token", "", ask("private-order-"+mine, ""), "", 403, forbidden},
		{"another order", "", ask("private-order-"+other, token), "", 403, forbidden},
		{"an expired token", "", ask("private-order-"+mine, old), "", 403, forbidden},
		{"a token made longer", "", ask("private-order-"+mine, "zzzzzzz."+signature), "", 403, forbidden},
		{"a watch token for all shipments", "", ask("private-shipments", token), "", 403, forbidden},
		{"a watch token as bearer", "", ask("private-shipments", ""), token, 403, forbidden},
		{"an operator and an order without a token", "", ask("private-order-"+mine, ""), adminToken, 403, forbidden},
		{"a public channel", "", ask("order-"+mine, token), adminToken, 403, forbidden},
		{"a presence channel", "", ask("presence-order-"+mine, token), adminToken, 403, forbidden},
		{"an encrypted channel", "", ask("private-encrypted-order-"+mine, token), adminToken, 403, forbidden},
		{"an empty order", "", ask("private-order-", token), adminToken, 403, forbidden},
		{"a longer channel", "", ask("private-order-"+mine+":x", token), adminToken, 403, forbidden},
		{"another case", "", ask("Private-Shipments", ""), adminToken, 403, forbidden},
		{"a longer name", "", ask("private-shipments-x", ""), adminToken, 403, forbidden},
		{"a channel with a line break", "", ask("private-shipments\n", ""), adminToken, 403, forbidden},
		{"user data beside it", "", ask("private-order-"+mine, token) + "&channel_data=%7B%22user_id%22%3A1%7D", "", 200, signed("private-order-" + mine)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Content-Type", "application/x-www-form-urlencoded"}
			if tt.bearer != "" {
				headers = append(headers, "Authorization", "Bearer "+tt.bearer)
			}
			h.do("POST", "/api/realtime/auth"+tt.path, tt.body, headers...).is(tt.status, tt.answer)
		})
	}
	// A socket id that carries more than one would sign what was not asked for.
	for _, id := range []string{"", "1234", "1234.5678:private-shipments", "1.2:presence-x", "1.2\n", " 1.2", "a.b", "1.2.3", "1234.", strings.Repeat("1", 30) + ".1", "１.２"} {
		a := h.do("POST", "/api/realtime/auth", form("socket_id", id, "channel_name", "private-order-"+mine, "token", token))
		a.is(400, `{"success":false,"code":"invalid","message":"socket_id is not one"}`)
	}
	h.do("POST", "/api/realtime/auth", "%zz").is(400, `{"success":false,"code":"invalid","message":"the body must be a form with socket_id and channel_name"}`)
	h.do("POST", "/api/realtime/auth", strings.Repeat("x", 20<<10)).is(413, `{"success":false,"code":"too_large","message":"the body is larger than this call takes"}`)
	// The last of two is not signed when the first is looked at.
	two := "socket_id=" + socket + "&channel_name=private-order-" + mine + "&channel_name=private-shipments&token=" + token
	h.do("POST", "/api/realtime/auth", two).is(200, signed("private-order-"+mine))
}

// Pages of the shop may ask, others may not read the answer.
func TestChannelAuthorizationOrigins(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for origin, allowed := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": "", "https://shop.example.evil": "", "null": "", "": ""} {
		for _, method := range []string{"POST", "OPTIONS"} {
			a := h.do(method, "/api/realtime/auth", "", "Origin", origin)
			if a.header.Get("Access-Control-Allow-Origin") != allowed || a.header.Get("Vary") != "Origin" || a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %q: %v", method, origin, a.header)
			}
		}
	}
}
