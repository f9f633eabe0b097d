package pusher

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// closing is the error of a connection that must end with a close frame: its own
// answer to a broken rule, or the echo of the client's.
type closing struct {
	code   Code
	reason string
}

func (e *closing) Error() string { return e.reason }

// told is the code for the observer. From 3000 on it is one that the client made
// up: there are two thousand, and those that this server uses would mean something
// else.
func (e *closing) told() Code {
	if e.code >= 3000 {
		return CodeNormal
	}
	return e.code
}

// payloads are buffers for one message while it is read and handled; a
// connection that waits for one holds none.
var payloads = sync.Pool{New: func() any {
	b := make([]byte, 0, 1024)
	return &b
}}

// message reads one text message into c.payload, and answers the control frames
// that come before and between. The error is a *closing, or the socket's.
func (c *conn) message(br *bufio.Reader) ([]byte, error) {
	var buf []byte
	state := ws.StateServerSide
	for {
		h, err := ws.ReadHeaderBuffer(br, c.head[:])
		switch {
		case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
			return nil, &closing{CodeProtocol, err.Error()}
		case err != nil:
			return nil, err
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return nil, &closing{CodeProtocol, err.Error()}
		}
		if h.OpCode.IsControl() {
			if err := c.control(br, h); err != nil {
				return nil, err
			}
			continue
		}
		if h.OpCode == ws.OpBinary {
			return nil, &closing{CodeBinary, "text messages only"}
		}
		if c.payload == nil {
			c.payload = payloads.Get().(*[]byte)
			buf = (*c.payload)[:0]
		}
		if h.Length > int64(c.server.opts.MaxMessageBytes-len(buf)) {
			return nil, &closing{CodeTooBig, "message too big"}
		}
		if buf, err = readPayload(br, h, buf); err != nil {
			return nil, err
		}
		c.touch()
		if !h.Fin {
			state = state.Set(ws.StateFragmented)
			continue
		}
		if !utf8.Valid(buf) {
			return nil, &closing{CodeNotUTF8, "message is not UTF-8"}
		}
		return buf, nil
	}
}

// control answers a ping, and turns the client's close into the error that
// answers it with the same code.
func (c *conn) control(br *bufio.Reader, h ws.Header) error {
	payload, err := readPayload(br, h, make([]byte, 0, ws.MaxControlFramePayloadSize))
	if err != nil {
		return err
	}
	c.touch()
	switch h.OpCode {
	case ws.OpPing:
		c.push(ws.MustCompileFrame(ws.NewPongFrame(payload)))
	case ws.OpClose:
		if len(payload) == 0 {
			return &closing{code: CodeNoStatus}
		}
		if len(payload) < 2 {
			return &closing{CodeProtocol, "broken close frame"}
		}
		code, reason := ws.StatusCode(binary.BigEndian.Uint16(payload)), string(payload[2:])
		if err := ws.CheckCloseFrameData(code, reason); err != nil {
			return &closing{CodeProtocol, err.Error()}
		}
		return &closing{code: Code(code)}
	}
	return nil
}

// readPayload appends the frame's unmasked payload to buf. The header's length
// was checked before, so it is safe to make room for it.
func readPayload(br *bufio.Reader, h ws.Header, buf []byte) ([]byte, error) {
	start := len(buf)
	end := start + int(h.Length)
	if end > cap(buf) {
		grown := make([]byte, start, end)
		copy(grown, buf)
		buf = grown
	}
	if _, err := io.ReadFull(br, buf[start:end]); err != nil {
		return nil, err
	}
	buf = buf[:end]
	ws.Cipher(buf[start:], h.Mask, 0)
	return buf, nil
}
