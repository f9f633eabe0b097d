package pusher

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestHandshake(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.ActivityTimeout = 90 * time.Second })
	c := b.dial(t, "/app/"+testApp.Key+goodQuery)
	raw, err := c.next()
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(`^\{"event":"pusher:connection_established","data":"\{\\"socket_id\\":\\"\d{1,10}\.\d{1,16}\\",\\"activity_timeout\\":90\}"\}$`)
	if !re.Match(raw.Payload) {
		t.Errorf("first frame is %s", raw.Payload)
	}
	if first, second := b.connect(t).id, b.connect(t).id; first == second {
		t.Error("two connections with one socket id")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	good := "/app/" + testApp.Key + goodQuery
	tests := []struct {
		name   string
		path   string
		header http.Header
		change func(*Options)
		code   Code
	}{
		{"unknown key", "/app/nokey" + goodQuery, nil, nil, CodeUnknownApp},
		{"disabled app", good, nil, func(o *Options) { o.App.Disabled = true }, CodeDisabled},
		{"other path", "/somewhere/else" + goodQuery, nil, nil, CodeUnknownPath},
		{"no key in path", "/app/" + goodQuery, nil, nil, CodeUnknownPath},
		{"more than a key", "/app/" + testApp.Key + "/x" + goodQuery, nil, nil, CodeUnknownPath},
		{"api path", "/apps/3/events" + goodQuery, nil, nil, CodeUnknownPath},
		{"version without a number", "/app/" + testApp.Key + "?protocol=7&version=new", nil, nil, CodeVersion},
		{"old protocol", "/app/" + testApp.Key + "?protocol=4", nil, nil, CodeUnsupported},
		{"future protocol", "/app/" + testApp.Key + "?protocol=8", nil, nil, CodeUnsupported},
		{"protocol not a number", "/app/" + testApp.Key + "?protocol=seven", nil, nil, CodeUnsupported},
		{"no protocol", "/app/" + testApp.Key, nil, nil, CodeNoProtocol},
		{"plain on a TLS app", good, nil, func(o *Options) { o.App.RequireTLS = true }, CodeTLSOnly},
		{
			"foreign origin", good,
			http.Header{"Origin": {"https://evil.example"}},
			func(o *Options) { o.AllowedOrigins = []string{"https://shop.example"} }, CodeUnauthorized,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *Options) {
				if tt.change != nil {
					tt.change(o)
				}
			})
			c := b.dial(t, tt.path, tt.header)
			c.wantError(tt.code, "")
			c.wantClose(tt.code)
			b.observer.await(t, "refusal counted", func() bool {
				return len(b.observer.refused) == 1 && b.observer.refused[0] == tt.code && b.observer.opened == 0
			})
		})
	}
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		query  string
		header http.Header
		change func(*Options)
	}{
		{"protocol 5", "?protocol=5", nil, nil},
		{"protocol 6 and unknown keys", "?protocol=6&more=1", nil, nil},
		{"TLS ended by a proxy", goodQuery, http.Header{"X-Forwarded-Proto": {"https"}}, func(o *Options) { o.App.RequireTLS = true }},
		{"listed origin", goodQuery, http.Header{"Origin": {"https://shop.example"}}, func(o *Options) { o.AllowedOrigins = []string{"https://shop.example"} }},
		{"origin below a listed one", goodQuery, http.Header{"Origin": {"https://www.shop.example"}}, func(o *Options) { o.AllowedOrigins = []string{"https://*.shop.example"} }},
		{"no browser", goodQuery, nil, func(o *Options) { o.AllowedOrigins = []string{"https://shop.example"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *Options) {
				if tt.change != nil {
					tt.change(o)
				}
			})
			c := b.dial(t, "/app/"+testApp.Key+tt.query, tt.header)
			c.establish()
			c.alive()
		})
	}
}

func TestOriginIsTheWholeHost(t *testing.T) {
	t.Parallel()
	s := &Server{opts: Options{AllowedOrigins: []string{"https://shop.example", "https://*.shop.example"}}}
	for origin, want := range map[string]bool{
		"https://shop.example":          true,
		"https://SHOP.example":          true,
		"https://a.b.shop.example":      true,
		"http://shop.example":           false,
		"https://evilshop.example":      false,
		"https://shop.example.evil.net": false,
		"https://shop.example:8443":     false,
		"null":                          false,
	} {
		if got := s.originAllowed(origin); got != want {
			t.Errorf("%s allowed: %v", origin, got)
		}
	}
}

// A quota ends a client for good (4004); a full server sends it away for a second
// (4100). Both free the place when a watcher goes.
func TestFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Options)
		code   Code
	}{
		{"quota of the app", func(o *Options) { o.App.MaxConnections = 2 }, CodeOverQuota},
		{"capacity of the server", func(o *Options) { o.MaxConnections = 2 }, CodeOverCapacity},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.change)
			first := b.connect(t)
			b.connect(t)
			over := b.dial(t, "/app/"+testApp.Key+goodQuery)
			over.wantError(tt.code, "")
			over.wantClose(tt.code)
			_ = first.nc.Close()
			b.observer.await(t, "a place is free", func() bool { return len(b.observer.closed) == 1 })
			b.connect(t)
		})
	}
}

// A client may send its first messages in one packet with the request: net/http
// has read them before the upgrade.
func TestMessagesSentWithTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nc, err := net.Dial("tcp", b.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	packet := "GET /app/" + testApp.Key + "?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
		string(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`{"event":"pusher:subscribe","data":{"channel":"early"}}`)))))
	if _, err := io.WriteString(nc, packet); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, nc: nc}
	c.br = bufioAfterHeaders(t, nc)
	c.establish()
	if f := c.want(eventSubscribed); f.Channel != "early" {
		t.Errorf("subscribed to %q", f.Channel)
	}
}

func TestOverTLS(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.App.RequireTLS = true })
	secure := httptest.NewTLSServer(b.Server)
	defer secure.Close()
	nc, err := tls.Dial("tcp", secure.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true}) // the test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := io.WriteString(nc, "GET /app/"+testApp.Key+"?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, nc: nc, br: bufioAfterHeaders(t, nc)}
	c.establish()
	c.subscribe("x")
	c.frame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusGoingAway, "")))
	c.wantClose(1001)
}

func TestPlainRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for path, want := range map[string]int{
		"/app/" + testApp.Key: http.StatusUpgradeRequired,
		"/":                   http.StatusNotFound,
		"/apps/3":             http.StatusNotFound,
		"/apps/3/nothing":     http.StatusNotFound,
		"/apps/4/channels":    http.StatusNotFound,
		"/apps/3/events":      http.StatusMethodNotAllowed,
		"/apps/3/channels":    http.StatusUnauthorized,
	} {
		res, err := b.http.Client().Get(b.http.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || !strings.Contains(string(body), `"error":`) {
			t.Errorf("GET %s: %d %s", path, res.StatusCode, body)
		}
	}
}

// A request that asks for an upgrade and is none must not cost a connection.
func TestBrokenUpgrade(t *testing.T) {
	t.Parallel()
	b := setup(t)
	req, _ := http.NewRequest(http.MethodGet, b.http.URL+"/app/"+testApp.Key+"?protocol=7", nil)
	req.Header.Set("Upgrade", "websocket")
	res, err := b.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest || b.Stats().Connections != 0 {
		t.Errorf("status %d, %+v", res.StatusCode, b.Stats())
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no secret":             {App: App{ID: "1", Key: "k"}},
		"key with a slash":      {App: App{ID: "1", Key: "a/b", Secret: "s"}},
		"origin without scheme": {App: testApp, AllowedOrigins: []string{"shop.example"}},
	} {
		if s, err := New(o); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}
