package bus_test

import (
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/webazaar/waybill/internal/bus"
)

// What lies between may cut a connection that is silent, and only that one.
func TestRedisConnectionThatWasCutIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	r, err := bus.NewRedis(bus.RedisOptions{URL: redisURL(t), App: "a"})
	if err != nil {
		t.Fatal(err)
	}
	connect := func() redis.Conn {
		c, err := r.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	c, other := connect(), connect()
	id, err := redis.Int64(c.Do("CLIENT", "ID"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	silent := now.Add(-2 * bus.ProbeEvery)
	r.Relinked(now)
	if err := r.StillThere(t.Context(), c, silent); err == nil {
		t.Error("a connection from before the link broke would be used")
	}
	r.Relinked(time.Time{})
	if err := r.StillThere(t.Context(), c, silent); err != nil {
		t.Errorf("a connection that answers: %v", err)
	}
	if _, err := other.Do("CLIENT", "KILL", "ID", id); err != nil {
		t.Fatal(err)
	}
	if err := r.StillThere(t.Context(), c, silent); err == nil {
		t.Error("a connection that was cut would be used")
	}
}
