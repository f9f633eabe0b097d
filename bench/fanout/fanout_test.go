package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/pusher"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve is a server of the app in this process.
func serve(t *testing.T) (*pusher.Server, string) {
	t.Helper()
	server, err := pusher.New(pusher.Options{App: pusher.App{ID: appID, Key: appKey, Secret: appSecret}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(func() {
		h.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, h.Listener.Addr().String()
}

func TestEveryWatcherCountsEveryEvent(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 5} {
		t.Run(fmt.Sprintf("%d in a request", batch), func(t *testing.T) {
			t.Parallel()
			everyEvent(t, batch)
		})
	}
}

func everyEvent(t *testing.T, batch int) {
	_, addr := serve(t)
	const watchers, most = 20, 50
	c, err := gather(t.Context(), addr, watchers)
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	pub := newPublisher(addr, eventBytes)
	defer pub.close()
	tl := newTally(watchers, most, 8)
	c.follow(tl)
	events, err := pub.asFast(t.Context(), tl, time.Minute, batch)
	if err := orVerdict(tl.wait(t.Context()), tl); err != nil {
		t.Error(err)
	}
	if err != nil || events != most {
		t.Fatalf("%d events, %v", events, err)
	}
	c.leave() // its readers have ended
	for i, next := range tl.next {
		if next != most {
			t.Errorf("watcher %d received %d events", i, next)
		}
	}
}

func TestWatchersSeeTheCloseCode(t *testing.T) {
	t.Parallel()
	server, addr := serve(t)
	c, err := gather(t.Context(), addr, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	if err := server.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.reading.Wait()
	for i, w := range c.watchers {
		if w.code != reconnect || w.closed.IsZero() {
			t.Errorf("watcher %d was closed with %d at %s", i, w.code, w.closed)
		}
	}
}

// What comes is the same wherever the network cuts it.
func TestMessagesAreReadWhereverTheyAreCut(t *testing.T) {
	t.Parallel()
	stream := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	say := func(text string) {
		stream = append(stream, ws.MustCompileFrame(ws.NewTextFrame([]byte(text)))...)
	}
	say(`{"event":"pusher:connection_established","data":"{}"}`)
	say(`{"event":"pusher_internal:subscription_succeeded","channel":"busy","data":"{}"}`)
	for n, size := range []int{1, 200, 70_000} { // a header of each length
		say(fmt.Sprintf(`{"event":"tracking-update","channel":"busy","data":"{\"n\":%d,\"text\":\"%s\"}"}`, n, strings.Repeat("x", size)))
	}
	for _, chunk := range []int{1, 2, 7, 100, 1000, len(stream)} {
		tl := newTally(1, 3, 0)
		w := &watcher{}
		w.tally.Store(tl)
		for n := range 3 {
			if err := tl.expect(t.Context(), n, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for rest := stream; len(rest) > 0; {
			n := min(chunk, len(rest))
			w.feed(rest[:n], time.Now())
			rest = rest[n:]
		}
		if err := tl.verdict(); err != nil || w.fault != nil || !w.welcomed || w.subscribed != 1 || len(w.rest) > 0 {
			t.Errorf("cut into pieces of %d: %v, %v, welcomed %t, subscribed %d, %d bytes left", chunk, err, w.fault, w.welcomed, w.subscribed, len(w.rest))
		}
	}
}

func TestWhatIsNotInOrderIsCounted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                 string
		events               []int
		lost, missing, extra int64
	}{
		{"all", []int{0, 1, 2, 3}, 0, 0, 0},
		{"one left out", []int{0, 2, 3}, 1, 0, 0},
		{"the last do not come", []int{0, 1}, 0, 2, 0},
		{"twice", []int{0, 1, 1, 2, 3}, 0, 0, 1},
		{"late", []int{0, 2, 1, 3}, 1, 0, 1},
		{"without a number", []int{0, 1, -1, 2, 3}, 0, 0, 1},
	} {
		tl := newTally(1, 4, 4)
		for n := range 4 {
			if err := tl.expect(t.Context(), n, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range c.events {
			tl.received(0, n, time.Now())
		}
		if lost, missing, extra := tl.lost.Load(), tl.missing.Load(), tl.extra.Load(); lost != c.lost || missing != c.missing || extra != c.extra {
			t.Errorf("%s: lost %d, missing %d, extra %d", c.name, lost, missing, extra)
		}
		if (tl.verdict() == nil) != (c.name == "all") {
			t.Errorf("%s: %v", c.name, tl.verdict())
		}
	}
}

func TestAFullWindowHoldsThePublisherUp(t *testing.T) {
	t.Parallel()
	tl := newTally(2, 3, 1)
	if err := tl.expect(t.Context(), 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	tl.received(0, 0, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tl.expect(ctx, 1, time.Now()); err == nil {
		t.Fatal("an event was let through that one watcher had not made room for")
	}
	tl.received(1, 0, time.Now())
	if err := tl.expect(t.Context(), 1, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestEventsHaveTheirSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{eventBytes, stalledBytes} {
		if got := len(`{"n":9999`) + len(newPublisher("x", size).rest); got != size {
			t.Errorf("%d bytes instead of %d", got, size)
		}
	}
}

func TestMostWithinAMoment(t *testing.T) {
	t.Parallel()
	var at []time.Time
	for _, ms := range []int{0, 10, 50, 100, 101, 260, 300} {
		at = append(at, time.UnixMilli(int64(ms)))
	}
	if most := crowdedMoment(at); most != 4 {
		t.Errorf("%d", most)
	}
}
