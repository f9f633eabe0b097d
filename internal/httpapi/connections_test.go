package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
)

// A place is a server on a port of its own with room for few connections.
type place struct {
	t     *testing.T
	addr  string
	conns *httpapi.Connections
}

func serveFew(t *testing.T, total int, log inbox.Log) (*house, *place) {
	t.Helper()
	h := setup(t, signing(log))
	conns := httpapi.NewConnections(total, slog.New(slog.NewTextHandler(h.lines, nil)))
	o := h.options
	o.Connections = conns
	server := httpapi.NewServer(httpapi.New(o), slog.New(slog.DiscardHandler))
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- conns.Serve(server, l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return h, &place{t, l.Addr().String(), conns}
}

// A caller is one connection of a client's.
type caller struct {
	t  *testing.T
	nc net.Conn
	in *bufio.Reader
}

func (p *place) call() *caller {
	p.t.Helper()
	nc, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
	return &caller{p.t, nc, bufio.NewReader(nc)}
}

// asks sends a request and returns the answer's status, 0 if there was none.
func (c *caller) asks(method, path, body string, headers ...string) int {
	c.t.Helper()
	fmt.Fprintf(c.nc, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n%s", method, path, len(body), strings.Join(append(headers, ""), "\r\n"), body)
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			c.t.Fatal(err)
		}
	}
	return res.StatusCode
}

func (c *caller) pushes(n int) int {
	c.t.Helper()
	return c.asks("POST", "/api/webhooks/courier", fmt.Sprintf(`{"awb":"%d","current_status":"IN TRANSIT","order_id":"%d"}`, n, n), "x-api-key: "+webhookToken)
}

func (c *caller) watches() int {
	c.t.Helper()
	return c.asks("GET", "/app/"+appKey+"?protocol=7", "", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
}

// closed waits for the server to close the connection.
func (c *caller) closed() bool {
	_, err := io.Copy(io.Discard, c.in)
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

// Whoever holds connections for nothing makes room for those who push.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	h, p := serveFew(t, 32, keepsAll{}) // 8 for requests
	sender := p.call()
	if got := sender.pushes(0); got != http.StatusOK {
		t.Fatalf("%d", got)
	}
	var idle []*caller
	for range 100 {
		idle = append(idle, p.call())
	}
	creeping := p.call()
	fmt.Fprint(creeping.nc, "POST /api/webhooks/courier HTTP/1.1\r\nHost: x\r\nX-Api-")
	for n := range 20 {
		if got := p.call().pushes(n + 1); got != http.StatusOK {
			t.Fatalf("a newcomer among idle connections: %d", got)
		}
		if got := sender.pushes(100 + n); got != http.StatusOK {
			t.Fatalf("the sender's connection of before: %d", got)
		}
	}
	for n, c := range append(idle, creeping) {
		if !c.closed() {
			t.Fatalf("idle connection %d is still open", n)
		}
	}
	counts := p.conns.Counts()
	if counts.Requests > 8 || counts.Shed < 100 || counts.Refused > 0 {
		t.Errorf("%+v", counts)
	}
	if l := h.lines.String(); strings.Count(l, "connections.full") != 1 || !strings.Contains(l, "ulimit -n") {
		t.Errorf("log:\n%s", l)
	}
}

// Room is made at the cost of the peer that holds the most, so that one who has
// few is not pushed out by a crowd of newcomers either.
func TestCrowdsMakeRoomFirst(t *testing.T) {
	t.Parallel()
	_, p := serveFew(t, 64, keepsAll{}) // 16 for requests
	sender := p.call()
	crowd := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range 200 {
		nc, err := crowd.DialContext(t.Context(), "tcp", p.addr)
		if err != nil {
			t.Skipf("this machine has one address of its own: %v", err)
		}
		defer nc.Close()
	}
	if got := p.call().asks("GET", "/healthz", ""); got != http.StatusOK { // all of the crowd is in
		t.Errorf("a newcomer: %d", got)
	}
	if got := sender.pushes(1); got != http.StatusOK {
		t.Errorf("one who has waited longer than all of the crowd: %d", got)
	}
}

// Where all connections are senders' who have proved themselves, one that rests
// goes before a newcomer does, the longest rested first.
func TestProvenConnectionsGoLast(t *testing.T) {
	t.Parallel()
	_, p := serveFew(t, 16, keepsAll{}) // 4 for requests
	var senders []*caller
	for n := range 4 {
		senders = append(senders, p.call())
		if got := senders[n].pushes(n); got != http.StatusOK {
			t.Fatalf("%d", got)
		}
	}
	if got := senders[0].pushes(10); got != http.StatusOK {
		t.Fatalf("%d", got)
	}
	for n := range 3 {
		if got := p.call().asks("GET", "/healthz", ""); got != http.StatusOK {
			t.Fatalf("newcomer %d: %d", n, got)
		}
	}
	if !senders[1].closed() {
		t.Error("the sender that rested longest is still there")
	}
	for _, n := range []int{0, 2, 3} {
		if got := senders[n].pushes(20 + n); got != http.StatusOK {
			t.Errorf("sender %d: %d", n, got)
		}
	}
}

// holding is a log that takes as long as it is told to.
type holding struct {
	inbox.Log
	reached chan struct{}
	letGo   chan struct{}
}

func (l *holding) Append(_ context.Context, w inbox.Webhook) (inbox.Appended, error) {
	l.reached <- struct{}{}
	<-l.letGo
	return inbox.Appended{EventID: w.EventID, Status: w.Status}, nil
}

// A push that is being kept is never broken off: then it is the newcomer who
// goes.
func TestPushesUnderWayStay(t *testing.T) {
	t.Parallel()
	log := &holding{reached: make(chan struct{}), letGo: make(chan struct{})}
	_, p := serveFew(t, 16, log) // 4 for requests
	answers := make(chan int)
	for n := range 4 {
		c := p.call()
		go func() { answers <- c.pushes(n) }()
		<-log.reached
	}
	for range 10 {
		nc, err := net.Dial("tcp", p.addr)
		if err != nil {
			continue // it was closed before it knew that it was open
		}
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		if c := (&caller{t, nc, bufio.NewReader(nc)}); !c.closed() {
			t.Error("a newcomer is taken in")
		}
		nc.Close()
	}
	close(log.letGo)
	for range 4 {
		if got := <-answers; got != http.StatusOK {
			t.Errorf("a push under way: %d", got)
		}
	}
	if c := p.conns.Counts(); c.Refused != 10 || c.Shed != 0 {
		t.Errorf("%+v", c)
	}
}

// Watchers and requests do not take each other's connections.
func TestWatchersLeaveRoomForPushes(t *testing.T) {
	t.Parallel()
	_, p := serveFew(t, 16, keepsAll{}) // 4 for requests, 12 for watchers
	answers := map[int]int{}
	for n := range 40 {
		answers[p.call().watches()]++
		if got := p.call().pushes(n); got != http.StatusOK {
			t.Fatalf("a push among %d watchers: %d", n, got)
		}
	}
	if answers[101] != 12 || answers[503] != 28 {
		t.Errorf("answers to watchers: %v", answers)
	}
	if c := p.conns.Counts(); c.Watchers != 12 || c.Requests > 4 {
		t.Errorf("%+v", c)
	}
}
