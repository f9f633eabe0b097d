package inbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

var someBody = body("19041424751540", 501, "IN TRANSIT", "2026-11-23 10:00:00")

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestReceiveProofs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		header http.Header
		auth   string // how the kept row was proved
		err    error
	}{
		{"token as x-api-key", header("x-api-key", token), "api_key", nil},
		{"token as Authorization", header("Authorization", token), "authorization", nil},
		{"token as bearer", header("Authorization", "Bearer "+token), "bearer", nil},
		{"signature", header("X-Shiprocket-Signature", sign(someBody)), "signature", nil},
		{"signature beside a bad token", header("X-Shiprocket-Signature", sign(someBody), "x-api-key", "bad"), "signature", nil},
		{"nothing", header(), "", inbox.ErrToken},
		{"bad token", header("x-api-key", token+"x"), "", inbox.ErrToken},
		{"bad signature", header("X-Shiprocket-Signature", sign([]byte("other"))), "", inbox.ErrSignature},
		{"bad signature beside a good token", header("X-Shiprocket-Signature", sign([]byte("other")), "x-api-key", token), "", inbox.ErrSignature},
		{"empty signature beside a good token", header("X-Shiprocket-Signature", "", "x-api-key", token), "", inbox.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			receipt, err := r.Receive(t.Context(), inbox.Push{Body: someBody, Header: tt.header, Peer: unlisted})
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("receive: %v, want %v", err, tt.err)
			}
			if tt.err != nil {
				if n := len(r.rows()); n != 0 {
					t.Errorf("%d rows are kept of a sender who is not proved", n)
				}
				return
			}
			w := r.newest()
			if w.Auth != tt.auth || w.Status != inbox.Pending || w.EventID != receipt.EventID || string(w.Body) != string(someBody) {
				t.Errorf("row %+v, receipt %+v", w, receipt)
			}
			if w.Peer != unlisted.String() || !w.ReceivedAt.Equal(noon) || w.AWB != "19041424751540" || w.CurrentStatus != "IN TRANSIT" {
				t.Errorf("peer %s, received %s, AWB %s, status %s", w.Peer, w.ReceivedAt, w.AWB, w.CurrentStatus)
			}
		})
	}
}

func TestReceiveAddresses(t *testing.T) {
	t.Parallel()
	check := func(warn bool) func(*inbox.Options) {
		return func(o *inbox.Options) {
			o.Addresses, o.WarnAddress = allow("13.234.161.44/32"), warn
		}
	}
	off := func(*inbox.Options) {}
	tests := []struct {
		name   string
		mode   func(*inbox.Options)
		push   inbox.Push
		err    error
		status inbox.Status
		reason inbox.Reason
		flags  string
		noRows bool
	}{
		{name: "enforce, listed", mode: check(false), push: proven(someBody), status: inbox.Pending},
		{name: "enforce, unlisted", mode: check(false), push: from(someBody), err: inbox.ErrAddress, status: inbox.Rejected, reason: inbox.Address},
		{name: "enforce, unlisted ping", mode: check(false), push: from([]byte(`{}`)), err: inbox.ErrAddress, status: inbox.Rejected, reason: inbox.Address},
		{
			name: "enforce, unlisted and not proven", mode: check(false), err: inbox.ErrToken, noRows: true,
			push: inbox.Push{Body: someBody, Peer: unlisted},
		},
		{name: "warn, unlisted", mode: check(true), push: from(someBody), status: inbox.Pending, flags: "unlisted_address"},
		{name: "warn, listed", mode: check(true), push: proven(someBody), status: inbox.Pending},
		{name: "off, unlisted", mode: off, push: from(someBody), status: inbox.Pending},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, tt.mode)
			if _, err := r.Receive(t.Context(), tt.push); !errors.Is(err, tt.err) {
				t.Fatalf("receive: %v, want %v", err, tt.err)
			}
			if tt.noRows {
				if n := len(r.rows()); n != 0 {
					t.Errorf("%d rows are kept", n)
				}
				return
			}
			w := r.newest()
			if w.Status != tt.status || w.Reason != tt.reason || w.Flags != tt.flags || len(w.Body) == 0 {
				t.Errorf("kept as %s (%s), flags %q, %d bytes", w.Status, w.Reason, w.Flags, len(w.Body))
			}
			if alarmed := strings.Contains(r.lines.String(), "webhook.unlisted_address"); alarmed != (tt.push.Peer == unlisted && tt.name != "off, unlisted") {
				t.Errorf("alarm: %v", alarmed)
			}
			if tt.status != inbox.Rejected {
				return
			}
			contains(t, "result", w.Result, unlisted.String(), "not on the list")
			// Refused is not lost: released, it is applied.
			if err := r.store.Retry(t.Context(), w.ID, false); err != nil {
				t.Fatal(err)
			}
			r.work()
			if w := r.newest(); w.Status != inbox.Processed && w.Status != inbox.Ignored {
				t.Errorf("released: %s (%s)", w.Status, w.Result)
			}
		})
	}
}

func allow(prefix string) *shiprocket.AllowList {
	return shiprocket.NewAllowList([]netip.Prefix{netip.MustParsePrefix(prefix)})
}

func from(body []byte) inbox.Push {
	p := proven(body)
	p.Peer = unlisted
	return p
}

func TestReceiveBodies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		err        error
		status     inbox.Status
		reason     inbox.Reason
	}{
		{"an event", string(someBody), nil, inbox.Pending, ""},
		{"an unknown status", `{"awb":"A1","current_status":"CARRIED BY DRONE"}`, nil, inbox.Pending, ""},
		{"an empty body", "", nil, inbox.Ignored, inbox.Ping},
		{"blanks", " \r\n\t", nil, inbox.Ignored, inbox.Ping},
		{"an empty object", "{}", nil, inbox.Ignored, inbox.Ping},
		{"the panel's trial", `{"awb":"123456","sr_order_id":1234,"current_status":"Delivered","scans":[]}`, nil, inbox.Ignored, inbox.Ping},
		{"the panel's trial by its words", `{"awb":"77","courier_name":"dummy courier_name","current_status":"Delivered"}`, nil, inbox.Ignored, inbox.Ping},
		{"a list", `[{"awb":"A1"}]`, inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
		{"a string", `"A1"`, inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
		{"a number", `17`, inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
		{"a form", `awb=A1&current_status=DELIVERED`, inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
		{"cut short", string(someBody[:len(someBody)/2]), inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
		{"20,000 deep", `{"awb":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, inbox.ErrNotJSON, inbox.Rejected, inbox.NotJSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			receipt, err := r.Receive(t.Context(), proven([]byte(tt.body)))
			if !errors.Is(err, tt.err) {
				t.Fatalf("receive: %v, want %v", err, tt.err)
			}
			w := r.newest()
			if w.Status != tt.status || w.Reason != tt.reason || string(w.Body) != tt.body {
				t.Errorf("kept as %s (%s), body %q", w.Status, w.Reason, w.Body)
			}
			if tt.status != inbox.Pending && w.Result == "" {
				t.Error("the row does not say in words what became of it")
			}
			if receipt.Ping != (tt.reason == inbox.Ping) || tt.err == nil && receipt.EventID == "" {
				t.Errorf("receipt %+v", receipt)
			}
			if n, err := r.Work(t.Context()); err != nil || (n == 1) != (tt.status == inbox.Pending) {
				t.Errorf("%d rows worked off, %v", n, err)
			}
		})
	}
}

func TestReceiveRepeats(t *testing.T) {
	t.Parallel()
	r := setup(t)
	first := r.push(someBody)
	if first.Duplicate || first.EventID != "19041424751540-IN_TRANSIT-2026-11-23_10_00_00" {
		t.Errorf("first: %+v", first)
	}
	if again := r.push(someBody); !again.Duplicate || again.Status != inbox.Pending || again.EventID != first.EventID {
		t.Errorf("again, before it is worked off: %+v", again)
	}
	r.work()
	if again := r.push(someBody); !again.Duplicate || again.Status != inbox.Processed || again.EventID != first.EventID {
		t.Errorf("again, after it is worked off: %+v", again)
	}
	w := r.newest()
	if w.Status != inbox.Duplicate || w.Reason != inbox.SameEvent || w.Body != nil || w.DuplicateOf != r.rows()[2].ID || w.Result == "" {
		t.Errorf("the repeat's row: %+v", w)
	}
	// The same event id over another body is no repeat.
	near := r.push(body("19041424751540", 501, "IN TRANSIT", "2026-11-23 10:00:00", "pod_status", "OTP Based Delivery"))
	if near.Duplicate || !strings.HasPrefix(near.EventID, first.EventID+"-") || len(near.EventID) != len(first.EventID)+9 {
		t.Errorf("a near repeat: %+v", near)
	}
	if n, err := r.Work(t.Context()); n != 1 || err != nil {
		t.Errorf("%d rows to work off, %v; want the near repeat alone", n, err)
	}
	for range 2 { // a ping never is one
		if p := r.push([]byte(`{}`)); p.Duplicate || !p.Ping {
			t.Errorf("a ping: %+v", p)
		}
	}
}

func TestReceiveWithoutAStore(t *testing.T) {
	t.Parallel()
	r := setup(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Receive(t.Context(), proven(someBody)); tracking.ErrorCode(err) != tracking.Unavailable {
		t.Errorf("receive: %v, want Unavailable", err)
	}
}

func TestReceiveKeepsNoSecrets(t *testing.T) {
	t.Parallel()
	r := setup(t)
	h := header("x-api-key", token, "Authorization", "Bearer "+token, "X-Shiprocket-Signature", sign(someBody), "Cookie", "session=1",
		"User-Agent", strings.Repeat("u", 500), "Content-Type", "application/json")
	if _, err := r.Receive(t.Context(), inbox.Push{Body: someBody, Header: h, Peer: listed}); err != nil {
		t.Fatal(err)
	}
	w := r.newest()
	if len(w.Headers) != 2 || w.Headers["Content-Type"] != "application/json" || len(w.Headers["User-Agent"]) != 200 {
		t.Errorf("headers kept: %v", w.Headers)
	}
	if l := r.lines.String(); strings.Contains(l, token) || strings.Contains(l, sign(someBody)) {
		t.Error("a proof is in the log")
	}
}
