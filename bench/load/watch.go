package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// WatchOptions say where to listen. URL, Key and Channel are required.
type WatchOptions struct {
	URL     string // base address of the realtime server, http://…
	Key     string
	Channel string
	// AuthURL and AdminToken get a private channel's signature.
	AuthURL, AdminToken string
}

// A Watcher is one subscriber of one channel that carries shipment-update
// events (Pusher protocol 7).
type Watcher struct {
	nc       net.Conn
	in       *bufio.Reader
	follower atomic.Pointer[func(awb string, version int, at time.Time)]
	broken   chan struct{} // closed when nothing more will come; err tells why
	err      error
}

// Watch subscribes, and returns once the subscription holds.
func Watch(ctx context.Context, o WatchOptions) (*Watcher, error) {
	address := "ws" + strings.TrimPrefix(strings.TrimRight(o.URL, "/"), "http") + "/app/" + o.Key + "?protocol=7&client=waybill-bench&version=1.0.0"
	nc, in, _, err := ws.Dialer{Timeout: 10 * time.Second}.Dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connect the watcher: %w", err)
	}
	w := &Watcher{nc: nc, in: bufio.NewReaderSize(nc, 64<<10), broken: make(chan struct{})}
	if in != nil { // what came with the handshake
		early, _ := in.Peek(in.Buffered())
		w.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), nc), 64<<10)
	}
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := w.subscribe(ctx, o); err != nil {
		_ = nc.Close()
		return nil, err
	}
	_ = nc.SetReadDeadline(time.Time{})
	go w.read()
	return w, nil
}

// Close ends the subscription and waits for the reader.
func (w *Watcher) Close() {
	_ = w.nc.Close()
	<-w.broken
}

func (w *Watcher) follow(f func(awb string, version int, at time.Time)) {
	if f == nil {
		w.follower.Store(nil)
		return
	}
	w.follower.Store(&f)
}

type frame struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// await reads until an event of the name, and returns its data.
func (w *Watcher) await(event string) ([]byte, error) {
	for {
		payload, err := w.message()
		if err != nil {
			return nil, fmt.Errorf("wait for %s: %w", event, err)
		}
		var f frame
		if err := json.Unmarshal(payload, &f); err != nil {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		switch f.Event {
		case event:
			var text string
			if json.Unmarshal(f.Data, &text) == nil {
				return []byte(text), nil
			}
			return f.Data, nil
		case "pusher:error", "pusher:subscription_error":
			return nil, fmt.Errorf("the realtime server says %s", f.Data)
		}
	}
}

func (w *Watcher) subscribe(ctx context.Context, o WatchOptions) error {
	hello, err := w.await("pusher:connection_established")
	if err != nil {
		return err
	}
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal(hello, &established); err != nil {
		return fmt.Errorf("read the handshake: %w", err)
	}
	data := map[string]string{"channel": o.Channel}
	if strings.HasPrefix(o.Channel, "private-") {
		if data["auth"], err = authorize(ctx, o, established.SocketID); err != nil {
			return err
		}
	}
	text, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
	if err != nil {
		return err
	}
	if err := w.send(text); err != nil {
		return err
	}
	_, err = w.await("pusher_internal:subscription_succeeded")
	return err
}

func authorize(ctx context.Context, o WatchOptions, socketID string) (string, error) {
	form := url.Values{"socket_id": {socketID}, "channel_name": {o.Channel}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.AuthURL, strings.NewReader(form))
	if err != nil {
		return "", fmt.Errorf("authorize the channel: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+o.AdminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("authorize the channel: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		Auth string `json:"auth"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Auth == "" {
		return "", fmt.Errorf("authorize the channel: answered %d", res.StatusCode)
	}
	return answer.Auth, nil
}

func (w *Watcher) send(text []byte) error {
	if err := ws.WriteFrame(w.nc, ws.MaskFrame(ws.NewTextFrame(text))); err != nil {
		return fmt.Errorf("write to the realtime server: %w", err)
	}
	return nil
}

var errClosed = errors.New("the realtime server closed the connection")

// message reads the next text message; control frames are answered.
func (w *Watcher) message() ([]byte, error) {
	for {
		h, err := ws.ReadHeader(w.in)
		if err != nil {
			return nil, err
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(w.in, payload); err != nil {
			return nil, err
		}
		switch h.OpCode {
		case ws.OpText:
			return payload, nil
		case ws.OpPing:
			if err := ws.WriteFrame(w.nc, ws.MaskFrame(ws.NewPongFrame(payload))); err != nil {
				return nil, err
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return nil, fmt.Errorf("%w: %d %s", errClosed, code, reason)
		}
	}
}

func (w *Watcher) read() {
	defer close(w.broken)
	for {
		payload, err := w.message()
		if err != nil {
			w.err = err
			return
		}
		if bytes.Contains(payload, []byte(`"pusher:ping"`)) {
			if err := w.send([]byte(`{"event":"pusher:pong","data":{}}`)); err != nil {
				w.err = err
				return
			}
			continue
		}
		follow := w.follower.Load()
		if follow == nil || !bytes.Contains(payload, []byte(`"shipment-update"`)) {
			continue
		}
		at := time.Now()
		version, err := strconv.Atoi(string(field(payload, `version\":`)))
		if err == nil {
			(*follow)(string(field(payload, `awbCode\":\"`)), version, at)
		}
	}
}

// field is the run of digits behind a name in an event's data, which is JSON
// inside a JSON string. Parsing it twice would cost more than the rest of the
// watcher.
func field(payload []byte, name string) []byte {
	_, rest, _ := bytes.Cut(payload, []byte(name))
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	return rest[:n]
}
