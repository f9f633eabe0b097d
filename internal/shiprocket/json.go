package shiprocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// maxDepth is how deep a body may be nested. Live pushes are three deep.
const maxDepth = 64

// Errors of a body that cannot be read at all.
var (
	ErrNotJSON   = errors.New("body is not JSON")
	ErrNotObject = errors.New("body is not a JSON object")
	ErrTooDeep   = fmt.Errorf("body is nested deeper than %d levels", maxDepth)
)

// kind is what a JSON value is, named by its first byte. The zero value stands
// for a value that is not there.
type kind byte

const (
	absent  kind = 0
	null    kind = 'n'
	boolean kind = 't'
	number  kind = '0'
	text    kind = '"'
	object  kind = '{'
	array   kind = '['
)

// value is one JSON value as it stands in the body, checked but not decoded:
// no field of a push can have a type that makes the rest unreadable.
type value struct {
	raw  []byte // a string's quotes included
	kind kind
	// plain says of a string that its bytes are its characters: printable
	// ASCII without escapes.
	plain bool
	// exact says that the value's key was spelt as Shiprocket spells it.
	exact bool
	says  answer // what told answered, once it was asked
}

// answer is a yes or no that may not be known yet.
type answer byte

const (
	yes answer = 1
	no  answer = 2
)

// chars is the inside of a string.
func (v value) chars() []byte { return v.raw[1 : len(v.raw)-1] }

// hollow reports whether v is an array or object with nothing in it.
func (v value) hollow() bool {
	return (v.kind == array || v.kind == object) && len(bytes.TrimSpace(v.raw[1:len(v.raw)-1])) == 0
}

// cursor walks a JSON text and checks it on the way, to the same grammar as
// encoding/json.
type cursor struct {
	data []byte
	at   int
	err  error
	// watch, if not nil, sees the scans of the object walked at depth 1 in the
	// same pass.
	watch *dateWatch
}

// document reads the one value that data holds.
func document(data []byte) (value, error) {
	c := cursor{data: data}
	v, ok := c.value(0)
	if ok {
		c.blanks()
		ok = c.at == len(data)
	}
	if !ok {
		return value{}, c.failure()
	}
	return v, nil
}

func (c *cursor) failure() error {
	if c.err != nil {
		return c.err
	}
	return fmt.Errorf("%w: unexpected at byte %d", ErrNotJSON, c.at)
}

// peek skips blanks and returns the next byte, 0 at the end.
func (c *cursor) peek() byte {
	if c.at < len(c.data) && c.data[c.at] > ' ' {
		return c.data[c.at]
	}
	c.blanks()
	if c.at < len(c.data) {
		return c.data[c.at]
	}
	return 0
}

func (c *cursor) blanks() {
	for c.at < len(c.data) {
		switch c.data[c.at] {
		case ' ', '\n', '\r', '\t':
			c.at++
		default:
			return
		}
	}
}

func (c *cursor) value(depth int) (v value, ok bool) {
	first := c.peek()
	from := c.at
	switch first {
	case '"':
		v.kind = text
		v.plain, ok = c.text()
	case '{':
		v.kind, ok = object, c.members(depth+1, nil)
	case '[':
		v.kind, ok = array, c.elements(depth+1, nil, nil)
	case 't':
		v.kind, ok = boolean, c.word("true")
	case 'f':
		v.kind, ok = boolean, c.word("false")
	case 'n':
		v.kind, ok = null, c.word("null")
	default:
		v.kind, ok = number, c.number()
	}
	v.raw = c.data[from:c.at]
	return v, ok
}

// members walks the object at the cursor and hands each member to visit.
func (c *cursor) members(depth int, visit func(key, v value)) bool {
	if depth > maxDepth {
		c.err = ErrTooDeep
		return false
	}
	c.at++ // the opening brace
	if c.peek() == '}' {
		c.at++
		return true
	}
	for {
		if c.peek() != '"' {
			return false
		}
		from := c.at
		plain, ok := c.text()
		if !ok {
			return false
		}
		key := value{raw: c.data[from:c.at], kind: text, plain: plain}
		if c.peek() != ':' {
			return false
		}
		c.at++
		var v value
		if c.watch != nil && depth == 1 && string(key.raw) == `"scans"` && c.peek() == '[' {
			v, ok = c.watch.scans(c)
		} else {
			v, ok = c.value(depth)
		}
		if !ok {
			return false
		}
		if visit != nil {
			visit(key, v)
		}
		switch c.peek() {
		case ',':
			c.at++
		case '}':
			c.at++
			return true
		default:
			return false
		}
	}
}

// elements walks the array at the cursor and hands each element to visit, and
// before it, where member is given, the element's own members.
func (c *cursor) elements(depth int, member func(key, v value), visit func(v value)) bool {
	if depth > maxDepth {
		c.err = ErrTooDeep
		return false
	}
	c.at++ // the opening bracket
	if c.peek() == ']' {
		c.at++
		return true
	}
	for {
		var v value
		var ok bool
		if member != nil && c.peek() == '{' {
			from := c.at
			ok = c.members(depth+1, member)
			v = value{raw: c.data[from:c.at], kind: object}
		} else {
			v, ok = c.value(depth)
		}
		if !ok {
			return false
		}
		if visit != nil {
			visit(v)
		}
		switch c.peek() {
		case ',':
			c.at++
		case ']':
			c.at++
			return true
		default:
			return false
		}
	}
}

// eachMember visits the members of an object that was checked before.
func (v value) eachMember(visit func(key, v value)) {
	c := cursor{data: v.raw}
	c.members(0, visit)
}

// eachElement visits the elements of an array that was checked before, after
// each element's own members if member is given.
func (v value) eachElement(member func(key, v value), visit func(v value)) {
	c := cursor{data: v.raw}
	c.elements(0, member, visit)
}

// text passes over the string at the cursor.
func (c *cursor) text() (plain, ok bool) {
	data, i := c.data, c.at+1
	plain = true
	for {
		for len(data)-i >= 8 {
			n := leadingOrdinary(binary.LittleEndian.Uint64(data[i:]))
			i += n
			if n < 8 {
				break
			}
		}
		if i >= len(data) {
			break
		}
		switch b := data[i]; {
		case b == '"':
			c.at = i + 1
			return plain, true
		case b == '\\':
			plain = false
			if i++; i >= len(data) || !c.escaped(&i) {
				c.at = min(i, len(data))
				return false, false
			}
		case b < ' ': // a bare control character
			c.at = i
			return false, false
		case b >= 0x7f:
			plain = false
		}
		i++
	}
	c.at = len(data)
	return false, false
}

// leadingOrdinary counts how many of eight bytes, from the lowest, are ordinary
// inside a string. A byte that is not sets its own high bit in odd, and may set
// those above it by a carry, but never one below.
func leadingOrdinary(x uint64) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^low*'"', x^low*'\\'
	odd := x | (x - low*' ') | (quote - low) | (slash - low) | (x + low)
	return bits.TrailingZeros64(odd&high) / 8
}

// escaped passes over what follows a backslash; i is left on its last byte.
func (c *cursor) escaped(i *int) bool {
	switch c.data[*i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if len(c.data) < *i+5 {
			return false
		}
		if _, ok := hex4(c.data[*i+1:]); !ok {
			return false
		}
		*i += 4
		return true
	}
	return false
}

// hex4 reads four hexadecimal digits; b has that many bytes.
func hex4(b []byte) (r rune, ok bool) {
	for _, d := range b[:4] {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func (c *cursor) word(w string) bool {
	if !bytes.HasPrefix(c.data[c.at:], []byte(w)) {
		return false
	}
	c.at += len(w)
	return true
}

// number passes over a JSON number: -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
func (c *cursor) number() bool {
	c.skip('-', '-')
	if !c.skip('0', '0') && c.digits() == 0 {
		return false
	}
	if c.skip('.', '.') && c.digits() == 0 {
		return false
	}
	if c.skip('e', 'E') {
		c.skip('+', '-')
		return c.digits() > 0
	}
	return true
}

func (c *cursor) skip(a, b byte) bool {
	if c.at < len(c.data) && (c.data[c.at] == a || c.data[c.at] == b) {
		c.at++
		return true
	}
	return false
}

func (c *cursor) digits() (n int) {
	for c.at < len(c.data) && isDigit(c.data[c.at]) {
		c.at++
		n++
	}
	return n
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
