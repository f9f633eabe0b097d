package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// abreast is how many watchers connect or subscribe at the same time.
const abreast = 64

// A crowd is many watchers of one server. Until listen, nobody reads what comes
// but who waits for an answer.
type crowd struct {
	addr     string
	watchers []*watcher
	reading  sync.WaitGroup
}

// sources counts the watchers of this process. Each thousand of them comes from a
// loopback address of its own that was never used before, so that ports do not
// run out, not even those that wait for a closed connection's last packets.
var sources atomic.Int64

func source() net.Addr {
	n := sources.Add(1) / 1000
	return &net.TCPAddr{IP: net.IPv4(127, 1, byte(n/250), byte(1+n%250))}
}

// open connects n more watchers.
func (c *crowd) open(ctx context.Context, n int) error {
	fresh := make([]*watcher, n)
	err := each(ctx, n, func(i int) (err error) {
		fresh[i], err = connect(ctx, c.addr)
		return err
	})
	for _, w := range fresh {
		if w != nil {
			c.watchers = append(c.watchers, w)
		}
	}
	if err != nil {
		return fmt.Errorf("connect %d watchers: %w", n, err)
	}
	return nil
}

// subscribe subscribes the watchers from the given one on, which do not listen yet.
func (c *crowd) subscribe(ctx context.Context, from int, channel func(i int) string) error {
	err := each(ctx, len(c.watchers)-from, func(i int) error {
		return c.watchers[from+i].subscribe(channel(from + i))
	})
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// listen makes the watchers from the given one on read until their connections end.
func (c *crowd) listen(from int) {
	for _, w := range c.watchers[from:] {
		c.reading.Go(w.listen)
	}
}

// gather is a crowd of n that listens to the busy channel.
func gather(ctx context.Context, addr string, n int) (*crowd, error) {
	c := &crowd{addr: addr}
	err := c.open(ctx, n)
	if err == nil {
		err = c.subscribe(ctx, 0, func(int) string { return busy })
	}
	if err != nil {
		c.leave()
		return nil, err
	}
	c.listen(0)
	return c, nil
}

// follow makes the tally count what the watchers receive from now on.
func (c *crowd) follow(t *tally) {
	for i, w := range c.watchers {
		w.place = i
		w.tally.Store(t)
	}
}

// leave ends all connections, and returns when nobody reads any more.
func (c *crowd) leave() {
	for _, w := range c.watchers {
		w.nc.Close()
	}
	c.reading.Wait()
}

// each calls f for 0 to n-1, several at a time. The error is the first; after it
// no more are begun.
func each(ctx context.Context, n int, f func(i int) error) error {
	var (
		next   atomic.Int64
		first  error
		once   sync.Once
		failed atomic.Bool
		group  sync.WaitGroup
	)
	fail := func(err error) { once.Do(func() { first = err; failed.Store(true) }) }
	for range min(abreast, n) {
		group.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := ctx.Err(); err != nil {
					fail(err)
				} else if err := f(i); err != nil {
					fail(err)
				}
			}
		})
	}
	group.Wait()
	return first
}

// answerWithin bounds each wait for an answer of the server.
const answerWithin = 30 * time.Second

// connect opens a connection and waits for the server's welcome.
func connect(ctx context.Context, addr string) (*watcher, error) {
	d := net.Dialer{Timeout: answerWithin, LocalAddr: source(), KeepAlive: -1}
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &watcher{}
	if err := w.take(nc); err != nil {
		nc.Close()
		return nil, err
	}
	if err := w.welcome(addr); err != nil {
		nc.Close()
		return nil, err
	}
	return w, nil
}

func (w *watcher) take(nc net.Conn) (err error) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	w.nc = tcp
	w.raw, err = tcp.SyscallConn()
	return err
}
