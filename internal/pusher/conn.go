package pusher

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/time/rate"
)

// lingerTimeout is how long a sealed connection may take to write what is left
// and to see the peer go.
const lingerTimeout = 5 * time.Second

// readBuffer holds most messages of a client, so that one read fetches a header
// and its payload. It is most of what an idle connection owns.
const readBuffer = 256

// conn is one watcher's connection.
type conn struct {
	queue
	server *Server
	id     string // the socket id
	opened time.Time

	// counted says that the connection was accepted; a refused one only lives to
	// be told why.
	counted bool

	// Only the reader's.
	seats    map[string]*seat // by channel
	identity *identity        // nil until the client signs in
	events   *rate.Limiter    // of client events; nil until it sends one
	head     [ws.MaxHeaderSize]byte
	payload  *[]byte // from payloads, while a message is read and handled

	authorized atomic.Bool // has shown a signature; see Options.AuthorizeWithin
	owed       atomic.Bool // was refused something because the cluster was away

	heard atomic.Int64 // when the last frame came in, since the server's start
	beat  beat
}

// push queues a frame and says whether the watcher will get it. A watcher that
// has too much waiting is closed: it hears of a close and subscribes anew, while
// of a hole in its events it would not.
func (c *conn) push(frame []byte) bool {
	err := c.queue.push(frame)
	if errors.Is(err, errOverflow) {
		c.end(CodeOverCapacity, "too slow: events were waiting", true)
	}
	return err == nil
}

// end closes the connection from the server's side; the first call counts. With
// instead, what still waits is thrown away. It does not block.
func (c *conn) end(code Code, reason string, instead bool) {
	c.seal(code, closeFrame(code, reason), instead)
}

// refuse closes the connection with an error that says the same. Both go past the
// queue's bounds: a watcher who reads too slowly must not hear 4100 instead, and
// come back.
func (c *conn) refuse(code Code, message string) {
	c.seal(code, slices.Concat(errorFrame(code, message), closeFrame(code, message)), false)
}

// run is the reader: it handles messages until the connection is sealed or
// breaks, and then takes it out of the world. It returns when its writer is gone
// too.
func (c *conn) run(early []byte) {
	var in io.Reader = c.nc
	if len(early) > 0 {
		in = io.MultiReader(bytes.NewReader(early), c.nc)
	}
	c.read(bufio.NewReaderSize(in, readBuffer))

	c.standUp()
	c.server.heartbeat.remove(c)

	if c.isSealed() {
		// Discard what comes until the peer has seen the end of our side.
		_ = c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.Copy(io.Discard, c.nc)
	}
	c.seal(CodeAbnormal, nil, true)
	_ = c.nc.Close()
	c.writer.Wait()
	c.server.forget(c)
}

// read handles messages until no more can come, and sees to it that a peer that
// broke a rule is told which.
func (c *conn) read(br *bufio.Reader) {
	for !c.isSealed() {
		// To wait here and not further down keeps the idle stack under the quarter of
		// 8 KB at which the collector halves it: 4 KB a connection.
		if _, err := br.Peek(1); err != nil {
			return
		}
		msg, err := c.message(br)
		if err == nil {
			c.handle(msg)
		}
		if c.payload != nil {
			payloads.Put(c.payload)
			c.payload = nil
		}
		if err != nil {
			var e *closing
			if errors.As(err, &e) {
				c.seal(e.told(), closeFrame(e.code, e.reason), false)
			}
			return
		}
	}
}

// touch notes that the client lives: any frame shows it.
func (c *conn) touch() {
	c.heard.Store(int64(c.server.heartbeat.now()))
}

// remote is the peer's address without the port, for logs.
func (c *conn) remote() string {
	host, _, err := net.SplitHostPort(c.nc.RemoteAddr().String())
	if err != nil {
		return c.nc.RemoteAddr().String()
	}
	return host
}
