package pusher

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws/wsutil"
)

// A watcher that reads nothing is closed with 4100 once its bound is passed, and
// counted; its neighbour gets every event, and the publisher does not wait.
func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	const events = 100
	b := setup(t, func(o *Options) { o.QueueBytes, o.QueueMessages = 64<<20, events+100 })
	slow, quick := b.connect(t), b.connect(t)
	b.mu.Lock()
	for c := range b.conns {
		if c.id == slow.id { // only its bounds are small, the kernel's too
			c.limits = &limits{bytes: 128 << 10, messages: 4096, write: time.Minute} // to be read while it lingers
			if err := c.nc.(*net.TCPConn).SetWriteBuffer(16 << 10); err != nil {
				t.Error(err)
			}
		}
	}
	b.mu.Unlock()
	if err := slow.nc.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Error(err)
	}
	slow.subscribe("x")
	quick.subscribe("x")

	received := make(chan int)
	go func() {
		n := 0
		for ; n < events; n++ {
			if f, err := quick.read(); err != nil || f.Event != "e" {
				break
			}
		}
		received <- n
	}()
	data := strings.Repeat("d", 8<<10)
	for range events {
		b.publish(t, "x", "e", data)
	}
	// The slow one wakes up: what was under way, then the close, and no more.
	got := 0
	for {
		f, err := slow.read()
		if err == nil && f.Event == "e" {
			got++
			continue
		}
		var closed wsutil.ClosedError
		if !errors.As(err, &closed) || Code(closed.Code) != CodeOverCapacity {
			t.Fatalf("after %d events: %s, %v", got, f.Event, err)
		}
		break
	}
	if got >= events {
		t.Error("the slow watcher got all")
	}
	_ = slow.nc.Close()
	if n := <-received; n != events {
		t.Errorf("the neighbour got %d of %d", n, events)
	}
	quick.alive()
	b.observer.await(t, "overflow counted", func() bool { return len(b.observer.closed) == 1 && b.observer.closed[0] == CodeOverCapacity })
}

// A watcher that never reads again is cut off after the linger time, and its
// subscriptions are gone long before.
func TestWatcherThatNeverReadsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.QueueMessages = 10; o.WriteTimeout = time.Minute })
		c := b.pipe(t)
		c.establish()
		c.subscribe("x")
		start := time.Now()
		for range 20 {
			b.publish(t, "x", "e", "1")
		}
		synctest.Wait()
		if n := b.hub.count("x"); n != 0 {
			t.Errorf("%d still subscribed", n)
		}
		b.observer.await(t, "the end", func() bool { return len(b.observer.closed) == 1 })
		if d := time.Since(start); d != lingerTimeout {
			t.Errorf("gone after %v", d)
		}
	})
}

func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.WriteTimeout = 3 * time.Second })
		c := b.pipe(t)
		c.establish()
		c.subscribe("x")
		start := time.Now()
		b.publish(t, "x", "e", "1") // and nobody reads it
		b.observer.await(t, "the end", func() bool { return len(b.observer.closed) == 1 && b.observer.closed[0] == CodeAbnormal })
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("gone after %v", d)
		}
	})
}

func TestQueueBounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		limits
		frame int
		fits  int
	}{
		{"bytes", limits{bytes: 1000, messages: 1000, write: time.Minute}, 100, 10},
		{"messages", limits{bytes: 1 << 20, messages: 7, write: time.Minute}, 100, 7},
		{"one larger than all", limits{bytes: 99, messages: 7, write: time.Minute}, 100, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			q := &queue{nc: near, limits: &tt.limits}
			for i := range tt.fits {
				if err := q.push(make([]byte, tt.frame)); err != nil {
					t.Fatalf("frame %d: %v", i, err)
				}
			}
			if err := q.push(make([]byte, tt.frame)); !errors.Is(err, errOverflow) {
				t.Errorf("over the bound: %v", err)
			}
			// What is written counts no more.
			if _, err := io.CopyN(io.Discard, far, int64(tt.fits*tt.frame)); err != nil {
				t.Fatal(err)
			}
			q.writer.Wait()
			if q.bytes != 0 || q.messages != 0 || q.waiting != nil {
				t.Errorf("an idle queue keeps %d bytes, %d messages", q.bytes, q.messages)
			}
			q.seal(CodeNormal, []byte("end"), false)
			if err := q.push(nil); !errors.Is(err, errSealed) {
				t.Errorf("after the seal: %v", err)
			}
			if rest, err := io.ReadAll(far); string(rest) != "end" || err != nil {
				t.Errorf("last: %q, %v", rest, err)
			}
			q.writer.Wait()
		})
	}
}

// More frames than one writev takes, in order.
func TestQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	q := &queue{nc: near, limits: &limits{bytes: 1 << 20, messages: 5000, write: time.Minute}}
	var want strings.Builder
	for i := range 1000 {
		frame := strings.Repeat(string(rune('a'+i%26)), i%5+1)
		want.WriteString(frame)
		if err := q.push([]byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	q.seal(CodeNormal, []byte("."), false)
	got, err := io.ReadAll(far)
	if err != nil || string(got) != want.String()+"." {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len()+1, err)
	}
	q.writer.Wait()
}
