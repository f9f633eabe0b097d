// Package relay stands between a program and a server it needs, so that tests
// can take the server away: ended connections, refused ones, and a network that
// swallows what is sent.
package relay

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// A Relay passes on TCP connections until it is cut or frozen.
type Relay struct {
	to     string
	addr   string
	under  sync.WaitGroup
	mu     sync.Mutex
	l      net.Listener
	cuts   int
	ends   map[net.Conn]bool
	frozen chan struct{} // not nil: nothing passes until it is closed
}

// Start starts a relay on a port of this machine, to an address such as
// 127.0.0.1:5432. It must be closed.
func Start(to string) (*Relay, error) {
	r := &Relay{to: to, addr: "127.0.0.1:0", ends: map[net.Conn]bool{}}
	return r, r.Restore()
}

// Before starts a relay before the server of a URL, and returns the URL by which
// the server is reached through it. Port is the one of URLs without any.
func Before(server, port string) (*Relay, string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, "", err
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	r, err := Start(u.Host)
	if err != nil {
		return nil, "", err
	}
	u.Host = r.addr
	return r, u.String(), nil
}

// Port is where the relay listens.
func (r *Relay) Port() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // "tcp" makes it
}

// Close ends everything; nothing of the relay is left when it returns.
func (r *Relay) Close() {
	r.Thaw()
	r.Cut()
	r.under.Wait()
}

// Restore lets connections pass again, on the same port.
func (r *Relay) Restore() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", r.addr)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.l, r.addr = l, l.Addr().String()
	cuts := r.cuts
	r.mu.Unlock()
	r.under.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r.under.Go(func() { r.pass(nc, cuts) })
		}
	})
	return nil
}

// Cut ends all connections and lets none be opened.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cuts++
	_ = r.l.Close()
	for nc := range r.ends {
		nc.Close()
	}
}

// Freeze lets nothing pass, and ends nothing: a network that swallows.
func (r *Relay) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = make(chan struct{})
}

// Thaw lets pass what Freeze held.
func (r *Relay) Thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen != nil {
		close(r.frozen)
		r.frozen = nil
	}
}

// pass serves a connection that was opened after so many cuts; one more in the
// meantime has ended it.
func (r *Relay) pass(near net.Conn, cuts int) {
	far, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", r.to)
	if err != nil {
		near.Close()
		return
	}
	r.mu.Lock()
	if r.cuts != cuts {
		r.mu.Unlock()
		near.Close()
		far.Close()
		return
	}
	r.ends[near], r.ends[far] = true, true
	r.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], &thawing{r, way[1]})
			near.Close()
			far.Close()
		})
	}
	both.Wait()
	r.mu.Lock()
	delete(r.ends, near)
	delete(r.ends, far)
	r.mu.Unlock()
}

// thawing hands on what it reads when nothing is frozen.
type thawing struct {
	r  *Relay
	nc net.Conn
}

func (w *thawing) Read(p []byte) (int, error) {
	n, err := w.nc.Read(p)
	w.r.mu.Lock()
	frozen := w.r.frozen
	w.r.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return n, err
}
