package pusher

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(crowdEnv) != "" {
		crowd()
		return
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of a test for something that must happen.
const patience = 10 * time.Second

// The application of Pusher's documentation, so that its vectors hold here.
var testApp = App{ID: "3", Key: "278d425bdf160c739803", Secret: "7ad3773142a6692b25b8"}

type bundle struct {
	*Server
	http     *httptest.Server
	observer *tally
}

// setup serves on 127.0.0.1 until the test ends.
func setup(t testing.TB, change ...func(*Options)) *bundle {
	t.Helper()
	b := &bundle{observer: newTally()}
	o := Options{App: testApp, Observer: b.observer, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	for _, f := range change {
		f(&o)
	}
	var err error
	if b.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	b.http = httptest.NewServer(b.Server)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		b.http.Close()
	})
	return b
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// tally is an Observer that lets a test wait for what it counts.
type tally struct {
	mu        sync.Mutex
	changed   chan struct{}
	opened    int
	refused   []Code
	closed    []Code
	delivered int
	published int
	events    int
	gaps      []int
	sent      int
	lost      int
}

func newTally() *tally { return &tally{changed: make(chan struct{})} }

func (o *tally) note(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *tally) Opened()         { o.note(func() { o.opened++ }) }
func (o *tally) Refused(c Code)  { o.note(func() { o.refused = append(o.refused, c) }) }
func (o *tally) Closed(c Code)   { o.note(func() { o.closed = append(o.closed, c) }) }
func (o *tally) Delivered(n int) { o.note(func() { o.delivered += n }) }
func (o *tally) Published(n int) { o.note(func() { o.published += n }) }
func (o *tally) ClientEvent()    { o.note(func() { o.events++ }) }
func (o *tally) Gap(n int)       { o.note(func() { o.gaps = append(o.gaps, n) }) }
func (o *tally) Webhooks(sent, lost int) {
	o.note(func() { o.sent += sent; o.lost += lost })
}

func (o *tally) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		o.mu.Lock()
		done, changed := ok(), o.changed
		o.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// client is a watcher that does nothing by itself.
type client struct {
	t  testing.TB
	nc net.Conn
	br *bufio.Reader
	id string
}

// frame is what a client reads: an event, or the end.
type frame struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

// text is the data of an event whose data is a string.
func (f frame) text(t testing.TB) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(f.Data, &s); err != nil {
		t.Fatalf("%s: data %s is no string", f.Event, f.Data)
	}
	return s
}

func (b *bundle) url(path string) string {
	return "ws" + strings.TrimPrefix(b.http.URL, "http") + path
}

const goodQuery = "?protocol=7&client=js&version=8.6.0&flash=false"

// dial upgrades and reads nothing.
func (b *bundle) dial(t testing.TB, path string, header ...http.Header) *client {
	t.Helper()
	d := ws.Dialer{Timeout: patience}
	if len(header) > 0 {
		d.Header = ws.HandshakeHeaderHTTP(header[0])
	}
	nc, br, _, err := d.Dial(context.Background(), b.url(path))
	if err != nil {
		t.Fatal(err)
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return &client{t: t, nc: nc, br: br}
}

// connect is a watcher past its handshake.
func (b *bundle) connect(t testing.TB) *client {
	t.Helper()
	c := b.dial(t, "/app/"+testApp.Key+goodQuery)
	c.establish()
	return c
}

func (c *client) establish() {
	c.t.Helper()
	f := c.want(eventEstablished)
	var hello struct {
		SocketID        string `json:"socket_id"`
		ActivityTimeout int    `json:"activity_timeout"`
	}
	if err := json.Unmarshal([]byte(f.text(c.t)), &hello); err != nil || hello.SocketID == "" || hello.ActivityTimeout == 0 {
		c.t.Fatalf("handshake %s: %v", f.Data, err)
	}
	c.id = hello.SocketID
}

func (c *client) send(text string) {
	c.t.Helper()
	c.frame(ws.NewTextFrame([]byte(text)))
}

func (c *client) frame(f ws.Frame) {
	c.t.Helper()
	if err := ws.WriteFrame(c.nc, ws.MaskFrame(f)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) raw(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) subscribe(channel string) {
	c.t.Helper()
	c.send(`{"event":"pusher:subscribe","data":{"auth":"","channel":"` + channel + `"}}`)
	f := c.want(eventSubscribed)
	if f.Channel != channel || f.text(c.t) != "{}" {
		c.t.Fatalf("subscribed to %q: %s", f.Channel, f.Data)
	}
}

// next reads one frame of any kind.
func (c *client) next() (ws.Frame, error) {
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	h, err := ws.ReadHeader(c.br)
	if err != nil {
		return ws.Frame{}, err
	}
	if err := ws.CheckHeader(h, ws.StateClientSide); err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(c.br, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

// read returns the next event; a close frame is a wsutil.ClosedError.
func (c *client) read() (frame, error) {
	var f frame
	raw, err := c.next()
	switch {
	case err != nil:
		return f, err
	case raw.Header.OpCode == ws.OpClose:
		code, reason := ws.ParseCloseFrameData(raw.Payload)
		if len(raw.Payload) == 0 {
			code = ws.StatusCode(CodeNoStatus)
		}
		return f, wsutil.ClosedError{Code: code, Reason: reason}
	case raw.Header.OpCode != ws.OpText:
		return f, errors.New("not a text frame")
	}
	return f, json.Unmarshal(raw.Payload, &f)
}

// want reads the next event, which must be this one.
func (c *client) want(event string) frame {
	c.t.Helper()
	f, err := c.read()
	if err != nil {
		c.t.Fatalf("want %s, got %v", event, err)
	}
	if f.Event != event {
		c.t.Fatalf("want %s, got %s on %q: %s", event, f.Event, f.Channel, f.Data)
	}
	return f
}

// wantError reads a pusher:error with the code (0 is null) and the text.
func (c *client) wantError(code Code, text string) {
	c.t.Helper()
	f := c.want(eventError)
	var e struct {
		Code    *Code  `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(f.Data, &e); err != nil {
		c.t.Fatalf("error data %s: %v", f.Data, err)
	}
	if (e.Code == nil) != (code == 0) || e.Code != nil && *e.Code != code || !strings.Contains(e.Message, text) {
		c.t.Fatalf("want error %d %q, got %s", code, text, f.Data)
	}
}

// wantClose reads a close frame with the code, and then the end of the stream.
func (c *client) wantClose(code Code) {
	c.t.Helper()
	f, err := c.read()
	var closed wsutil.ClosedError
	if !errors.As(err, &closed) {
		c.t.Fatalf("want close %d, got %+v, %v", code, f, err)
	}
	if Code(closed.Code) != code {
		c.t.Fatalf("want close %d, got %d %q", code, closed.Code, closed.Reason)
	}
	if _, err := c.next(); !errors.Is(err, io.EOF) {
		c.t.Fatalf("after the close frame: %v", err)
	}
}

// alive shows that the connection still answers, and that nothing came before.
func (c *client) alive() {
	c.t.Helper()
	c.send(`{"event":"pusher:ping","data":{}}`)
	c.want(eventPong)
}
