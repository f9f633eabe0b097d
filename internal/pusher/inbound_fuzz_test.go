package pusher

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Whatever bytes a client sends, what it gets back is good framing that ends, and
// the connection leaves nothing behind.
func FuzzInboundFrames(f *testing.F) {
	gone := make(chan Code, 1)
	s, err := New(Options{App: testApp, Observer: closings{gone: gone}, ClientEvents: true, SubscriptionCount: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	masked := func(frames ...ws.Frame) []byte {
		var b []byte
		for _, frame := range frames {
			b = append(b, ws.MustCompileFrame(ws.MaskFrameWith(frame, [4]byte{1, 2, 3, 4}))...)
		}
		return b
	}
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:subscribe","data":{"channel":"x"}}`)), ws.NewPingFrame([]byte("p")), ws.NewCloseFrame(nil)))
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:subscribe","data":"{\"channel\":\"private-x\",\"auth\":\"a\"}"}`))))
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:unsubscribe","data":{"channel":"x"}}`)), ws.NewBinaryFrame(nil)))
	f.Add(masked(ws.NewFrame(ws.OpText, false, []byte(`{`)), ws.NewFrame(ws.OpContinuation, true, []byte(`}`))))
	// A socket id cannot be foretold, so every signature is a wrong one here; what a
	// good one lets through has FuzzSigned.
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:signin","data":{"auth":"a:b","user_data":"{\"id\":\"7\",\"watchlist\":[\"8\"]}"}}`))))
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:subscribe","data":{"channel":"presence-x","auth":"a:b","channel_data":"{\"user_id\":7,\"user_info\":{}}"}}`))))
	f.Add(masked(ws.NewTextFrame([]byte(`{"event":"pusher:subscribe","data":{"channel":"cache-x"}}`)), ws.NewTextFrame([]byte(`{"event":"client-x","channel":"cache-x","data":[1]}`))))
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
	f.Add(masked(ws.NewTextFrame([]byte(strings.Repeat("[", 16<<10)))))
	f.Fuzz(func(t *testing.T, sent []byte) {
		tape := &tape{Reader: bytes.NewReader(sent)}
		s.start(tape, nil, nil)
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the connection never ended")
		}
		for closed := false; tape.written.Len() > 0; {
			h, err := ws.ReadHeader(&tape.written)
			if err == nil {
				err = ws.CheckHeader(h, ws.StateClientSide)
			}
			if err != nil {
				t.Fatalf("server sent %+v: %v", h, err)
			}
			if closed {
				t.Fatalf("%+v after the close frame", h)
			}
			closed = h.OpCode == ws.OpClose
			if payload := tape.written.Next(int(h.Length)); int64(len(payload)) != h.Length || h.OpCode == ws.OpText && !json.Valid(payload) {
				t.Fatalf("server sent %+v %q", h, payload)
			}
		}
		if stats := s.Stats(); stats != (Stats{}) {
			t.Fatalf("left behind: %+v", stats)
		}
	})
}

// Whatever an application signs for a watcher, by mistake or because it signs what
// it is told, is answered with good frames, and leaves nothing behind.
func FuzzSigned(f *testing.F) {
	gone := make(chan Code, 1)
	s, err := New(Options{App: testApp, Observer: closings{gone: gone}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Add(`{"user_id":7,"user_info":{"a":[1]}}`)
	f.Add(`{"user_id":"\"\u0000","user_info":"x"}`)
	f.Add(`{"id":"7","user_info":{},"watchlist":["8","8",""]}`)
	f.Add(`{"user_id":1e400}`)
	f.Add(`{"user_id":"\ud800","user_info":"\udfff"}`)
	f.Fuzz(func(t *testing.T, signed string) {
		near, far := net.Pipe()
		s.start(near, nil, nil)
		c := &client{t: t, nc: far, br: bufio.NewReader(far)}
		c.establish()
		signed = strings.ToValidUTF8(signed, "?") // as a frame must be
		say := func(event string, data map[string]string) {
			text, err := json.Marshal(map[string]any{"event": event, "data": data})
			if err != nil {
				t.Fatal(err)
			}
			if len(text) < 16<<10 {
				_ = ws.WriteFrame(far, ws.MaskFrame(ws.NewTextFrame(text)))
			}
		}
		go func() {
			say("pusher:subscribe", map[string]string{"channel": "presence-x", "channel_data": signed, "auth": testApp.Key + ":" + testApp.sign(c.id+":presence-x:"+signed)})
			say("pusher:signin", map[string]string{"user_data": signed, "auth": testApp.Key + ":" + testApp.sign(c.id+"::user::"+signed)})
			_ = ws.WriteFrame(far, ws.MaskFrame(ws.NewCloseFrame(nil)))
		}()
		for {
			raw, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if raw.Header.OpCode == ws.OpClose {
				break
			}
			if !json.Valid(raw.Payload) {
				t.Fatalf("server sent %q", raw.Payload)
			}
			var f frame
			if err := json.Unmarshal(raw.Payload, &f); err != nil {
				t.Fatal(err)
			}
			var text string
			if f.Event != eventError && f.Event != eventSubscribeFail && json.Unmarshal(f.Data, &text) == nil && !json.Valid([]byte(text)) {
				t.Fatalf("the data of %s is not JSON: %s", f.Event, text)
			}
		}
		_ = far.Close()
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the connection never ended")
		}
		if stats := s.Stats(); stats != (Stats{}) {
			t.Fatalf("left behind: %+v", stats)
		}
	})
}

// tape is a socket whose peer has said all it will, and takes whatever it is sent.
type tape struct {
	net.Conn
	*bytes.Reader
	written bytes.Buffer
}

func (t *tape) Read(p []byte) (int, error)       { return t.Reader.Read(p) }
func (t *tape) Write(p []byte) (int, error)      { return t.written.Write(p) }
func (t *tape) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }
func (t *tape) Close() error                     { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }
func (t *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// closings is an Observer that tells of each connection's end.
type closings struct {
	deaf
	gone chan Code
}

func (c closings) Closed(x Code) { c.gone <- x }
