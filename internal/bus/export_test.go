package bus

import (
	"context"
	"time"

	"github.com/gomodule/redigo/redis"
)

// What the tests beside the package need of a Redis that is not open.

func (r *Redis) Connect(ctx context.Context) (redis.Conn, error) { return r.connect(ctx) }

func (r *Redis) StillThere(ctx context.Context, c redis.Conn, used time.Time) error {
	return r.stillThere(ctx, c, used)
}

func (r *Redis) Relinked(at time.Time) { r.relinked.Store(&at) }

const ProbeEvery = probeEvery
