package pusher

import (
	"bufio"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// setupPipe is a server without a listener, for tests in a bubble of synthetic
// time, where a real socket would stop the clock.
func setupPipe(t *testing.T, change ...func(*Options)) *bundle {
	t.Helper()
	b := &bundle{observer: newTally()}
	o := Options{App: testApp, Observer: b.observer}
	for _, f := range change {
		f(&o)
	}
	var err error
	if b.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bundle) pipe(t *testing.T) *client {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	b.start(near, nil, nil)
	return &client{t: t, nc: patient{far}, br: bufio.NewReader(far)}
}

// patient lets a read take as long as it must, in a time that costs nothing.
type patient struct{ net.Conn }

func (patient) SetReadDeadline(time.Time) error { return nil }

func TestSilentClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		c := b.pipe(t)
		c.establish()
		start := time.Now()
		c.want(eventPing)
		if d := time.Since(start); d < 180*time.Second || d > 182*time.Second {
			t.Errorf("pinged after %v", d)
		}
		// It answers, by any frame, and has its time anew.
		c.send(`{"event":"pusher:pong","data":{}}`)
		start = time.Now()
		c.want(eventPing)
		if d := time.Since(start); d < 180*time.Second || d > 182*time.Second {
			t.Errorf("pinged again after %v", d)
		}
		// It does not answer.
		start = time.Now()
		c.wantClose(CodePongMissing)
		if d := time.Since(start); d < 30*time.Second || d > 32*time.Second {
			t.Errorf("closed after %v", d)
		}
		b.observer.await(t, "the end", func() bool { return len(b.observer.closed) == 1 && b.observer.closed[0] == CodePongMissing })
	})
}

// A client that talks is never pinged, and one that only listens is: being sent
// events is no sign of life.
func TestWhatCountsAsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		c := b.pipe(t)
		c.establish()
		c.subscribe("x")
		for range 10 {
			time.Sleep(2 * time.Minute)
			c.alive()
		}
		for range 17 {
			time.Sleep(10 * time.Second)
			b.publish(t, "x", "e", "1")
			c.want("e")
		}
		c.want(eventPing)
	})
}

// However the time-outs are set, the ping comes in time and the wheel holds no
// connection that is gone.
func TestHeartbeatSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ activity, pong time.Duration }{
		{time.Second, time.Second},
		{time.Second, time.Minute},
		{10 * time.Minute, 5 * time.Second},
		{20 * time.Millisecond, 20 * time.Millisecond},
	} {
		t.Run(tt.activity.String()+" "+tt.pong.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setupPipe(t, func(o *Options) { o.ActivityTimeout, o.PongTimeout = tt.activity, tt.pong })
				leaves := b.pipe(t)
				leaves.establish()
				c := b.pipe(t)
				c.establish()
				_ = leaves.nc.Close()
				synctest.Wait()
				if n := b.heartbeat.size(); n != 1 {
					t.Errorf("the wheel holds %d connections", n)
				}
				start := time.Now()
				c.want(eventPing)
				silence := tt.activity * 3 / 2
				if d := time.Since(start); d < silence || d > silence+2*b.heartbeat.tick {
					t.Errorf("pinged after %v", d)
				}
				start = time.Now()
				c.wantClose(CodePongMissing)
				if d := time.Since(start); d < tt.pong || d > tt.pong+2*b.heartbeat.tick {
					t.Errorf("closed after %v", d)
				}
				synctest.Wait()
				if n := b.heartbeat.size(); n != 0 {
					t.Errorf("the wheel holds %d connections", n)
				}
			})
		})
	}
}

func (h *heartbeat) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, slot := range h.slots {
		n += len(slot)
	}
	return n
}
