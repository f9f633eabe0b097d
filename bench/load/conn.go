package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// answerWithin bounds one request: a server that takes longer has lost it.
const answerWithin = 30 * time.Second

// A conn is one connection to the server; it is opened when it is needed and
// again after it broke.
type conn struct {
	addr string
	nc   net.Conn
	in   *bufio.Reader
	out  []byte
}

// post sends the i-th push and returns the status of the answer.
func (c *conn) post(ctx context.Context, p *Plan, i int) (status int, err error) {
	if c.nc == nil {
		if err := c.open(ctx); err != nil {
			return 0, err
		}
	}
	_ = c.nc.SetDeadline(time.Now().Add(answerWithin))
	c.out = p.appendRequest(c.out[:0], c.addr, i)
	if _, err := c.nc.Write(c.out); err != nil {
		c.close()
		return 0, fmt.Errorf("send a push: %w", err)
	}
	status, keep, err := c.answer()
	if err != nil || !keep {
		c.close()
	}
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	return status, nil
}

func (c *conn) open(ctx context.Context) error {
	nc, err := (&net.Dialer{Timeout: answerWithin}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.nc, c.in = nc, bufio.NewReaderSize(nc, 4096)
	return nil
}

func (c *conn) close() {
	if c.nc != nil {
		_ = c.nc.Close()
		c.nc = nil
	}
}

var errNoHTTP = errors.New("the answer is no HTTP/1.1 with a length")

// answer reads one answer whole; keep says whether the connection stays.
func (c *conn) answer() (status int, keep bool, err error) {
	head, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, false, err
	}
	if len(head) < len("HTTP/1.1 200") || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) {
		return 0, false, errNoHTTP
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, false, errNoHTTP
	}
	length, keep := -1, true
	for {
		h, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		h = bytes.TrimRight(h, "\r\n")
		if len(h) == 0 {
			break
		}
		name, value, _ := bytes.Cut(h, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, errNoHTTP
			}
		case bytes.EqualFold(name, []byte("Connection")):
			keep = !bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 {
		return 0, false, errNoHTTP
	}
	if _, err := c.in.Discard(length); err != nil {
		return 0, false, err
	}
	return status, keep, nil
}
