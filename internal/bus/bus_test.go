package bus_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/bus"
	"github.com/webazaar/waybill/internal/bus/bustest"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/store/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(_ testing.TB, lease time.Duration) bustest.Cluster {
		nodes := pusher.NewMemoryClusters(16)
		return bustest.Cluster{Lease: lease, New: func(testing.TB) (pusher.Cluster, *bustest.Proxy) {
			n := nodes[0]
			nodes = nodes[1:]
			return n, nil
		}}
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()
	address := redisURL(t)
	bustest.Run(t, func(t testing.TB, lease time.Duration) bustest.Cluster {
		app := redisApp(t, address)
		return bustest.Cluster{Lease: lease, New: func(t testing.TB) (pusher.Cluster, *bustest.Proxy) {
			through, cable := cabled(t, address, "6379")
			n, err := bus.NewRedis(bus.RedisOptions{URL: through, Prefix: "waybill_test", App: app, Lease: lease, Logger: storetest.Logger(t)})
			if err != nil {
				t.Fatal(err)
			}
			return n, cable
		}}
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t testing.TB, lease time.Duration) bustest.Cluster {
		address := postgresURL(t)
		return bustest.Cluster{Lease: lease, New: func(t testing.TB) (pusher.Cluster, *bustest.Proxy) {
			through, cable := cabled(t, address, "5432")
			n, err := bus.NewPostgres(bus.PostgresOptions{URL: through, Lease: lease, Logger: storetest.Logger(t)})
			if err != nil {
				t.Fatal(err)
			}
			return n, cable
		}}
	})
}

// cabled is the URL by way of a cable.
func cabled(t testing.TB, address, port string) (string, *bustest.Proxy) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	host := u.Host
	if u.Port() == "" {
		host += ":" + port
	}
	cable := bustest.NewProxy(t, host)
	u.Host = cable.Address()
	return u.String(), cable
}

// postgresURL is the URL of a schema that goes when the test ends. It has the tables
// that the migration makes, and no others.
func postgresURL(t testing.TB) string {
	t.Helper()
	address := storetest.PostgresURL(t)
	tables, err := os.ReadFile("../store/migrations/postgres/0005_replicas.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), string(tables)); err != nil {
		t.Fatal(err)
	}
	return address
}

// redisServer is the Redis to test on, or why there is none.
var redisServer = sync.OnceValues(func() (string, error) {
	address := os.Getenv("TEST_REDIS_URL")
	if address == "" {
		address = "redis://127.0.0.1:6379/0"
	}
	c, err := redisClient(address)
	if err != nil {
		return "", err
	}
	return address, c.Close()
})

func redisClient(address string) (redis.Conn, error) { return redis.DialURL(address) }

func redisURL(t testing.TB) string {
	t.Helper()
	address, err := redisServer()
	if err != nil {
		why := fmt.Sprintf("no Redis to test on (TEST_REDIS_URL names one): %v", err)
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return address
}

// redisApp is an app whose keys go when the test ends, and all of which would have
// gone by themselves.
func redisApp(t testing.TB, address string) string {
	t.Helper()
	app := ulid.Make().String()
	t.Cleanup(func() {
		c, err := redisClient(address)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for _, key := range redisKeys(t, c, "{waybill_test:"+app+"}*") {
			if left, err := redis.Int64(c.Do("PTTL", key)); err != nil || left < 0 {
				t.Errorf("key %q stays for ever: %d, %v", key, left, err)
			}
			if _, err := c.Do("DEL", key); err != nil {
				t.Error(err)
			}
		}
	})
	return app
}

func redisKeys(t testing.TB, c redis.Conn, pattern string) []string {
	t.Helper()
	var keys []string
	for cursor := "0"; ; {
		var some []string
		page, err := redis.Values(c.Do("SCAN", cursor, "MATCH", pattern, "COUNT", 1000))
		if err == nil {
			_, err = redis.Scan(page, &cursor, &some)
		}
		if err != nil {
			t.Error(err)
			return keys
		}
		keys = append(keys, some...)
		if cursor == "0" {
			return keys
		}
	}
}
