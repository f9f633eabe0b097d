// Package replicas runs several processes of the program as one service: on one
// PostgreSQL database of their own, with or without Redis, behind a balancer.
package replicas

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/webazaar/waybill/e2e/process"
)

// The fleet's secrets. It listens on this machine alone.
const (
	WebhookToken = "a-webhook-token-of-the-replicas-0123456789abcdef"
	AdminToken   = "an-admin-token-of-the-replicas-0123456789abcdef0"
	AppKey       = "replicas-key"
	appSecret    = "replicas-secret"
)

// AppSettings name the fleet's Pusher app.
func AppSettings() []string {
	return []string{"SOKETI_APP_ID=replicas", "SOKETI_APP_KEY=" + AppKey, "SOKETI_APP_SECRET=" + appSecret}
}

// Options say what a fleet is made of. Nodes and DatabaseURL are required.
type Options struct {
	Nodes       int
	DatabaseURL string   // of a database of the fleet's own; see Database
	RedisURL    string   // empty: messages go through PostgreSQL
	Settings    []string // more of them, for every node
	Addr        string   // of the balancer; empty is any free port of this machine
}

// A Fleet is several nodes and the balancer before them. It must be closed.
type Fleet struct {
	URL      string // of the balancer
	dir      string
	balancer *balancer
	nodes    []*Node
}

// A Node is one process of the fleet after another, on the same port and data.
type Node struct {
	port int
	env  []string
	out  process.Output
	run  *process.Server // nil while it is stopped
}

// Start starts all nodes and waits until they are ready.
func Start(o Options) (*Fleet, error) {
	dir, err := os.MkdirTemp("", "waybill-replicas-")
	if err != nil {
		return nil, err
	}
	f := &Fleet{dir: dir}
	var addrs []string
	for range o.Nodes {
		port, err := process.FreePort()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.nodes = append(f.nodes, &Node{port: port})
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if f.balancer, err = startBalancer(o.Addr, addrs); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.URL = f.balancer.url
	for i, n := range f.nodes {
		data := filepath.Join(dir, strconv.Itoa(i+1))
		n.env = append([]string{
			"HOME=" + data, "DATA_DIR=" + data, "DATABASE_URL=" + o.DatabaseURL, "REDIS_URL=" + o.RedisURL, "APP_ENV=production",
			"SHIPROCKET_IP_CHECK=off", "SHIPROCKET_WEBHOOK_TOKEN=" + WebhookToken, "ADMIN_TOKEN=" + AdminToken, "TRUSTED_PROXIES=127.0.0.0/8",
			"PUBLIC_SHIPMENTS_CHANNEL=true", "PUBLIC_URL=" + f.URL, "DRAIN_SECONDS=1",
		}, append(AppSettings(), o.Settings...)...)
		if err := os.Mkdir(data, 0o700); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if err := n.Start(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	for _, n := range f.nodes {
		if err := n.Ready(time.Minute); err != nil {
			return nil, errors.Join(fmt.Errorf("%w\n%s", err, n.Log()), f.Close())
		}
	}
	return f, nil
}

// Nodes are all nodes of the fleet, running or not.
func (f *Fleet) Nodes() []*Node { return f.nodes }

// Close kills what runs and deletes what it kept.
func (f *Fleet) Close() error {
	for _, n := range f.nodes {
		n.Kill()
	}
	if f.balancer != nil {
		f.balancer.close()
	}
	return os.RemoveAll(f.dir)
}

// Start starts the node, if it does not run. It does not wait until it is ready.
func (n *Node) Start() error {
	if n.run != nil {
		return nil
	}
	run, err := process.Start(n.port, &n.out, n.env)
	if err == nil {
		n.run = run
	}
	return err
}

// Ready waits until the node answers that it is ready.
func (n *Node) Ready(within time.Duration) error {
	if n.run == nil {
		return errors.New("the node does not run")
	}
	return n.run.Ready(within)
}

// Kill ends the node at once, as a crash does.
func (n *Node) Kill() {
	if n.run != nil {
		n.run.Kill()
		n.run = nil
	}
}

// Stop asks the node to end, and returns its exit code.
func (n *Node) Stop() (int, error) {
	if n.run == nil {
		return 0, nil
	}
	if err := n.run.Terminate(); err != nil {
		return 0, err
	}
	code, err := n.run.ExitCode(time.Minute)
	if err == nil {
		n.run = nil
	}
	return code, err
}

// URL is the node's own address, past the balancer.
func (n *Node) URL() string { return "http://127.0.0.1:" + strconv.Itoa(n.port) }

// Running says whether the node has been started and not stopped.
func (n *Node) Running() bool { return n.run != nil }

// Log is all that the node's processes wrote.
func (n *Node) Log() string { return n.out.String() }

// Database makes an empty database beside the one of the URL, and returns its
// URL and what drops it.
func Database(ctx context.Context, server string) (made string, drop func() error, err error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	name := "waybill_replicas_" + strings.ToLower(rand.Text()[:10])
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		return err
	}, nil
}
