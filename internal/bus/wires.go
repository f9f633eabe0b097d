package bus

import (
	"context"
	"net"
	"sync"
	"time"
)

// wires are the TCP connections to PostgreSQL. The driver parts from one politely,
// and takes fifteen seconds where nobody answers; here none is worth waiting for.
type wires struct {
	mu     sync.Mutex
	open   map[*wire]struct{}
	closed bool // no new ones
}

type wire struct {
	net.Conn
	of *wires
}

func newWires() *wires { return &wires{open: make(map[*wire]struct{})} }

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: patience, KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	one := &wire{Conn: conn, of: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	w.open[one] = struct{}{}
	return one, nil
}

// Close closes the connection, and may be called again.
func (o *wire) Close() error {
	o.of.mu.Lock()
	delete(o.of.open, o)
	o.of.mu.Unlock()
	return o.Conn.Close()
}

// cut ends all of them: the server is silent.
func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.open {
		_ = one.Conn.Close()
	}
	clear(w.open)
}

// close ends all of them for good.
func (w *wires) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cut()
}
