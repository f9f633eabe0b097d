package bus_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/bus"
	"github.com/webazaar/waybill/internal/bus/bustest"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// watched is a cluster that can say how it is.
type watched interface {
	pusher.Cluster
	Health() bus.Health
}

// each runs test with both kinds: open makes a node at the address, which for Redis
// ends with the app.
func each(t *testing.T, test func(t *testing.T, address, port string, open func(address string, log *slog.Logger) (watched, *bustest.Recorder))) {
	t.Helper()
	started := func(t *testing.T, n watched, err error) (watched, *bustest.Recorder) {
		t.Helper()
		r := bustest.NewRecorder()
		if err == nil {
			err = n.Open(t.Context(), ulid.Make().String(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Close() })
		return n, r
	}
	const lease = 2 * time.Second
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		address := redisURL(t)
		app := redisApp(t, address)
		test(t, address+"#"+app, "6379", func(address string, log *slog.Logger) (watched, *bustest.Recorder) {
			n, err := bus.NewRedis(bus.RedisOptions{URL: address, Prefix: "waybill_test", App: app, Lease: lease, Logger: log})
			return started(t, n, err)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, postgresURL(t), "5432", func(address string, log *slog.Logger) (watched, *bustest.Recorder) {
			n, err := bus.NewPostgres(bus.PostgresOptions{URL: address, Lease: lease, Logger: log})
			return started(t, n, err)
		})
	})
}

// poll asks until it holds.
func poll(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestHealthSaysWhetherTheLinkIsUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, address, port string, open func(string, *slog.Logger) (watched, *bustest.Recorder)) {
		through, cable := cabled(t, address, port)
		before := time.Now()
		n, _ := open(through, nil)
		up := n.Health()
		if up.Err != nil || up.Since.Before(before) || up.Since.After(time.Now()) {
			t.Errorf("just opened: %+v", up)
		}
		cable.Cut()
		poll(t, "it is down", func() bool { return n.Health().Err != nil })
		down := n.Health()
		if !down.Since.After(up.Since) {
			t.Errorf("down since %v, up since %v", down.Since, up.Since)
		}
		cable.Mend()
		poll(t, "it is up again", func() bool { return n.Health().Err == nil })
		if again := n.Health(); !again.Since.After(down.Since) {
			t.Errorf("up again since %v, down since %v", again.Since, down.Since)
		}
	})
}

// Names of channels and users can be secrets, and so are passwords.
func TestNothingSecretIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, address, port string, open func(string, *slog.Logger) (watched, *bustest.Recorder)) {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		var out lockedBuffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		through, cable := cabled(t, u.String(), port)
		n, _ := open(through, log)
		other, r := open(address, log)
		fail := func(err error) {
			if err != nil {
				_, _ = out.Write([]byte(err.Error() + "\n"))
			}
		}
		use := func() {
			ctx := t.Context()
			fail(n.Follow(ctx, "secret-channel"))
			fail(n.Publish(ctx, []pusher.Message{{Channel: "secret-channel", Event: "secret-event", Data: []byte("secret-data")}}))
			_, _, err := n.Seats(ctx, map[string]int{"secret-channel": 1})
			fail(err)
			_, _, err = n.Enter(ctx, "secret-channel", pusher.Member{User: "secret-user", Info: []byte("secret-info")}, 0)
			fail(err)
			fail(n.Remember(ctx, pusher.Message{Channel: "secret-channel"}, time.Minute))
		}
		use()
		cable.Cut()
		use()
		poll(t, "it departed", func() bool { return len(r.Departures()) > 0 })
		cable.Mend()
		poll(t, "it is up again", func() bool { return n.Health().Err == nil })
		use()
		_ = other.Close()
		text := out.String()
		if strings.Contains(text, "secret") {
			t.Errorf("something secret was told:\n%s", text)
		}
		for _, word := range []string{"bus.down", "bus.up", "bus.departed", "bus.forgotten"} {
			if !strings.Contains(text, word) {
				t.Errorf("%s was not told", word)
			}
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestPasswordsStayOutOfErrors(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	check := func(what string, err error) {
		t.Helper()
		if err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, address := range []string{"redis://:hunter2@host:port", "hunter2://x", "redis://u:hunter2@host/hunter2", "://hunter2", "redis://u:hunter2@h/0?dial_timeout=hunter2"} {
		_, err := bus.NewRedis(bus.RedisOptions{URL: address, App: "a"})
		check("redis", err)
	}
	_, err := bus.NewPostgres(bus.PostgresOptions{URL: "postgres://u:hunter2@host:port/db"})
	check("postgres", err)

	closed := httptest.NewServer(nil)
	host := closed.Listener.Addr().String()
	closed.Close()
	r, err := bus.NewRedis(bus.RedisOptions{URL: "redis://u:hunter2@" + host, App: "a"})
	if err != nil {
		t.Fatal(err)
	}
	check("open redis", r.Open(t.Context(), "n", bustest.NewRecorder()))
	p, err := bus.NewPostgres(bus.PostgresOptions{URL: "postgres://u:hunter2@" + host + "/db"})
	if err != nil {
		t.Fatal(err)
	}
	check("open postgres", p.Open(t.Context(), "n", bustest.NewRecorder()))
}

// A server that lost what it had in memory: Redis started anew, the unlogged tables
// of PostgreSQL after a crash.
func TestForgottenByAServerThatLostAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, address, _ string, open func(string, *slog.Logger) (watched, *bustest.Recorder)) {
		n, r := open(address, nil)
		if _, _, err := n.Seats(t.Context(), map[string]int{"x": 1}); err != nil {
			t.Fatal(err)
		}
		lose(t, address)
		if _, _, err := n.Enter(t.Context(), "early", pusher.Member{User: "u"}, 0); err == nil && r.Forgets() == 0 {
			t.Error("entered without a lease")
		}
		r.AwaitForgotten(t, 1)
		occupied, _, err := n.Seats(t.Context(), map[string]int{"x": 1})
		if err != nil || len(occupied) != 1 {
			t.Errorf("seats put in again: occupied %d, %v", len(occupied), err)
		}
		if members, first, err := n.Enter(t.Context(), "p", pusher.Member{User: "u"}, 0); err != nil || !first || len(members) != 1 {
			t.Errorf("entered again: %d members, first %v, %v", len(members), first, err)
		}
		if r.Forgets() != 1 || r.Gaps() != 0 {
			t.Errorf("forgotten %d times, %d gaps", r.Forgets(), r.Gaps())
		}
	})
}

// lose takes away all that the cluster keeps.
func lose(t *testing.T, address string) {
	t.Helper()
	if strings.HasPrefix(address, "postgres") {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(t.Context(), `TRUNCATE live_nodes, live_seats, live_members, live_occupied, live_last`); err != nil {
			t.Fatal(err)
		}
		return
	}
	c, err := redisClient(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range redisKeys(t, c, "{waybill_test:"+u.Fragment+"}*") {
		if _, err := c.Do("DEL", key); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRedisAppsAreApart(t *testing.T) {
	t.Parallel()
	address := redisURL(t)
	var nodes [2]*bus.Redis
	var told [2]*bustest.Recorder
	for i := range nodes {
		n, err := bus.NewRedis(bus.RedisOptions{URL: address, Prefix: "waybill_test", App: redisApp(t, address)})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i], told[i] = n, bustest.NewRecorder()
	}
	apart(t, nodes[0], nodes[1], told[0], told[1])
}

func TestPostgresSchemasAreApart(t *testing.T) {
	t.Parallel()
	var nodes [2]*bus.Postgres
	var told [2]*bustest.Recorder
	migrated := storetest.Postgres(t) // one of them by the store itself
	migrated.Open(t)
	for i, address := range []string{migrated.Options.URL, postgresURL(t)} {
		n, err := bus.NewPostgres(bus.PostgresOptions{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i], told[i] = n, bustest.NewRecorder()
	}
	apart(t, nodes[0], nodes[1], told[0], told[1])
}

func apart(t *testing.T, a, b pusher.Cluster, toA, toB *bustest.Recorder) {
	t.Helper()
	ctx := t.Context()
	for n, r := range map[pusher.Cluster]*bustest.Recorder{a: toA, b: toB} {
		if err := n.Open(ctx, "same-name", r); err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		if err := n.Follow(ctx, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []pusher.Cluster{a, b} {
		if occupied, _, err := n.Seats(ctx, map[string]int{"x": 1}); err != nil || len(occupied) != 1 {
			t.Errorf("seats: occupied %d, %v", len(occupied), err)
		}
		if err := n.Publish(ctx, []pusher.Message{{Channel: "x", Event: "e"}}); err != nil {
			t.Fatal(err)
		}
	}
	toA.AwaitMessages(t, "x", 1)
	toB.AwaitMessages(t, "x", 1)
	if n := len(toA.Messages("x")) + len(toB.Messages("x")); n != 2 {
		t.Errorf("%d messages, want each its own", n)
	}
}

// As a hosted Redis is reached: by TLS, as a user who may touch nothing but these
// keys and channels.
func TestRedisWithTLSAndAUser(t *testing.T) {
	t.Parallel()
	address := redisURL(t)
	app := redisApp(t, address)
	c, err := redisClient(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	user := "waybill_test_" + ulid.Make().String()
	if _, err := c.Do("ACL", "SETUSER", user, "on", ">p@ss/word", "+@all", "-@admin",
		"~{waybill_test:"+app+"}*", "&{waybill_test:"+app+"}*"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Do("ACL", "DELUSER", user) })

	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.Host, u.User = "rediss", tlsInFront(t, u.Host), url.UserPassword(user, "p@ss/word")
	u.RawQuery = "skip_verify=true" // the certificate is a test's
	n, err := bus.NewRedis(bus.RedisOptions{URL: u.String(), Prefix: "waybill_test", App: app})
	if err != nil {
		t.Fatal(err)
	}
	r := bustest.NewRecorder()
	if err := n.Open(t.Context(), "n", r); err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Follow(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := n.Publish(t.Context(), []pusher.Message{{Channel: "x", Event: "e"}}); err != nil {
		t.Fatal(err)
	}
	r.AwaitMessages(t, "x", 1)
	if _, first, err := n.Enter(t.Context(), "p", pusher.Member{User: "u"}, 0); err != nil || !first {
		t.Errorf("enter: %v, %v", first, err)
	}
}

// tlsInFront serves TLS before a plain address.
func tlsInFront(t *testing.T, target string) string {
	t.Helper()
	if _, _, err := net.SplitHostPort(target); err != nil {
		target += ":6379"
	}
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS() // for its certificate
	certificates := s.TLS.Certificates
	s.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				far, err := net.Dial("tcp", target)
				if err != nil {
					_ = near.Close()
					return
				}
				running.Go(func() {
					_, _ = io.Copy(near, far)
					_ = near.Close()
				})
				_, _ = io.Copy(far, near)
				_ = far.Close()
			})
		}
	})
	return l.Addr().String()
}
