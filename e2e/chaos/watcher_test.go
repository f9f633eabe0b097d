package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// state is what a watcher believes of his order.
type state struct {
	Version int64
	Status  string // of the order: processing, shipped, delivered, cancelled
}

// A watcher does what the tracker's page does: it subscribes, reads the snapshot,
// drops what is older, reads again on a gap and after each new connection, and
// connects again as pusher-js does. It is told nothing at the end: what it holds
// then is what a buyer's screen would show.
type watcher struct {
	url, socket, key, order string // socket is where events come from
	from                    net.IP // its own address on this machine, since reads are limited by peer
	client                  *http.Client

	mu       sync.Mutex
	state    state
	live     bool // subscribed
	events   int
	gaps     int
	reads    int
	connects int
	went     map[int]int // close codes; 0 is a connection that broke
}

func newWatcher(url, socket, key, order string, n int) *watcher {
	w := &watcher{url: url, socket: socket, key: key, order: order, from: net.IPv4(127, 1, byte(n/250), byte(1+n%250)), went: map[int]int{}}
	w.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: w.dial, DisableKeepAlives: true}}
	return w
}

func (w *watcher) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: w.from}, Timeout: 5 * time.Second}
	return d.DialContext(ctx, network, addr)
}

// run watches until ctx is done.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		code, err := w.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		w.live = false
		w.went[code]++
		w.mu.Unlock()
		if err != nil && code/100 == 42 {
			continue // pusher-js connects again at once
		}
		pause(ctx, time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

type frame struct {
	Event   string
	Channel string
	Data    json.RawMessage
}

// watch is one connection, to its end; code is what it was closed with.
func (w *watcher) watch(ctx context.Context) (code int, err error) {
	address := "ws" + strings.TrimPrefix(w.socket, "http") + "/app/" + w.key + "?protocol=7&client=chaos&version=1.0.0"
	nc, early, _, err := ws.Dialer{Timeout: 10 * time.Second, NetDial: w.dial}.Dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })()
	defer nc.Close()
	var in io.Reader = nc
	if early != nil {
		some, _ := early.Peek(early.Buffered())
		in = io.MultiReader(bytes.NewReader(bytes.Clone(some)), nc)
	}
	br := bufio.NewReader(in)
	w.mu.Lock()
	w.connects++
	w.mu.Unlock()
	again := make(chan struct{}, 1) // the snapshot is to be read
	reading, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { w.refresh(reading, again) })
	defer reader.Wait()
	defer stop()
	for silent := false; ; silent = false {
		f, code, err := read(ctx, nc, br)
		for timeout(err) && !silent && ctx.Err() == nil {
			// A server that went without a word is found out by a ping.
			if err = send(nc, `{"event":"pusher:ping","data":{}}`); err == nil {
				silent = true
				f, code, err = read(ctx, nc, br)
			}
		}
		if err != nil {
			return code, err
		}
		switch f.Event {
		case "pusher:connection_established":
			err = send(nc, `{"event":"pusher:subscribe","data":{"auth":"","channel":"order-`+w.order+`"}}`)
		case "pusher:ping":
			err = send(nc, `{"event":"pusher:pong","data":{}}`)
		case "pusher:subscription_error":
			return 0, fmt.Errorf("refused: %s", f.Data)
		case "pusher_internal:subscription_succeeded":
			w.mu.Lock()
			w.live = true
			w.mu.Unlock()
			wake(again)
		case "tracking-update":
			if w.hear(f.Data) {
				wake(again)
			}
		}
		if err != nil {
			return 0, err
		}
	}
}

func timeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func wake(again chan<- struct{}) {
	select {
	case again <- struct{}{}:
	default:
	}
}

// hear takes an event, and says whether one is missing before it.
func (w *watcher) hear(data json.RawMessage) (gap bool) {
	var text string
	var e struct {
		Version     int64
		OrderStatus string
	}
	if json.Unmarshal(data, &text) != nil || json.Unmarshal([]byte(text), &e) != nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events++
	switch {
	case e.Version <= w.state.Version:
		return false
	case e.Version > w.state.Version+1:
		w.gaps++
		return true
	}
	w.state = state{e.Version, e.OrderStatus}
	return false
}

// refresh reads the snapshot whenever it is asked to, until it has it.
func (w *watcher) refresh(ctx context.Context, again <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		}
		for ctx.Err() == nil && w.snapshot(ctx) != nil {
			pause(ctx, 200*time.Millisecond+rand.N(300*time.Millisecond))
		}
	}
}

func (w *watcher) snapshot(ctx context.Context) error {
	now, err := fetch(ctx, w.client, w.url, w.order)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if now.Version > w.state.Version {
		w.state = now
	}
	return nil
}

// fetch reads an order's snapshot.
func fetch(ctx context.Context, client *http.Client, url, order string) (state, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/track/"+order, nil)
	if err != nil {
		return state{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return state{}, err
	}
	defer res.Body.Close()
	var answer struct {
		Success bool
		Data    struct {
			Version     int64
			OrderStatus string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || !answer.Success {
		return state{}, fmt.Errorf("answered %d, %w", res.StatusCode, err)
	}
	return state{answer.Data.Version, answer.Data.OrderStatus}, nil
}

func send(nc net.Conn, text string) error {
	_ = nc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return ws.WriteFrame(nc, ws.MaskFrame(ws.NewTextFrame([]byte(text))))
}

// read reads the next message; the code is that of a close frame.
func read(ctx context.Context, nc net.Conn, br *bufio.Reader) (frame, int, error) {
	for {
		_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if ctx.Err() != nil {
			return frame{}, 0, ctx.Err()
		}
		if _, err := br.Peek(1); err != nil { // a deadline here cuts no frame in two
			return frame{}, 0, err
		}
		h, err := ws.ReadHeader(br)
		if err != nil {
			return frame{}, 0, err
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(br, payload); err != nil {
			return frame{}, 0, err
		}
		switch h.OpCode {
		case ws.OpText:
			var f frame
			err := json.Unmarshal(payload, &f)
			return f, 0, err
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return frame{}, int(code), fmt.Errorf("closed: %d %s", code, reason)
		}
	}
}
