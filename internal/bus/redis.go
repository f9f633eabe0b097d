package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/redis/rueidis"

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
// Redis channel for each of ours, and only for those that are followed here.
type Redis struct {
	*node
	options rueidis.ClientOption
	base    string
	client  rueidis.Client // nil until Open
	touched time.Time      // when the keys of presence channels were last kept
}

var _ pusher.Cluster = (*Redis)(nil)

// NewRedis checks the options. Open connects.
func NewRedis(o RedisOptions) (*Redis, error) {
	options, err := rueidis.ParseURL(o.URL)
	if err != nil {
		return nil, errors.New("bus: the URL of Redis cannot be read") // the error would repeat it
	}
	if o.App == "" {
		return nil, errors.New("bus: an app id is needed")
	}
	if o.Prefix == "" {
		o.Prefix = "waybill"
	}
	// One connection, or messages would overtake each other; always a pipeline, or
	// a call that is given up would take the connection with it.
	options.ForceSingleClient, options.PipelineMultiplex, options.AlwaysPipelining = true, -1, true
	options.DisableRetry, options.DisableCache = true, true
	options.Dialer = net.Dialer{Timeout: patience, KeepAlive: probeEvery}
	options.ConnWriteTimeout = patience
	options.ClientName = "waybill"
	r := &Redis{options: options, base: "{" + o.Prefix + ":" + o.App + "}"}
	r.node = newNode(r, o.Logger, o.Lease)
	return r, nil
}

// Open is as pusher.Cluster says. It fails if Redis does not answer.
func (r *Redis) Open(ctx context.Context, node string, receiver pusher.Receiver) error {
	client, err := rueidis.NewClient(r.options)
	if err != nil {
		return fmt.Errorf("bus: open Redis: %w", err)
	}
	r.client, r.touched = client, time.Now()
	if err := r.begin(ctx, node, receiver); err != nil {
		client.Close()
		return fmt.Errorf("bus: open Redis: %w", err)
	}
	return nil
}

// Ping says why Redis cannot be used, or nil. It joins no cluster and keeps nothing
// open.
func (r *Redis) Ping(ctx context.Context) error {
	client, err := rueidis.NewClient(r.options)
	if err != nil {
		return err
	}
	defer client.Close()
	return r.bounded(ctx, func(ctx context.Context) error { return client.Do(ctx, client.B().Ping().Build()).Error() })
}

// Close is as pusher.Cluster says. On an error the lease is left to run out.
func (r *Redis) Close() error {
	err := r.end()
	if r.client != nil {
		r.client.Close()
	}
	return err
}

// Publish is as pusher.Bus says: all messages go out in one write.
func (r *Redis) Publish(ctx context.Context, messages []pusher.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if !r.isOpen() {
		return errClosed
	}
	commands := make([]rueidis.Completed, len(messages))
	for i, m := range messages {
		commands[i] = r.publication(m)
	}
	return r.bounded(ctx, func(ctx context.Context) error {
		for _, result := range r.client.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
		}
		return nil
	})
}

func (r *Redis) publication(m pusher.Message) rueidis.Completed {
	return r.client.B().Publish().Channel(r.topic(m.Channel)).Message(rueidis.BinaryString(encode(m))).Build()
}

func (r *Redis) topic(channel string) string { return r.base + ":" + channel }

// redisLink is a connection of its own: what is heard does not wait behind what is
// asked.
type redisLink struct {
	redis  *Redis
	client rueidis.DedicatedClient
	gone   <-chan error
}

func (r *Redis) dial(ctx context.Context, deliver func([]byte)) (link, error) {
	client, _ := r.client.Dedicate() // closed, never given back
	l := &redisLink{redis: r, client: client}
	l.gone = client.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { deliver([]byte(m.Message)) }})
	if err := l.change(ctx, nil, nil); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// change may rely on the first confirmation: Redis follows all channels of one
// SUBSCRIBE in one step.
func (l *redisLink) change(ctx context.Context, add, drop []string) error {
	var commands []rueidis.Completed
	if len(add) > 0 {
		commands = append(commands, l.client.B().Subscribe().Channel(l.topics(add)...).Build())
	}
	if len(drop) > 0 {
		commands = append(commands, l.client.B().Unsubscribe().Channel(l.topics(drop)...).Build())
	}
	if len(commands) == 0 {
		commands = append(commands, l.client.B().Ping().Build())
	}
	for _, result := range l.client.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return err
		}
	}
	return nil
}

func (l *redisLink) topics(channels []string) []string {
	topics := make([]string, len(channels))
	for i, channel := range channels {
		topics[i] = l.redis.topic(channel)
	}
	return topics
}

func (l *redisLink) lost() <-chan error { return l.gone }

func (l *redisLink) close() {
	l.client.Close()
	for range l.gone { // ends when the connection's reader has
	}
}
