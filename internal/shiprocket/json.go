package shiprocket

import (
	"bytes"
	"errors"
	"fmt"
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
}

// chars is the inside of a string.
func (v value) chars() []byte { return v.raw[1 : len(v.raw)-1] }

// cursor walks a JSON text and checks it on the way, to the same grammar as
// encoding/json.
type cursor struct {
	data []byte
	at   int
	err  error
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
		v.kind, ok = array, c.elements(depth+1, nil)
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
		v, ok := c.value(depth)
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

// elements walks the array at the cursor and hands each element to visit.
func (c *cursor) elements(depth int, visit func(v value)) bool {
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
		v, ok := c.value(depth)
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

// eachElement visits the elements of an array that was checked before.
func (v value) eachElement(visit func(v value)) {
	c := cursor{data: v.raw}
	c.elements(0, visit)
}

// What a byte means inside a string.
const (
	ordinary byte = iota
	closing
	escape
	forbidden // a bare control character
	unusual   // allowed, but not printable ASCII
)

var inText = func() (t [256]byte) {
	for b := range t {
		switch {
		case b == '"':
			t[b] = closing
		case b == '\\':
			t[b] = escape
		case b < ' ':
			t[b] = forbidden
		case b >= 0x7f:
			t[b] = unusual
		}
	}
	return t
}()

// text passes over the string at the cursor.
func (c *cursor) text() (plain, ok bool) {
	plain = true
	for i := c.at + 1; i < len(c.data); i++ {
		switch inText[c.data[i]] {
		case ordinary:
		case closing:
			c.at = i + 1
			return plain, true
		case unusual:
			plain = false
		case forbidden:
			c.at = i
			return false, false
		case escape:
			plain = false
			i++
			if i >= len(c.data) || !c.escaped(&i) {
				c.at = min(i, len(c.data))
				return false, false
			}
		}
	}
	c.at = len(c.data)
	return false, false
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
