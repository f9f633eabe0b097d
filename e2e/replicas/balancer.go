package replicas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// balancer hands each request and each WebSocket to the next node that takes a
// connection. A node that is gone refuses it, and the next one is tried.
type balancer struct {
	nodes  []string // addresses
	turn   atomic.Uint64
	server *http.Server
	url    string
	served sync.WaitGroup
}

func startBalancer(addr string, nodes []string) (*balancer, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for the balancer: %w", err)
	}
	unheard := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	b := &balancer{nodes: nodes, url: "http://" + l.Addr().String()}
	target := &url.URL{Scheme: "http", Host: "a-node"} // whom DialContext chooses
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		// No connection is kept: each request may go to another node.
		Transport: &http.Transport{DialContext: b.dial, DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusBadGateway)
		},
		ErrorLog: unheard,
	}
	b.server = &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second, ErrorLog: unheard}
	b.served.Go(func() { _ = b.server.Serve(l) })
	return b, nil
}

var errNoNode = errors.New("no node takes a connection")

func (b *balancer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	first := b.turn.Add(1)
	for i := range uint64(len(b.nodes)) {
		nc, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, b.nodes[(first+i)%uint64(len(b.nodes))])
		if err == nil {
			return nc, nil
		}
	}
	return nil, errNoNode
}

func (b *balancer) close() {
	_ = b.server.Close()
	b.served.Wait()
}
