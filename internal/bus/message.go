package bus

import (
	"encoding/binary"
	"errors"

	"github.com/webazaar/waybill/internal/pusher"
)

// What is sent is a version, then the fields of a message. Nodes of two releases
// may run side by side, so fields are only ever added, at the end: what is not
// there is zero, and what is not known is skipped.
const version = 1

// fields reads or writes a message.
func fields(c codec, m *pusher.Message) {
	c.text(&m.Channel)
	c.text(&m.Event)
	c.text(&m.Except)
	c.bytes(&m.Data)
	c.number(&m.Sequence)
	c.text(&m.User)
}

type codec interface {
	number(*int64)
	text(*string)
	bytes(*[]byte)
}

func encode(m pusher.Message) []byte {
	w := writer{make([]byte, 0, 32+len(m.Channel)+len(m.Event)+len(m.Except)+len(m.Data)+len(m.User))}
	v := int64(version)
	w.number(&v)
	fields(&w, &m)
	return w.out
}

var errMessage = errors.New("not a message of this bus")

// decode makes a message of what encode made. Its data is part of b.
func decode(b []byte) (pusher.Message, error) {
	r := reader{rest: b}
	var (
		m pusher.Message
		v int64
	)
	r.number(&v)
	if v < version {
		r.broken = true
	}
	fields(&r, &m)
	if r.broken {
		return pusher.Message{}, errMessage
	}
	return m, nil
}

type writer struct{ out []byte }

func (w *writer) number(n *int64) { w.out = binary.AppendVarint(w.out, *n) }

func (w *writer) text(s *string) {
	w.out = append(binary.AppendUvarint(w.out, uint64(len(*s))), *s...)
}

func (w *writer) bytes(b *[]byte) {
	w.out = append(binary.AppendUvarint(w.out, uint64(len(*b))), *b...)
}

// reader leaves zero what is beyond the end.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) number(n *int64) {
	if r.broken || len(r.rest) == 0 {
		return
	}
	v, used := binary.Varint(r.rest)
	if used <= 0 {
		r.broken = true
		return
	}
	*n, r.rest = v, r.rest[used:]
}

func (r *reader) text(s *string) {
	var b []byte
	r.bytes(&b)
	*s = string(b)
}

func (r *reader) bytes(b *[]byte) {
	if r.broken || len(r.rest) == 0 {
		return
	}
	n, used := binary.Uvarint(r.rest)
	if used <= 0 || n > uint64(len(r.rest)-used) {
		r.broken = true
		return
	}
	end := used + int(n) //nolint:gosec // it is at most what is left
	*b, r.rest = r.rest[used:end:end], r.rest[end:]
}
