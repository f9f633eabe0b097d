package bus

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gomodule/redigo/redis"
)

// redisLink is a connection of its own: what is heard does not wait behind what is
// asked. It follows the control channel at all times, for Redis answers a PING
// differently to those who follow nothing.
type redisLink struct {
	redis *Redis
	conn  redis.PubSubConn
	pongs chan string
	pings int
	gone  chan error // buffered
	done  chan struct{}
}

func (r *Redis) dial(ctx context.Context, deliver func([]byte)) (link, error) {
	now := time.Now()
	r.relinked.Store(&now) // where a link broke, the others have, too
	conn, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	l := &redisLink{
		redis: r, conn: redis.PubSubConn{Conn: conn}, pongs: make(chan string, 1),
		gone: make(chan error, 1), done: make(chan struct{}),
	}
	go func() {
		defer close(l.done)
		l.gone <- l.read(deliver)
	}()
	return l, nil
}

func (l *redisLink) read(deliver func([]byte)) error {
	for {
		switch heard := l.conn.ReceiveWithTimeout(0).(type) {
		case error:
			return heard
		case redis.Message:
			deliver(heard.Data)
		case redis.Pong:
			l.pongs <- heard.Data
		}
	}
}

// change is followed by a PING: Redis answers in order, so all before it is done
// when its answer is there.
func (l *redisLink) change(ctx context.Context, add, drop []string) error {
	if len(add) > 0 {
		if err := l.conn.Conn.Send("SUBSCRIBE", l.topics(add)...); err != nil {
			return err
		}
	}
	if len(drop) > 0 {
		if err := l.conn.Conn.Send("UNSUBSCRIBE", l.topics(drop)...); err != nil {
			return err
		}
	}
	l.pings++
	ping := strconv.Itoa(l.pings)
	if err := l.conn.Ping(ping); err != nil {
		return err
	}
	select {
	case pong := <-l.pongs:
		if pong != ping {
			return errAnswer // the link is given up after the first PING that is not answered in time
		}
		return nil
	case <-l.done:
		return errors.New("the listening connection broke")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *redisLink) topics(channels []string) []any {
	topics := make([]any, len(channels))
	for i, channel := range channels {
		topics[i] = l.redis.topic(channel)
	}
	return topics
}

func (l *redisLink) lost() <-chan error { return l.gone }

func (l *redisLink) close() {
	_ = l.conn.Close()
	<-l.done
}
