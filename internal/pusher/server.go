package pusher

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// clusterTimeout bounds each wait for the cluster.
const clusterTimeout = 5 * time.Second

// Server is one node of the service. It is an http.Handler for /app/{key}, where
// watchers connect, and /apps/{id}/…, the publishers' API; a WebSocket for any
// other path is refused in the protocol's own way, and the rest is 404.
type Server struct {
	opts      Options
	log       *slog.Logger
	hub       *hub
	heartbeat *heartbeat
	keeper    *keeper
	webhooks  *webhooks // nil when nobody wants any
	limits    limits
	node      string // first half of the socket ids made here
	api       http.Handler
	publishes *rate.Limiter                                // over the API
	bounded   func() (context.Context, context.CancelFunc) // until the server is closed
	telling   func() (context.Context, context.CancelFunc) // a little longer: what is so must be told

	mu       sync.Mutex
	conns    map[*conn]struct{} // refused ones too, while they are being told
	accepted int                // conns that count
	draining bool
	closed   bool
	empty    chan struct{} // set by Drain; closed when the last accepted one is gone

	running sync.WaitGroup // connections, and what works for them
	stop    chan struct{}
	cancel  context.CancelFunc // of every wait for the cluster that is bounded
	silence context.CancelFunc // of the others
}

var _ http.Handler = (*Server)(nil)

// New returns a Server that is ready to serve. Close or Drain must be called in
// the end.
func New(o Options) (*Server, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts:      o,
		log:       o.Logger.With("component", "pusher"),
		hub:       newHub(),
		heartbeat: newHeartbeat(o.ActivityTimeout, o.PongTimeout, o.AuthorizeWithin),
		limits:    limits{bytes: o.QueueBytes, messages: o.QueueMessages, write: o.WriteTimeout},
		node:      strconv.FormatUint(random()>>32, 10),
		conns:     make(map[*conn]struct{}),
		stop:      make(chan struct{}),
	}
	s.api = s.routes()
	s.keeper = newKeeper(s)
	s.hub.delivered = o.Observer.Delivered
	s.publishes = rate.NewLimiter(rate.Inf, 0)
	if n := o.PublishRate; n > 0 {
		s.publishes = rate.NewLimiter(rate.Limit(n), max(n, maxPublishChannels))
	}
	all, stop := context.WithCancel(context.Background())
	s.bounded, s.cancel = boundedBy(all), stop
	told, silence := context.WithCancel(context.Background())
	s.telling, s.silence = boundedBy(told), silence
	ctx, cancel := s.bounded()
	defer cancel()
	if err := o.Cluster.Open(ctx, s.node, receiver{s}); err != nil {
		stop()
		silence()
		return nil, fmt.Errorf("pusher: join cluster: %w", err)
	}
	s.webhooks = newWebhooks(s, o.Webhooks)
	s.running.Go(func() { s.heartbeat.run(s.stop) })
	s.running.Go(func() { s.keeper.run(s.stop) })
	return s, nil
}

// random is unguessable: a socket id is part of what channel signatures sign.
func random() uint64 {
	var b [8]byte
	_, _ = cryptorand.Read(b[:]) // never fails: it ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}

func (s *Server) newSocketID() string {
	return s.node + "." + strconv.FormatUint(random()>>11, 10)
}

// start takes over an upgraded connection. Early is what of it was read already;
// refused, if not nil, is what the watcher is told instead of a welcome.
func (s *Server) start(nc net.Conn, early []byte, refused *refusal) {
	c := &conn{server: s, id: s.newSocketID(), opened: time.Now()}
	c.queue.nc, c.queue.limits = nc, &s.limits
	c.beat.place = -1
	c.touch()

	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = nc.Close()
		return
	}
	if refused == nil {
		refused = s.full()
	}
	c.counted = refused == nil
	if c.counted {
		s.accepted++
	}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()

	if c.counted {
		s.opts.Observer.Opened()
		s.heartbeat.add(c)
		c.push(establishedFrame(c.id, s.opts.ActivityTimeout))
	} else {
		s.opts.Observer.Refused(refused.code)
		s.log.Debug("connection.refused", "code", refused.code, "reason", refused.message, "peer", c.remote())
		c.refuse(refused.code, refused.message)
	}
	go func() {
		defer s.running.Done()
		c.run(early)
	}()
}

// full says why no further connection can be accepted, or nil. A draining server
// answers 4100 and not 4200, on which pusher-js would come back at once, to the
// same server if there is no other.
func (s *Server) full() *refusal {
	switch {
	case s.draining:
		return &refusal{CodeOverCapacity, "server is shutting down"}
	case s.opts.App.MaxConnections > 0 && s.accepted >= s.opts.App.MaxConnections:
		return &refusal{CodeOverQuota, "app is over its connection quota"}
	case s.opts.MaxConnections > 0 && s.accepted >= s.opts.MaxConnections:
		return &refusal{CodeOverCapacity, "over capacity"}
	}
	return nil
}

// forget is the last thing that happens to a connection.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.counted {
		s.accepted--
		if s.accepted == 0 && s.empty != nil {
			close(s.empty) // once: a draining server accepts no more
		}
	}
	s.mu.Unlock()
	if !c.counted {
		return
	}
	code := c.code // the writer and every other that could set it are gone
	s.opts.Observer.Closed(code)
	s.log.Debug("connection.closed", "socket_id", c.id, "code", code, "lasted", time.Since(c.opened), "peer", c.remote())
}

// stopping says that the server is being closed.
func (s *Server) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// Stats are the gauges of one node.
type Stats struct {
	Connections   int // accepted and not gone
	Channels      int // with at least one watcher
	Subscriptions int
}

// Stats returns what this node holds at the moment.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	n := s.accepted
	s.mu.Unlock()
	return Stats{Connections: n, Channels: s.hub.channels(), Subscriptions: int(s.hub.seats.Load())}
}
