package bus

import (
	"bytes"
	"strings"
	"testing"
)

func TestPartsComeTogether(t *testing.T) {
	t.Parallel()
	var j joiner
	for i, size := range []int{0, 1, 5849, 5850, 5851, 11_700, 100_000} {
		sent := bytes.Repeat([]byte{0xfe, 0}, size/2+1)[:size]
		parts := split("sender", uint64(i), sent)
		for n, part := range parts {
			if len(part) >= 8000 {
				t.Errorf("a part of %d bytes", len(part))
			}
			got := j.add(part)
			if last := n == len(parts)-1; (got != nil) != last {
				t.Fatalf("%d bytes: part %d of %d gave %d bytes", size, n+1, len(parts), len(got))
			} else if last && !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came otherwise", size)
			}
		}
	}
}

// What is not whole is dropped, and what comes next is not harmed.
func TestPartsThatAreMissing(t *testing.T) {
	t.Parallel()
	long, other, short := split("a", 1, make([]byte, 20_000)), split("b", 1, make([]byte, 20_000)), split("a", 2, []byte("short"))
	for name, payloads := range map[string][]string{
		"the end":      {long[0], long[1]},
		"the middle":   {long[0], long[2], long[3]},
		"the start":    {long[1], long[2], long[3]},
		"mixed":        {long[0], other[1], long[1], long[2], long[3]},
		"twice":        {long[0], long[0], long[2], long[3]},
		"no parts":     {"", ":", "a.1.1:", "a.1.0.1:", "a.1.2.1:", "a.1.x.1:", "a.1.1.999999:", "a.1.1.1:###", "nonsense"},
		"other sender": {long[0], other[1], other[2], other[3]},
	} {
		var j joiner
		for i, payload := range payloads {
			if got := j.add(payload); got != nil {
				t.Errorf("%s: payload %d gave a message of %d bytes", name, i, len(got))
			}
		}
		if got := j.add(short[0]); string(got) != "short" {
			t.Errorf("%s: what came next is %q", name, got)
		}
		if j.text.Len() != 0 {
			t.Errorf("%s: %d bytes are held back", name, j.text.Len())
		}
	}
}

func TestPartsAreText(t *testing.T) {
	t.Parallel()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	if part := split("s", 1, every)[0]; strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("it holds more than plain text: %q", part)
	}
}
