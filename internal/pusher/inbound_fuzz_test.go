package pusher

import (
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
