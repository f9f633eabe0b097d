package pusher

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func bufioAfterHeaders(t testing.TB, r io.Reader) *bufio.Reader {
	t.Helper()
	br := bufio.NewReader(r)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %s", res.Status)
	}
	return br
}

func TestPings(t *testing.T) {
	t.Parallel()
	c := setup(t).connect(t)
	c.send(`{"event":"pusher:ping","data":{}}`)
	if f := c.want(eventPong); string(f.Data) != "{}" {
		t.Errorf("pong data %s", f.Data)
	}
	c.frame(ws.NewPingFrame([]byte("are you there")))
	f, err := c.next()
	if err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "are you there" {
		t.Errorf("control ping: %+v %q, %v", f.Header, f.Payload, err)
	}
	c.frame(ws.NewPongFrame(nil))
	c.send(`{"event":"pusher:pong","data":"{}"}`)
	c.alive()
}

// Nothing a client may say in good framing closes its connection.
func TestMessagesThatCannotBeDone(t *testing.T) {
	t.Parallel()
	c := setup(t).connect(t)
	c.subscribe("taken")
	for _, tt := range []struct {
		send string
		code Code
		want string
	}{
		{``, 0, "Invalid JSON"},
		{`{`, 0, "Invalid JSON"},
		{`nonsense`, 0, "Invalid JSON"},
		{`[]`, 0, "Invalid JSON"},
		{`{"event":7}`, 0, "Invalid JSON"},
		{strings.Repeat("[", 9000), 0, "Invalid JSON"},
		{`{}`, 0, "Unsupported event"},
		{`null`, 0, "Unsupported event"},
		{`{"event":"pusher:dance"}`, 0, "Unsupported event received on socket: pusher:dance"},
		{`{"event":"pusher_internal:subscription_succeeded","channel":"x","data":"{}"}`, 0, "Unsupported event"},
		{`{"event":"own-event","channel":"taken"}`, 0, "Unsupported event"},
		{`{"event":"client-typing","channel":"taken","data":{}}`, codeClientEvent, "client messaging"},
		{`{"event":"pusher:subscribe"}`, 0, "Invalid subscription"},
		{`{"event":"pusher:subscribe","data":{}}`, 0, "Invalid subscription"},
		{`{"event":"pusher:subscribe","data":7}`, 0, "Invalid subscription"},
		{`{"event":"pusher:subscribe","data":"}"}`, 0, "Invalid subscription"},
		{`{"event":"pusher:subscribe","data":{"channel":["a"]}}`, 0, "Invalid subscription"},
		{`{"event":"pusher:subscribe","data":{"channel":"taken"}}`, 0, "Existing subscription to channel taken"},
		{`{"event":"pusher:unsubscribe","data":{}}`, 0, "Invalid unsubscription"},
		{`{"event":"pusher:unsubscribe","data":{"channel":"other"}}`, 0, "No current subscription to channel other"},
	} {
		c.send(tt.send)
		c.wantError(tt.code, tt.want)
	}
	c.alive()
}

func TestRefusedSubscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxSubscriptions = 3 })
	c := b.connect(t)
	for _, name := range []string{"a", "b", "c"} {
		c.subscribe(name)
	}
	for _, tt := range []struct {
		channel, auth string
		kind          string
		status        int
	}{
		{"presence-x", "", "AuthError", 401},
		{"private-encrypted-x", "", "AuthError", 401},
		{"private-cache-x", "", "AuthError", 401},
		{"private-encrypted-cache-x", "", "AuthError", 401},
		{"presence-cache-x", "", "AuthError", 401},
		{"#server-to-user-7", "", "AuthError", 401},
		{"#watchlist-7", "", "InvalidChannel", 400},
		{"#member-presence-x#7", "", "InvalidChannel", 400},
		{"#other", "", "InvalidChannel", 400},
		{"with space", "", "InvalidChannel", 400},
		{"ümlaut", "", "InvalidChannel", 400},
		{strings.Repeat("x", 201), "", "InvalidChannel", 400},
		{"private-x", "", "AuthError", 401},
		{"private-x", testApp.Key + ":" + strings.Repeat("0", 64), "AuthError", 401},
		{"private-x", "otherkey:" + testApp.sign(c.id+":private-x"), "AuthError", 401},
		{"private-x", testApp.Key + ":" + testApp.sign(c.id+":private-y"), "AuthError", 401},
		{"private-x", testApp.Key + ":" + testApp.sign("1.1:private-x"), "AuthError", 401},
		{"private-x", testApp.Key + ":" + testApp.sign(c.id+":private-x"), "LimitReached", 4100},
		{"d", "", "LimitReached", 4100},
	} {
		msg, _ := json.Marshal(map[string]any{"event": eventSubscribe, "data": map[string]string{"channel": tt.channel, "auth": tt.auth}})
		c.send(string(msg))
		f := c.want(eventSubscribeFail)
		var e struct {
			Type, Error string
			Status      int
		}
		if err := json.Unmarshal(f.Data, &e); err != nil || e.Type != tt.kind || e.Status != tt.status || e.Error == "" {
			t.Errorf("%s: %s, %v", tt.channel, f.Data, err)
		}
		if f.Channel != clip(tt.channel) {
			t.Errorf("told on channel %q", f.Channel)
		}
	}
	c.alive()
	if n := b.Stats().Subscriptions; n != 3 {
		t.Errorf("%d subscriptions", n)
	}
}

func TestPrivateChannel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	auth, err := testApp.AuthorizeChannel(c.id, "private-x")
	if err != nil {
		t.Fatal(err)
	}
	c.send(`{"event":"pusher:subscribe","data":{"auth":"` + auth + `","channel":"private-x"}}`)
	c.want(eventSubscribed)
	if err := b.Publish(t.Context(), []string{"private-x"}, "e", []byte("1"), ""); err != nil {
		t.Fatal(err)
	}
	c.want("e")
}

// Some client libraries send the data of a subscription as a string.
func TestSubscriptionAsString(t *testing.T) {
	t.Parallel()
	c := setup(t).connect(t)
	c.send(`{"event":"pusher:subscribe","data":"{\"channel\":\"x\"}"}`)
	c.want(eventSubscribed)
}

func TestFragmentedMessage(t *testing.T) {
	t.Parallel()
	c := setup(t).connect(t)
	c.frame(ws.NewFrame(ws.OpText, false, []byte(`{"event":"pusher:subscribe",`)))
	c.frame(ws.NewPingFrame([]byte("between")))
	c.frame(ws.NewFrame(ws.OpContinuation, false, nil))
	c.frame(ws.NewFrame(ws.OpContinuation, true, []byte(`"data":{"channel":"x"}}`)))
	if f, err := c.next(); err != nil || f.Header.OpCode != ws.OpPong {
		t.Fatalf("%+v, %v", f, err)
	}
	c.want(eventSubscribed)
	c.alive()
}

// A message of exactly the limit is read, whole and in parts; a byte more is 1009.
func TestMessageSize(t *testing.T) {
	t.Parallel()
	b := setup(t)
	message := func(n int) []byte {
		return append([]byte(`{"event":"pusher:ping"}`), strings.Repeat(" ", n-23)...)
	}
	c := b.connect(t)
	c.frame(ws.NewTextFrame(message(16 << 10)))
	c.want(eventPong)
	c.frame(ws.NewFrame(ws.OpText, false, message(8<<10)))
	c.frame(ws.NewFrame(ws.OpContinuation, true, []byte(strings.Repeat(" ", 8<<10))))
	c.want(eventPong)
	c.frame(ws.NewFrame(ws.OpText, false, message(8<<10)))
	c.frame(ws.NewFrame(ws.OpContinuation, true, []byte(strings.Repeat(" ", 8<<10+1))))
	c.wantClose(CodeTooBig)

	c = b.connect(t)
	c.frame(ws.NewTextFrame(message(16<<10 + 1)))
	c.wantClose(CodeTooBig)
}

func TestBrokenFraming(t *testing.T) {
	t.Parallel()
	b := setup(t)
	masked := func(f ws.Frame) []byte { return ws.MustCompileFrame(ws.MaskFrame(f)) }
	rsv := ws.NewTextFrame([]byte("{}"))
	rsv.Header.Rsv = ws.Rsv(true, false, false)
	for _, tt := range []struct {
		name string
		send []byte
		code Code
	}{
		{"not masked", ws.MustCompileFrame(ws.NewTextFrame([]byte("{}"))), CodeProtocol},
		{"reserved bit (compression was not agreed)", masked(rsv), CodeProtocol},
		{"reserved opcode", masked(ws.NewFrame(3, true, nil)), CodeProtocol},
		{"continuation of nothing", masked(ws.NewFrame(ws.OpContinuation, true, nil)), CodeProtocol},
		{"new message inside another", append(masked(ws.NewFrame(ws.OpText, false, []byte("{"))), masked(ws.NewTextFrame([]byte("{}")))...), CodeProtocol},
		{"ping in parts", masked(ws.NewFrame(ws.OpPing, false, nil)), CodeProtocol},
		{"ping of 126 bytes", masked(ws.NewFrame(ws.OpPing, true, make([]byte, 126))), CodeProtocol},
		{"length with its highest bit set", []byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, CodeProtocol},
		{"huge length", []byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, CodeTooBig},
		{"binary", masked(ws.NewBinaryFrame([]byte("{}"))), CodeBinary},
		{"not UTF-8", masked(ws.NewTextFrame([]byte("{\"event\":\"\xff\"}"))), CodeNotUTF8},
		{"close of one byte", masked(ws.NewCloseFrame([]byte{3})), CodeProtocol},
		{"close with a code never sent", masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1006, ""))), CodeProtocol},
		{"close with a reason not UTF-8", masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "\xff"))), CodeProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := b.connect(t)
			c.raw(tt.send)
			c.wantClose(tt.code)
		})
	}
}

// The client's close is answered with its own code, after all that was queued. Who
// counts by code is not told one that a stranger made up.
func TestClientCloses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		body       []byte
		code, told Code
	}{
		{"normal", ws.NewCloseFrameBody(1000, "bye"), CodeNormal, CodeNormal},
		{"page left", ws.NewCloseFrameBody(1001, ""), 1001, 1001},
		{"own code", ws.NewCloseFrameBody(3000, ""), 3000, CodeNormal},
		{"one of ours", ws.NewCloseFrameBody(4100, ""), 4100, CodeNormal},
		{"no code", nil, CodeNoStatus, CodeNoStatus},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c := b.connect(t)
			c.subscribe("x")
			if err := b.Publish(t.Context(), []string{"x"}, "last", []byte("1"), ""); err != nil {
				t.Fatal(err)
			}
			c.frame(ws.NewCloseFrame(tt.body))
			c.want("last")
			c.wantClose(tt.code)
			_ = c.nc.Close()
			b.observer.await(t, "the close", func() bool { return len(b.observer.closed) == 1 && b.observer.closed[0] == tt.told })
			if s := b.Stats(); s != (Stats{}) {
				t.Errorf("left behind: %+v", s)
			}
		})
	}
}

func TestSocketBreaks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.subscribe("x")
	_ = c.nc.Close()
	b.observer.await(t, "the end", func() bool { return len(b.observer.closed) == 1 && b.observer.closed[0] == CodeAbnormal })
	if s := b.Stats(); s != (Stats{}) {
		t.Errorf("left behind: %+v", s)
	}
}
