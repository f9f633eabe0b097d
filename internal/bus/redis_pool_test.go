package bus

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// What lies between may cut a connection that is silent, and only that one.
func TestRedisConnectionThatWasCutIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	address := os.Getenv("TEST_REDIS_URL")
	if address == "" {
		address = "redis://127.0.0.1:6379/0"
	}
	r, err := NewRedis(RedisOptions{URL: address, App: "a"})
	if err != nil {
		t.Fatal(err)
	}
	connect := func() redis.Conn {
		c, err := r.connect(context.Background())
		switch {
		case err != nil && os.Getenv("CI") == "":
			t.Skipf("no Redis to test on (TEST_REDIS_URL names one): %v", err)
		case err != nil:
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
	silent := now.Add(-2 * probeEvery)
	r.relinked.Store(&now)
	if err := r.stillThere(t.Context(), c, silent); err == nil {
		t.Error("a connection from before the link broke would be used")
	}
	r.relinked.Store(&time.Time{})
	if err := r.stillThere(t.Context(), c, silent); err != nil {
		t.Errorf("a connection that answers: %v", err)
	}
	if _, err := other.Do("CLIENT", "KILL", "ID", id); err != nil {
		t.Fatal(err)
	}
	if err := r.stillThere(t.Context(), c, silent); err == nil {
		t.Error("a connection that was cut would be used")
	}
}
