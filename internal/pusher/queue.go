package pusher

import (
	"errors"
	"net"
	"sync"
	"time"
)

var (
	errOverflow = errors.New("watcher reads too slowly")
	errSealed   = errors.New("connection is closing")
)

// writevMax bounds the frames of one writev. The runtime keeps the vector with
// the socket for ever, so a large one would stay as idle memory.
const writevMax = 64

// limits are the bounds of a queue, shared by all connections of a server.
type limits struct {
	bytes, messages int
	write           time.Duration // for one write
}

// queue is the writing half of a connection: frames wait in it, bounded, and a
// writer goroutine lives while there are any. An idle queue owns no memory.
type queue struct {
	nc     net.Conn
	limits *limits

	mu       sync.Mutex
	waiting  *batch // what the writer has not taken yet; nil when nothing
	bytes    int    // of all frames not yet written, taken or not
	messages int
	writing  bool
	sealed   bool
	code     Code // what it was sealed with
	writer   sync.WaitGroup
}

type batch struct {
	frames [][]byte
	vector net.Buffers // what of frames is being written; here so that it needs no allocation
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) free() {
	if cap(b.frames) > 1024 {
		return
	}
	clear(b.frames)
	b.frames, b.vector = b.frames[:0], nil
	batches.Put(b)
}

// push adds a frame, which nobody may change afterwards, and never blocks. When
// the bounds are passed it adds nothing and returns errOverflow; after seal,
// errSealed.
func (q *queue) push(frame []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.sealed:
		return errSealed
	case q.bytes+len(frame) > q.limits.bytes || q.messages+1 > q.limits.messages:
		return errOverflow
	}
	q.add(frame)
	return nil
}

// add puts the frame into the waiting batch and sees to it that a writer lives.
func (q *queue) add(frame []byte) {
	if q.waiting == nil {
		q.waiting = batches.Get().(*batch)
	}
	q.waiting.frames = append(q.waiting.frames, frame)
	q.bytes += len(frame)
	q.messages++
	if !q.writing {
		q.writing = true
		q.writer.Add(1)
		go q.flush()
	}
}

// seal lets nothing more in; the first call counts. The last frame, if any, is
// written after all that waits, or instead of it; then the writing side of the
// socket is closed. The reader is woken, to see to the rest.
func (q *queue) seal(code Code, last []byte, instead bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sealed {
		return
	}
	q.sealed, q.code = true, code
	if instead && q.waiting != nil {
		q.waiting.free()
		q.waiting = nil
	}
	if last != nil {
		q.add(last)
	}
	// Under the lock: a reader that finds the queue sealed sets a deadline of its
	// own next, and this one must not come after it.
	_ = q.nc.SetReadDeadline(time.Unix(1, 0))
}

func (q *queue) isSealed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sealed
}

// flush is the writer: it writes until nothing waits. When a write fails the
// connection is of no more use.
func (q *queue) flush() {
	defer q.writer.Done()
	for {
		b, end := q.take()
		if end {
			closeWrite(q.nc)
		}
		if b == nil {
			return
		}
		err := q.write(b)
		b.free()
		if err != nil {
			q.seal(CodeAbnormal, nil, true)
			_ = q.nc.Close()
			return
		}
	}
}

// take hands the writer all that waits. When that is nothing the writer must end,
// and with end nothing more will ever come.
func (q *queue) take() (b *batch, end bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b, q.waiting = q.waiting, nil
	if b == nil {
		q.writing = false
	}
	return b, b == nil && q.sealed
}

func (q *queue) write(b *batch) error {
	for rest := b.frames; len(rest) > 0; {
		n := min(len(rest), writevMax)
		if err := q.nc.SetWriteDeadline(time.Now().Add(q.limits.write)); err != nil {
			return err
		}
		var written int64
		var err error
		if n == 1 {
			var w int
			w, err = q.nc.Write(rest[0])
			written = int64(w)
		} else {
			b.vector = rest[:n]
			written, err = b.vector.WriteTo(q.nc)
		}
		if err != nil {
			return err
		}
		rest = rest[n:]
		q.mu.Lock()
		q.bytes -= int(written)
		q.messages -= n
		q.mu.Unlock()
	}
	return nil
}

// closeWrite says that nothing more will come, and leaves the reading side open:
// closing a socket with unread input resets it, and the peer might never see the
// close frame.
func closeWrite(nc net.Conn) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	_ = nc.Close()
}
