package pusher

import (
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
	gone := make(closings, 1)
	s, err := New(Options{App: testApp, Observer: gone})
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
		near, far := net.Pipe()
		s.start(near, nil, nil)
		go func() {
			_ = far.SetWriteDeadline(time.Now().Add(patience))
			_, _ = far.Write(sent)
			// The end of what the fuzzer wrote may be half a frame: a close of the socket ends that.
			_, _ = far.Write(masked(ws.NewCloseFrame(nil)))
			_ = far.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		}()
		closed := false
		for {
			h, err := ws.ReadHeader(far)
			if err != nil {
				break
			}
			if err := ws.CheckHeader(h, ws.StateClientSide); err != nil {
				t.Fatalf("server sent %+v: %v", h, err)
			}
			if closed {
				t.Fatalf("%+v after the close frame", h)
			}
			closed = h.OpCode == ws.OpClose
			if _, err := io.CopyN(io.Discard, far, h.Length); err != nil {
				break
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

// closings is an Observer that tells of each connection's end.
type closings chan Code

func (closings) Opened()         {}
func (closings) Refused(Code)    {}
func (c closings) Closed(x Code) { c <- x }
func (closings) Delivered(int)   {}
