package attacks

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// dripEvery is how often an attacker sends a little more.
const dripEvery = 200 * time.Millisecond

// creep opens a connection, begins a request and goes on a little at a time
// until the server ends it, or for so long; it returns how long that took. It
// counts what it sent: a machine that stands still for a while does not count.
func (s *server) creep(begin, drip string, most time.Duration) (held time.Duration) {
	nc, err := s.dial()
	if err != nil {
		return 0
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, nc)
	}()
	defer func() {
		nc.Close()
		<-ended
	}()
	tick := time.NewTicker(dripEvery)
	defer tick.Stop()
	for next := begin; held < most; next = drip {
		if _, err := io.WriteString(nc, next); err != nil {
			return held
		}
		select {
		case <-tick.C:
			held += dripEvery
		case <-ended:
			return held
		}
	}
	return held
}

// Requests that come a byte at a time, in their headers or in a body that might
// prove its sender, hold their connections for seconds, and nobody else.
func TestSlowloris(t *testing.T) {
	s := serve(t)
	const (
		each   = 1000
		within = 8 * time.Second
		head   = "POST " + webhookPath + " HTTP/1.1\r\nHost: x\r\n"
	)
	ways := []struct{ begin, drip string }{
		{head, "X-A: b\r\n"},
		{head + "Content-Length: 1000\r\nX-Shiprocket-Signature: " + strings.Repeat("0", 64) + "\r\n\r\n", "x"},
	}
	st := s.stream(20 * time.Millisecond)
	var (
		under   sync.WaitGroup
		mu      sync.Mutex
		longest time.Duration
	)
	for n := range each * len(ways) {
		under.Go(func() {
			way := ways[n%len(ways)]
			held := s.creep(way.begin, way.drip, 2*within)
			mu.Lock()
			defer mu.Unlock()
			longest = max(longest, held)
		})
	}
	under.Wait()
	st.end()
	if longest > within {
		t.Errorf("one held its connection for %s", longest)
	}
	report(t, "slowloris", fmt.Sprintf("%d connections that creep in their headers, %d in a body, a little every %s", each, each, dripEvery),
		fmt.Sprintf("all cut, the last after %s", longest), st.undisturbed(t))
}

// hoard opens connections and keeps them; each has said what it is to say.
func (s *server) hoard(count int, say string) (held []net.Conn) {
	var (
		under sync.WaitGroup
		mu    sync.Mutex
	)
	for c := range 16 {
		under.Go(func() {
			for n := c; n < count; n += 16 {
				nc, err := s.dial()
				if err == nil && say != "" {
					_, err = io.WriteString(nc, say)
				}
				mu.Lock()
				if nc != nil {
					held = append(held, nc)
				}
				mu.Unlock()
				_ = err // the server may have closed it: so much the better
			}
		})
	}
	under.Wait()
	return held
}

func release(held []net.Conn) {
	for _, nc := range held {
		nc.Close()
	}
}

// memory is what the process has in memory, in megabytes.
func (s *server) memory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.run.Pid()))
	if err != nil {
		return 0
	}
	var size, resident int
	_, _ = fmt.Sscan(string(text), &size, &resident)
	return resident * os.Getpagesize() >> 20
}

// Connections that do nothing make room for those that do.
func TestIdleConnections(t *testing.T) {
	s := serve(t)
	count := min(10_000, openFiles(t)-1000)
	if count < 10_000 {
		t.Logf("this process may open %d files, so %d connections are tried", openFiles(t), count)
	}
	st := s.stream(20 * time.Millisecond)
	defer release(s.hoard(count/2, "")) // never say a word
	// Ask once, and stay.
	defer release(s.hoard(count-count/2, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
	during := s.memory()
	st.goesOn(100)
	var newcomers int
	for range 100 {
		if s.raw("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == 200 {
			newcomers++
		}
	}
	st.end()
	if newcomers != 100 {
		t.Errorf("%d of 100 newcomers were heard", newcomers)
	}
	if during > 400 {
		t.Errorf("the server has %d MB in memory", during)
	}
	report(t, "idle connections", fmt.Sprintf("%d connections, half of them mute", count),
		fmt.Sprintf("100 of 100 newcomers heard; %d MB in memory", during), st.undisturbed(t))
}

// With hardly any files to open, hoards of watchers, idle connections and large
// announcements keep no push out.
func TestFewFiles(t *testing.T) {
	s := serveIn(t, t.TempDir(), []string{"sh", "-c", `ulimit -n 512; exec "$@"`, "sh"}, "SOKETI_APP_ID=x", "SOKETI_APP_KEY=key", "SOKETI_APP_SECRET=secret")
	st := s.stream(20 * time.Millisecond)
	const watcher = "GET /app/key?protocol=7 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	const announcer = "POST " + webhookPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nX-Shiprocket-Signature: 0000000000000000000000000000000000000000000000000000000000000000\r\n\r\n"
	for range 3 {
		defer release(s.hoard(500, watcher))
		defer release(s.hoard(500, ""))
		defer release(s.hoard(500, announcer))
	}
	st.goesOn(50)
	st.end()
	if said := s.out.String(); strings.Contains(said, "too many open files") {
		t.Error("the server ran out of files")
	}
	report(t, "hoards with 512 files", "1,500 watchers, 1,500 idle connections, 1,500 announced megabytes",
		fmt.Sprintf("files never ran out; %d MB in memory", s.memory()), st.undisturbed(t))
}
