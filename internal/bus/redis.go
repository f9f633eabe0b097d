package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/webazaar/waybill/internal/pusher"
)

// RedisOptions are the settings of a Redis. URL and App are required.
type RedisOptions struct {
	// URL is redis://, rediss:// or unix://, with a user, a password and the number
	// of a database if need be. It names one server of version 6 or later, or
	// whatever stands for its primary at one address. Redis Cluster is not served.
	URL string
	// App is the id of the pusher.App. Nodes with the same Prefix and App are one
	// cluster, whatever their database is: messages know no databases.
	App    string
	Prefix string        // what keys and channels begin with; default waybill
	Lease  time.Duration // after which a silent node counts as dead; default 10 s
	Logger *slog.Logger  // nil: nothing is logged
}

// Redis is a pusher.Cluster kept in a Redis server. Messages go by SUBSCRIBE, one
// Redis channel for each of ours, and only for those that are followed here; all
// publishers of the process share a write.
type Redis struct {
	*node
	address  redisAddress
	base     string
	pool     *redis.Pool // nil until Open
	outbox   *outbox
	relinked atomic.Pointer[time.Time] // what is pooled from before it is not used
	touched  time.Time                 // when the keys of presence channels were last kept
}

var _ pusher.Cluster = (*Redis)(nil)

// NewRedis checks the options. Open connects.
func NewRedis(o RedisOptions) (*Redis, error) {
	address, err := parseRedisURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("bus: the URL of Redis cannot be used: %w", err)
	}
	if o.App == "" {
		return nil, errors.New("bus: an app id is needed")
	}
	if o.Prefix == "" {
		o.Prefix = "waybill"
	}
	dialer := net.Dialer{Timeout: patience, KeepAlive: probeEvery}
	address.options = append(address.options,
		redis.DialContextFunc(dialer.DialContext), redis.DialClientName("waybill"),
		redis.DialReadTimeout(patience), redis.DialWriteTimeout(patience))
	r := &Redis{address: address, base: "{" + o.Prefix + ":" + o.App + "}"}
	r.node = newNode(r, o.Logger, o.Lease)
	return r, nil
}

func (r *Redis) connect(ctx context.Context) (redis.Conn, error) {
	return redis.DialContext(ctx, r.address.network, r.address.address, r.address.options...)
}

// Open is as pusher.Cluster says. It fails if Redis does not answer.
func (r *Redis) Open(ctx context.Context, node string, receiver pusher.Receiver) error {
	r.pool = &redis.Pool{
		DialContext: r.connect, TestOnBorrowContext: r.stillThere,
		MaxActive: poolConns, MaxIdle: poolConns, Wait: true, IdleTimeout: 5 * time.Minute,
	}
	r.outbox = newOutbox()
	r.touched = time.Now()
	if err := r.begin(ctx, node, receiver); err != nil {
		_ = r.pool.Close()
		return fmt.Errorf("bus: open Redis: %w", err)
	}
	r.outbox.start(r.send)
	return nil
}

// stillThere is asked of a pooled connection. One from before the link was made
// anew broke with that; one that was silent for long may have been cut by whatever
// lies between.
func (r *Redis) stillThere(ctx context.Context, c redis.Conn, used time.Time) error {
	if used.Before(*r.relinked.Load()) {
		return errors.New("the link broke meanwhile")
	}
	if time.Since(used) < probeEvery {
		return nil
	}
	_, err := redis.DoContext(c, ctx, "PING")
	return err
}

// Ping says why Redis cannot be used, or nil. It joins no cluster and keeps nothing
// open.
func (r *Redis) Ping(ctx context.Context) error {
	return r.bounded(ctx, func(ctx context.Context) error {
		c, err := r.connect(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = redis.DoContext(c, ctx, "PING")
		return err
	})
}

// Close is as pusher.Cluster says. On an error the lease is left to run out.
func (r *Redis) Close() error {
	if r.pool == nil {
		return nil
	}
	err := r.end() // until then the receiver may have to tell of a departure
	r.outbox.close()
	_ = r.pool.Close()
	return err
}

// Publish is as pusher.Bus says: messages that several callers have at the same
// time go out together.
func (r *Redis) Publish(ctx context.Context, messages []pusher.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if !r.isOpen() {
		return errClosed
	}
	return r.bounded(ctx, func(ctx context.Context) error {
		if err := r.outbox.send(ctx, messages); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	})
}

// send is called by the outbox, which waits for every answer: no message overtakes
// another, whatever connection it goes by.
func (r *Redis) send(ctx context.Context, _ uint64, messages []pusher.Message) error {
	c, err := r.pool.GetContext(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, m := range messages {
		if err := c.Send("PUBLISH", r.topic(m.Channel), encode(m)); err != nil {
			return err
		}
	}
	answers, err := redis.Values(redis.DoContext(c, ctx, "")) // of all that was sent
	if err != nil {
		return err
	}
	for _, answer := range answers {
		if refused, is := answer.(redis.Error); is {
			return refused
		}
	}
	return nil
}

func (r *Redis) topic(channel string) string { return r.base + ":" + channel }
