package bus

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// A payload of NOTIFY is text of less than 8,000 bytes, so a message goes in
// parts:
//
//	sender.number.part.parts:base64
//
// The number also keeps PostgreSQL from taking two equal messages for one. All
// parts are sent by one statement, so they arrive one after the other or, if their
// sender or the link broke, not at all.
const (
	partBytes = 7800
	mostParts = 4096 // 30 MB: nobody sends that
)

func split(sender string, number uint64, message []byte) []string {
	text := base64.RawStdEncoding.EncodeToString(message)
	n := max(1, (len(text)+partBytes-1)/partBytes)
	head := sender + "." + strconv.FormatUint(number, 36) + "."
	parts := make([]string, n)
	for i := range parts {
		part := text[i*partBytes : min((i+1)*partBytes, len(text))]
		parts[i] = head + strconv.Itoa(i+1) + "." + strconv.Itoa(n) + ":" + part
	}
	return parts
}

// joiner puts parts together, and holds one unfinished message at most. What does
// not fit is dropped with what was there.
type joiner struct {
	which string // sender and number
	next  int
	text  strings.Builder
}

// add returns the message that the payload completes, or nil.
func (j *joiner) add(payload string) []byte {
	which, part, parts, text, ok := takeApart(payload)
	if ok && part == 1 {
		j.reset()
		j.which, j.next = which, 1
	}
	if !ok || part != j.next || which != j.which {
		j.reset()
		return nil
	}
	j.text.WriteString(text)
	j.next++
	if part < parts {
		return nil
	}
	message, err := base64.RawStdEncoding.DecodeString(j.text.String())
	j.reset()
	if err != nil {
		return nil
	}
	return message
}

func (j *joiner) reset() {
	j.which, j.next = "", 0
	j.text.Reset()
}

func takeApart(payload string) (which string, part, parts int, text string, ok bool) {
	head, text, found := strings.Cut(payload, ":")
	fields := strings.Split(head, ".")
	if !found || len(fields) != 4 {
		return "", 0, 0, "", false
	}
	part, err1 := strconv.Atoi(fields[2])
	parts, err2 := strconv.Atoi(fields[3])
	if err1 != nil || err2 != nil || part < 1 || part > parts || parts > mostParts {
		return "", 0, 0, "", false
	}
	return fields[0] + "." + fields[1], part, parts, text, true
}
