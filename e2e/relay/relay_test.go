package relay

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A connection that is just being opened does not escape a cut.
func TestCutEndsWhatIsBeingOpened(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close() // it accepts nothing: the kernel does, and holds the line
	r, err := Start(server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 50 {
		var conns []net.Conn
		for range 4 {
			nc, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, nc)
		}
		r.Cut()
		for _, nc := range conns {
			_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := nc.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a connection lives on")
			}
			_ = nc.Close()
		}
		if err := r.Restore(); err != nil {
			t.Fatal(err)
		}
	}
}
