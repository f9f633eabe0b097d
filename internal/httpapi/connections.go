package httpapi

import (
	"container/list"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Connections bounds how many connections a listener holds, and decides who
// goes when there are too many. It promises that newcomers are heard however
// many hold connections for nothing:
//
//   - Watchers (what was upgraded) and requests have budgets of their own, so
//     neither keeps the other out.
//   - At its bound a request's connection is made room for by closing one of
//     those that have kept us waiting longest, who are silent or creep: the one
//     whose peer holds the most of them. A push comes with its connection and
//     is gone in milliseconds; what waits longer than that is not one.
//   - A connection whose sender has proved himself is closed for that last of
//     all, and never while it has a request under way.
//
// A nil *Connections sets no bound.
type Connections struct {
	maxRequests, maxWatchers int
	log                      *slog.Logger

	mu       sync.Mutex
	requests int                  // open, and not upgraded
	watchers int                  // open, and upgraded
	strange  list.List            // senders not proved, who has waited longest first
	peers    map[netip.Prefix]int // how many of them each peer has
	rested   list.List            // senders proved, without a request, likewise
	shed     int64
	refused  int64
	told     time.Time
}

// NewConnections divides a number of connections: a quarter, and at most 8,192,
// is for requests, the rest for watchers.
func NewConnections(total int, log *slog.Logger) *Connections {
	requests := max(min(total/4, 8192), 1)
	return &Connections{
		maxRequests: requests, maxWatchers: max(total-requests, 1), peers: map[netip.Prefix]int{}, log: log.With("component", "http"),
	}
}

// Watchers is how many watchers the realtime server may take. A sixteenth of
// their connections is kept for telling others that there are too many.
func (c *Connections) Watchers() int { return max(c.maxWatchers*15/16, 1) }

// RoomForWatcher reports whether one more may be upgraded.
func (c *Connections) RoomForWatcher() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watchers < c.maxWatchers
}

// ConnectionCounts is what a Connections holds and has turned away.
type ConnectionCounts struct {
	Requests, Watchers int
	Shed, Refused      int64 // closed to make room; closed at once, for want of it
}

// Counts returns the counts of the moment.
func (c *Connections) Counts() ConnectionCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ConnectionCounts{c.requests, c.watchers, c.shed, c.refused}
}

// Serve is server.Serve within these bounds. It takes over the server's
// ConnState and ConnContext.
func (c *Connections) Serve(server *http.Server, l *net.TCPListener) error {
	server.ConnState = c.state
	server.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, nc)
	}
	return server.Serve(&bounded{l, c})
}

type connKey struct{}

// settle marks the request's connection as that of a sender who has proved
// himself.
func settle(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.settle()
	}
}

// A conn is one of the connections. It keeps what net/http and the realtime
// server look for in a TCP connection, writev and sendfile among it.
type conn struct {
	*net.TCPConn
	of   *Connections
	peer netip.Prefix

	// All under of.mu.
	list     *list.List // strange or rested; nil if it may not be closed
	place    *list.Element
	settled  bool
	upgraded bool
	closed   bool
}

type bounded struct {
	*net.TCPListener
	of *Connections
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		nc, err := b.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if c := b.of.admit(nc); c != nil {
			return c, nil
		}
		_ = nc.SetLinger(0) // nothing of it stays in the kernel either
		_ = nc.Close()
	}
}

// admit makes room for a newcomer; nil if there is none to be made.
func (c *Connections) admit(nc *net.TCPConn) *conn {
	var peer netip.Prefix
	if addr, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		peer = home(addr.AddrPort().Addr())
	}
	c.mu.Lock()
	var gone *conn
	if c.requests >= c.maxRequests {
		c.tell()
		if gone = c.spare(); gone == nil {
			c.refused++
			c.mu.Unlock()
			return nil
		}
		c.shed++
		c.forget(gone)
	}
	n := &conn{TCPConn: nc, of: c, peer: peer}
	c.enlist(n, &c.strange)
	c.requests++
	c.mu.Unlock()
	if gone != nil {
		_ = gone.TCPConn.Close() // its reader and writer find out by themselves
	}
	return n
}

// compared is how many of those that have waited longest are looked at for the
// one to close.
const compared = 16

// spare is the connection to close for another; nil if there is none.
func (c *Connections) spare() *conn {
	var worst *conn
	for e, n := c.strange.Front(), 0; e != nil && n < compared; e, n = e.Next(), n+1 {
		if o := e.Value.(*conn); worst == nil || c.peers[o.peer] > c.peers[worst.peer] { //nolint:forcetypeassert // nothing else is in the list
			worst = o
		}
	}
	if worst != nil {
		return worst
	}
	if e := c.rested.Front(); e != nil {
		return e.Value.(*conn) //nolint:forcetypeassert // as above
	}
	return nil
}

// tell says now and then that connections are at their bound.
func (c *Connections) tell() {
	if now := time.Now(); now.Sub(c.told) >= troubleEvery {
		c.told = now
		c.log.Warn("connections.full", "requests", c.requests, "watchers", c.watchers, "shed", c.shed, "refused", c.refused,
			"what", "those that have waited longest are closed to make room",
			"mend", "if these are not attacks, let the process open more files (ulimit -n, LimitNOFILE)")
	}
}

// forget takes a connection out of the counts, once.
func (c *Connections) forget(n *conn) {
	if n.closed {
		return
	}
	n.closed = true
	c.unlist(n)
	if n.upgraded {
		c.watchers--
	} else {
		c.requests--
	}
}

func (c *Connections) enlist(n *conn, l *list.List) {
	c.unlist(n)
	n.list, n.place = l, l.PushBack(n)
	if l == &c.strange {
		c.peers[n.peer]++
	}
}

func (c *Connections) unlist(n *conn) {
	if n.list != nil {
		n.list.Remove(n.place)
		if n.list == &c.strange {
			if c.peers[n.peer]--; c.peers[n.peer] == 0 {
				delete(c.peers, n.peer)
			}
		}
		n.list, n.place = nil, nil
	}
}

// state follows a connection: whatever it begins, it waits anew.
func (c *Connections) state(nc net.Conn, s http.ConnState) {
	n, ok := nc.(*conn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateHijacked:
		if !n.closed && !n.upgraded {
			c.unlist(n)
			n.upgraded = true
			c.requests--
			c.watchers++
		}
	case http.StateActive, http.StateIdle:
		switch {
		case n.closed || n.upgraded:
		case !n.settled:
			c.strange.MoveToBack(n.place)
		case s == http.StateIdle:
			c.enlist(n, &c.rested)
		default:
			c.unlist(n)
		}
	case http.StateClosed:
		c.forget(n)
	}
}

func (n *conn) settle() {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	n.settled = true
	n.of.unlist(n)
}

// Close implements net.Conn.
func (n *conn) Close() error {
	n.of.mu.Lock()
	n.of.forget(n)
	n.of.mu.Unlock()
	return n.TCPConn.Close()
}

// watch hands a request to the realtime server. A watcher for whom there is no
// connection left is answered before his socket is upgraded: pusher-js comes
// again by itself.
func (a *API) watch(w http.ResponseWriter, r *http.Request) {
	if isUpgrade(r) && !a.opts.Connections.RoomForWatcher() {
		w.Header().Set("Connection", "close")
		a.fail(w, r, errFull)
		return
	}
	a.opts.RealtimeServer.ServeHTTP(w, r)
}

func isUpgrade(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }
