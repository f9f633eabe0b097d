package clients

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// long is longer than any pause of pusher-js before it tries again.
const long = 2500 * time.Millisecond

// On 4000 the client switches to TLS, and stays with it.
func TestPusherJSSwitchesToTLS(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.App.RequireTLS = true })
		secure := httptest.NewUnstartedServer(s.Server)
		secure.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(t.Output(), nil), slog.LevelDebug)
		secure.StartTLS()
		t.Cleanup(secure.Close)
		c := visit(t, kind, s.port, "alice", args{"tlsPort": portOf(t, secure)})
		c.connected()
		c.subscribe("orders")
	})
}

// A refused client gives up: it never tries again by itself.
func TestPusherJSGivesUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		code   int
		change func(*pusher.Options)
		more   args
	}{
		{"4001 unknown key", 4001, func(*pusher.Options) {}, args{"key": "nobody's"}},
		{"4003 disabled app", 4003, func(o *pusher.Options) { o.App.Disabled = true }, nil},
		{"4005 unknown path", 4005, func(*pusher.Options) {}, args{"wsPath": "/elsewhere"}},
		{"4009 not authorized in time", 4009, func(o *pusher.Options) { o.AuthorizeWithin = 500 * time.Millisecond }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachPusherJS(t, func(t *testing.T, kind string) {
				s := setup(t, c.change)
				w := visit(t, kind, s.port, "alice", c.more)
				w.error(c.code)
				w.await("the end", func(n news) bool { return n.State == "disconnected" })
				w.stays(long)
			})
		})
	}
}

func TestPusherJSGivesUpWhenItsUserIsEnded(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		c := visit(t, kind, s.port, "alice")
		c.connected()
		c.do("signin", nil)
		c.await("signed in", func(n news) bool { return n.SignedIn == "alice" })
		if err := s.TerminateUser(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		c.error(4009)
		c.await("the end", func(n news) bool { return n.State == "disconnected" })
		c.stays(long)
	})
}

// Over the app's quota, the client gives up for good, unlike over capacity.
func TestPusherJSGivesUpOverQuota(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.App.MaxConnections = 1 })
		visit(t, kind, s.port, "alice").connected()
		second := visit(t, kind, s.port, "bob")
		second.error(4004)
		second.await("the end", func(n news) bool { return n.State == "disconnected" })
		second.stays(long)
	})
}

// Over capacity, the client waits a second between its tries until there is room.
func TestPusherJSWaitsForRoom(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.MaxConnections = 1 })
		first := visit(t, kind, s.port, "alice")
		first.connected()
		second := visit(t, kind, s.port, "bob")
		last := second.error(4100).At
		for range 2 {
			at := second.error(4100).At
			if pause := at - last; pause < 900 {
				t.Errorf("it tried again after %.0f ms", pause)
			}
			last = at
		}
		first.do("disconnect", nil)
		second.connected()
	})
}

// A server that goes sends its clients away with 4200: they are at once at the one
// that took its place, and hear what is published there.
func TestPusherJSMovesAtOnce(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		c := visit(t, kind, s.port, "alice")
		c.connected()
		c.subscribe("private-orders")
		// The shortest of some, as any machine may stand still for a moment.
		shortest := math.MaxFloat64
		for range 3 {
			old := s.Server
			s.Server = s.replace(t)
			c.do("mark", nil)
			from := c.await("the mark", func(n news) bool { return n.Marked }).At
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			if err := old.Drain(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
			after := c.await("its return", func(n news) bool { return n.State == "connecting" }).At - from
			t.Logf("it came after %.0f ms", after)
			shortest = min(shortest, after)
			c.event("private-orders", "pusher:subscription_succeeded")
			s.publish(t, "private-orders", "update", "1")
			c.event("private-orders", "update")
		}
		if shortest >= 900 {
			t.Errorf("it came after %.0f ms and more", shortest)
		}
	})
}
