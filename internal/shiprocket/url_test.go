package shiprocket_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url  string
		want string // code:word@place of each finding
		mend string // part of a mend
	}{
		{"https://shop.example/api/webhooks/courier", "", ""},
		{"https://shop.example:8443/webhook-receiver", "", ""},
		{"https://shop.example", "", ""},
		{"https://shop.example/api/webhooks/shiprocket", "banned_word:shiprocket@path", "/api/webhooks/courier"},
		{"https://shop.example/api/webhooks/ShipRocket", "banned_word:shiprocket@path", "/api/webhooks/courier"},
		{"https://shop.example/kartrocket-push", "banned_word:kartrocket@path", "/api/webhooks/courier"},
		{"https://shop.example/webhookreceiver", "banned_word:kr@path", "webhook-receiver"},
		{"https://shop.example/trackrelay", "banned_word:kr@path", "track-relay"},
		{"https://shop.example/OrdersReceived", "banned_word:sr@path", "Orders-Received"},
		{"https://shop.example/srv/kr", "banned_word:sr@path banned_word:kr@path", "s-rv"},
		{"https://shop.example/orders/received", "", ""},
		{"https://newsroom.example/api/webhooks/courier", "banned_word:sr@host", "another host"},
		{"https://KRishna.example/hook", "banned_word:kr@host", "another host"},
		{"https://shop.example/%73%72", "banned_word:sr@path", "s-r"},
		{"https://shop.example/hook?source=sr", "", ""},
		{"http://shop.example/hook", "no_tls:http@scheme", "https://"},
		{"https://localhost:5000/hook", "local_host:localhost@host", "tunnel"},
		{"https://shop.localhost/hook", "local_host:shop.localhost@host", "tunnel"},
		{"https://127.0.0.1/hook", "local_host:127.0.0.1@host", "tunnel"},
		{"https://[::1]/hook", "local_host:::1@host", "tunnel"},
		{"https://192.168.1.5/hook", "private_host:192.168.1.5@host", "tunnel"},
		{"http://localhost/shiprocket", "no_tls:http@scheme local_host:localhost@host banned_word:shiprocket@path", ""},
		{"shop.example/hook", "not_a_url:@", "https://"},
		{"ftp://shop.example/hook", "not_a_url:@", "https://"},
		{"https:///hook", "not_a_url:@", "https://"},
		{"https://shop.example/%zz", "not_a_url:@", "https://"},
		{"", "not_a_url:@", "https://"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			var got, mends []string
			for _, f := range shiprocket.CheckURL(tt.url) {
				got = append(got, fmt.Sprintf("%s:%s@%s", f.Code, f.Word, f.Place))
				mends = append(mends, f.Mend)
				if f.Message == "" || f.Mend == "" {
					t.Errorf("%s says nothing: %+v", f.Code, f)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("found %q, want %q", strings.Join(got, " "), tt.want)
			}
			if !strings.Contains(strings.Join(mends, "\n"), tt.mend) {
				t.Errorf("mends %q do not say %q", mends, tt.mend)
			}
		})
	}
	if found := shiprocket.CheckURL("https://shop.example" + shiprocket.NeutralPath); len(found) > 0 {
		t.Errorf("our own neutral path has findings: %v", found)
	}
}
