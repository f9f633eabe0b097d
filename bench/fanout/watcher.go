package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

// A watcher is one connection, cheap while it waits: it has no buffer then but
// for what is unfinished, and a stack of its own once it listens.
type watcher struct {
	nc  *net.TCPConn
	raw syscall.RawConn

	// Only the reader's.
	rest       []byte // the beginning of a message that has not come whole
	upgraded   bool
	welcomed   bool
	subscribed int // subscriptions that were confirmed
	fault      error

	tally atomic.Pointer[tally]
	place int // in the crowd, and so in its tally

	// When it no longer listens: the server's close code, 0 if it did not say one,
	// and when that came.
	code   ws.StatusCode
	closed time.Time
}

// chunks are read into. Large ones spare the generator calls when much comes.
var chunks = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// read waits until something comes and handles it.
func (w *watcher) read() error {
	var failed error
	err := w.raw.Read(func(fd uintptr) bool {
		chunk := chunks.Get().(*[64 << 10]byte) //nolint:forcetypeassert // nothing else is put there
		defer chunks.Put(chunk)
		n, err := syscall.Read(int(fd), chunk[:])
		switch {
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
			return false
		case err != nil:
			failed = err
		case n == 0:
			failed = io.EOF
		default:
			w.feed(chunk[:n], time.Now())
			failed = w.fault
		}
		return true
	})
	return errors.Join(err, failed)
}

// feed handles what came: the answer to the upgrade first, frames from then on.
func (w *watcher) feed(in []byte, at time.Time) {
	more := len(w.rest) > 0
	if more {
		w.rest = append(w.rest, in...)
		in = w.rest
	}
	switch used := w.parse(in, at); {
	case used == len(in):
		w.rest = nil
	case used > 0 || !more:
		w.rest = append(w.rest[:0], in[used:]...)
	}
}

// parse handles the whole messages at the beginning, and returns their length.
func (w *watcher) parse(in []byte, at time.Time) (used int) {
	if !w.upgraded {
		end := bytes.Index(in, []byte("\r\n\r\n"))
		if end < 0 {
			return 0
		}
		if !bytes.HasPrefix(in, []byte("HTTP/1.1 101 ")) {
			line, _, _ := bytes.Cut(in, []byte("\r\n"))
			w.fault = fmt.Errorf("the server did not upgrade: %s", line)
			return 0
		}
		w.upgraded, used = true, end+4
	}
	for w.fault == nil {
		op, payload, size := frame(in[used:])
		if size == 0 {
			return used
		}
		used += size
		w.message(op, payload, at)
	}
	return used
}

// frame is the frame at the beginning and its size; 0 if it is not there whole.
// Servers neither mask nor, here, fragment.
func frame(in []byte) (op ws.OpCode, payload []byte, size int) {
	if len(in) < 2 {
		return 0, nil, 0
	}
	head, length := 2, int(in[1])
	switch length {
	case 126:
		if head = 4; len(in) < head {
			return 0, nil, 0
		}
		length = int(in[2])<<8 | int(in[3])
	case 127:
		if head = 10; len(in) < head {
			return 0, nil, 0
		}
		length = 0
		for _, b := range in[2:10] {
			length = length<<8 | int(b)
		}
	}
	if len(in) < head+length {
		return 0, nil, 0
	}
	return ws.OpCode(in[0] & 0x0f), in[head : head+length], head + length
}

// Beginnings of what is told apart. Both servers write the event's name first; if
// one no longer did, its events would count as lost.
var (
	eventStart       = []byte(`{"event":"` + eventName + `"`)
	numberStart      = []byte(`\"n\":`)
	establishedStart = []byte(`{"event":"pusher:connection_established"`)
	subscribedStart  = []byte(`{"event":"pusher_internal:subscription_succeeded"`)
	pingStart        = []byte(`{"event":"pusher:ping"`)
)

func (w *watcher) message(op ws.OpCode, payload []byte, at time.Time) {
	switch {
	case op == ws.OpClose:
		w.code, _ = ws.ParseCloseFrameData(payload)
		w.closed = at
		_ = w.send(ws.NewCloseFrame(bytes.Clone(payload[:min(2, len(payload))])))
	case op == ws.OpPing:
		_ = w.send(ws.NewPongFrame(bytes.Clone(payload)))
	case op != ws.OpText:
		w.fault = fmt.Errorf("a frame with opcode %d", op)
	case bytes.HasPrefix(payload, eventStart):
		if t := w.tally.Load(); t != nil {
			t.received(w.place, number(payload), at)
		}
	case bytes.HasPrefix(payload, establishedStart):
		w.welcomed = true
	case bytes.HasPrefix(payload, subscribedStart):
		w.subscribed++
	case bytes.HasPrefix(payload, pingStart):
		_ = w.say(`{"event":"pusher:pong","data":{}}`)
	default:
		w.fault = fmt.Errorf("the server says %.200s", payload)
	}
}

// number is what the event's data says it is the how manieth; -1 if it says nothing.
func number(payload []byte) int {
	begin := bytes.Index(payload[:min(len(payload), 256)], numberStart)
	if begin < 0 {
		return -1
	}
	n := 0
	for _, b := range payload[begin+len(numberStart):] {
		if b < '0' || b > '9' {
			break
		}
		n = n*10 + int(b-'0')
	}
	return n
}

func (w *watcher) say(text string) error { return w.send(ws.NewTextFrame([]byte(text))) }

func (w *watcher) send(f ws.Frame) error { return ws.WriteFrame(w.nc, ws.MaskFrameInPlace(f)) }

// await reads until something has happened.
func (w *watcher) await(what string, happened func() bool) error {
	_ = w.nc.SetReadDeadline(time.Now().Add(answerWithin))
	for !happened() {
		if err := w.read(); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if w.code != 0 {
			return fmt.Errorf("wait for %s: closed with %d", what, w.code)
		}
	}
	return w.nc.SetReadDeadline(time.Time{})
}

func (w *watcher) welcome(addr string) error {
	_, err := io.WriteString(w.nc, "GET /app/"+appKey+"?protocol=7&client=waybill-fanout&version=1.0.0 HTTP/1.1\r\nHost: "+addr+
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return err
	}
	return w.await("the welcome", func() bool { return w.welcomed })
}

func (w *watcher) subscribe(channel string) error {
	if err := w.say(`{"event":"pusher:subscribe","data":{"auth":"","channel":` + strconv.Quote(channel) + `}}`); err != nil {
		return err
	}
	confirmed := w.subscribed + 1
	return w.await("a subscription", func() bool { return w.subscribed == confirmed })
}

// listen reads until the connection ends.
func (w *watcher) listen() {
	var err error
	for err == nil {
		if err = w.read(); w.code != 0 {
			err = fmt.Errorf("closed with %d", w.code)
		}
	}
	if w.closed.IsZero() {
		w.closed = time.Now()
	}
	w.nc.Close()
	if t := w.tally.Load(); t != nil {
		t.gone(err)
	}
}
