package durability

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A call is one system call as strace has recorded it. Begun and ended are its
// places in the record: whatever it did, it did between them.
type call struct {
	name   string
	args   []string // as recorded, strings still in hex
	result string
	begun  int
	ended  int // 0 if it never returned
}

// traced are the calls that change files, make changes last, or answer. Those
// beyond the first line are recorded to be sure that none is used.
const traced = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat,close," +
	"writev,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,copy_file_range,truncate,fallocate,rename,renameat,renameat2,link,linkat,mmap,creat,open"

// readTrace reads what `strace -f -y -xx` has written.
func readTrace(r io.Reader) ([]*call, error) {
	var (
		calls   []*call
		open    = map[string]*call{} // by thread
		scanner = bufio.NewScanner(r)
		place   = 0
	)
	scanner.Buffer(make([]byte, 1<<20), 64<<20)
	for scanner.Scan() {
		place++
		thread, text, _ := bytes.Cut(scanner.Bytes(), []byte(" "))
		text = bytes.TrimLeft(text, " ")
		switch {
		case bytes.HasPrefix(text, []byte("+++")), bytes.HasPrefix(text, []byte("---")):
			continue
		case bytes.HasPrefix(text, []byte("<... ")):
			c := open[string(thread)]
			if c == nil {
				return nil, fmt.Errorf("line %d resumes what was not begun", place)
			}
			delete(open, string(thread))
			_, rest, _ := bytes.Cut(text, []byte(" resumed>"))
			args, result, ok := cutResult(string(rest))
			if !ok {
				return nil, fmt.Errorf("line %d has no result", place)
			}
			if args = strings.TrimPrefix(args, ", "); args != "" {
				c.args = append(c.args, strings.Split(args, ", ")...)
			}
			c.result, c.ended = result, place
			continue
		}
		name, rest, ok := strings.Cut(string(text), "(")
		if !ok {
			return nil, fmt.Errorf("line %d is no call: %.80s", place, text)
		}
		c := &call{name: name, begun: place}
		calls = append(calls, c)
		if args, unfinished := strings.CutSuffix(rest, " <unfinished ...>"); unfinished {
			c.args = strings.Split(strings.TrimSuffix(args, ","), ", ")
			open[string(thread)] = c
			continue
		}
		args, result, ok := cutResult(rest)
		if !ok {
			return nil, fmt.Errorf("line %d has no result: %.80s", place, rest)
		}
		c.args = strings.Split(args, ", ")
		c.result, c.ended = result, place
	}
	return calls, scanner.Err()
}

// cutResult cuts `args) = result`. Strings are hex, so no bracket is part of
// one.
func cutResult(s string) (args, result string, ok bool) {
	args, result, ok = strings.Cut(s, ")")
	result = strings.TrimSpace(result)
	return args, strings.TrimSpace(strings.TrimPrefix(result, "=")), ok && strings.HasPrefix(result, "=")
}

func (c *call) failed() bool {
	return strings.HasPrefix(c.result, "-1") || strings.HasPrefix(c.result, "?")
}

// file is the path behind the descriptor that is argument i, "" if it is none.
func (c *call) file(i int) string {
	_, path, ok := strings.Cut(c.args[i], "<")
	if !ok {
		return ""
	}
	path, _, _ = strings.Cut(path, ">")
	return string(unhex(path))
}

// text is argument i, a string.
func (c *call) text(i int) []byte { return unhex(strings.Trim(c.args[i], `"`)) }

func (c *call) number(i int) int64 {
	n, err := strconv.ParseInt(c.args[i], 0, 64)
	if err != nil {
		return -1
	}
	return n
}

// unhex decodes \x68\x65\x78.
func unhex(s string) []byte {
	digits := strings.ReplaceAll(s, `\x`, "")
	decoded, err := hex.DecodeString(digits)
	if err != nil {
		return []byte(s) // not a string: a name such as AT_FDCWD
	}
	return decoded
}
