package pusher

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// crowdEnv makes the test binary a crowd of watchers in a process of its own, so
// that they do not count as the server's memory and processor time. Its value is
// "address count channel"; the crowd reads until its standard input is closed.
const crowdEnv = "PUSHER_TEST_CROWD"

func crowd() {
	fields := strings.Fields(os.Getenv(crowdEnv))
	n, _ := strconv.Atoi(fields[1])
	channel := ""
	if len(fields) > 2 {
		channel = fields[2]
	}
	var joined sync.WaitGroup
	slots := make(chan struct{}, 64)
	for range n {
		slots <- struct{}{}
		joined.Go(func() {
			defer func() { <-slots }()
			if err := join(fields[0], channel); err != nil {
				fmt.Fprintln(os.Stderr, "crowd:", err)
				os.Exit(1)
			}
		})
	}
	joined.Wait()
	fmt.Println("joined")
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// join connects one watcher, which from then on throws away all it gets.
func join(addr, channel string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(nc, "GET /app/"+testApp.Key+"?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"); err != nil {
		return err
	}
	br := bufio.NewReaderSize(nc, 512)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(res.Status)
	}
	frames := 1
	if channel != "" {
		frames = 2
		msg := []byte(`{"event":"pusher:subscribe","data":{"auth":"","channel":"` + channel + `"}}`)
		if err := ws.WriteFrame(nc, ws.MaskFrame(ws.NewTextFrame(msg))); err != nil {
			return err
		}
	}
	for range frames {
		h, err := ws.ReadHeader(br)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, br, h.Length); err != nil {
			return err
		}
	}
	go func() {
		defer nc.Close()
		buf := make([]byte, 16<<10)
		for {
			if _, err := nc.Read(buf); err != nil {
				return
			}
		}
	}()
	return nil
}

// invite starts a crowd and returns when all of it has joined. It leaves when told
// to, or when the test ends.
func (b *bundle) invite(t testing.TB, n int, channel string) (leave func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crowdEnv+"="+b.http.Listener.Addr().String()+" "+strconv.Itoa(n)+" "+channel)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	leave = sync.OnceFunc(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	t.Cleanup(leave)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "joined\n" {
		t.Fatalf("crowd said %q, %v", line, err)
	}
	return leave
}

// cpu is the processor time this process has used, in user and kernel.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// settle waits until the kernel has taken all that is queued.
func (b *bundle) settle() {
	for {
		waiting := 0
		b.mu.Lock()
		for c := range b.conns {
			c.queue.mu.Lock()
			waiting += c.messages
			c.queue.mu.Unlock()
		}
		b.mu.Unlock()
		if waiting == 0 {
			return
		}
		runtime.Gosched()
	}
}

var update = []byte(`{"orderId":"01JABCDEFGHJKMNPQRSTVWXYZ0","orderNumber":"1001","version":7,"timestamp":"2026-01-02T03:04:05Z","currentStatus":"IN TRANSIT","milestone":"in_transit","location":"Delhi","description":"Shipment in transit, next hub","trackingHistory":[{"status":"PICKED UP","timestamp":"2026-01-01T03:04:05Z","location":"Delhi"}]}`)

// BenchmarkPublish is one publish to a thousand watchers in another process, until
// the kernel has taken all frames. Bursts publish sixteen before they wait.
func BenchmarkPublish(b *testing.B) {
	for _, burst := range []int{1, 16} {
		b.Run(fmt.Sprintf("watchers=1000/burst=%d", burst), func(b *testing.B) {
			const watchers = 1000
			s := setup(b, func(o *Options) { o.Observer, o.Logger = nil, nil })
			s.invite(b, watchers, "busy")
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			used := cpu()
			b.ResetTimer()
			for b.Loop() {
				for range burst {
					if err := s.Publish(context.Background(), []string{"busy"}, "tracking-update", update, ""); err != nil {
						b.Fatal(err)
					}
				}
				s.settle()
			}
			b.StopTimer()
			runtime.ReadMemStats(&after)
			deliveries := float64(b.N * burst * watchers)
			b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(cpu()-used)/1e3/deliveries, "cpu-µs/delivery")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")
			if n := s.Stats().Connections; n != watchers {
				b.Fatalf("%d of %d watchers left", n, watchers)
			}
		})
	}
}

// BenchmarkQueue is the part of a publish that is ours alone: no sockets.
func BenchmarkQueue(b *testing.B) {
	const watchers = 1000
	var written atomic.Int64
	h := newHub()
	s := &Server{opts: Options{Observer: deaf{}}, limits: limits{bytes: 1 << 30, messages: 1 << 20, write: time.Minute}}
	for range watchers {
		c := &conn{server: s, id: "1.1"}
		c.queue.nc, c.queue.limits = sink{written: &written}, &s.limits
		st := &seat{conn: c}
		if wait, lead := h.join(st, "busy", nil); lead {
			h.followed("busy", wait, nil)
			h.join(st, "busy", nil)
		}
		c.writer.Wait()
	}
	b.ReportAllocs()
	for b.Loop() {
		written.Store(0)
		h.deliver(Message{Channel: "busy", Event: "tracking-update", Data: update})
		for written.Load() < watchers {
			runtime.Gosched()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/watchers, "ns/delivery")
}

type sink struct {
	net.Conn
	written *atomic.Int64
}

func (s sink) Write(p []byte) (int, error)      { s.written.Add(1); return len(p), nil }
func (s sink) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkCrowd joins many idle watchers to one channel and reports what each
// costs: processor time to join, and memory while idle.
func BenchmarkCrowd(b *testing.B) {
	const watchers = 9000 // a process may have 20,000 files here, and the crowd a few of its own
	for b.Loop() {
		s := setup(b, func(o *Options) { o.Observer, o.Logger = nil, nil })
		rss, heap := memory()
		used := cpu()
		leave := s.invite(b, watchers, "crowd")
		b.ReportMetric(float64(cpu()-used)/1e3/watchers, "cpu-µs/join")
		rssAfter, heapAfter := memory()
		b.ReportMetric(float64(rssAfter-rss)/1024/watchers, "rss-KB/conn")
		b.ReportMetric(float64(heapAfter-heap)/1024/watchers, "heap+stack-KB/conn")
		if n := s.hub.count("crowd"); n != watchers {
			b.Fatalf("%d of %d joined", n, watchers)
		}
		_ = s.Close()
		leave()
	}
}

// memory is what the process holds after the garbage is gone.
func memory() (rss, heap int64) {
	for range 3 {
		debug.FreeOSMemory() // collects, and gives back what the runtime would in minutes
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			pages, _ := strconv.ParseInt(f[1], 10, 64)
			rss = pages * int64(os.Getpagesize())
		}
	}
	return rss, int64(m.HeapAlloc + m.StackInuse)
}
