package store

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Times are kept as microseconds since 1970, 0 for none: what both databases
// hold exactly. What is to be compared with stored times is cut to that first.

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// cutTime is t as it will be read back.
func cutTime(t time.Time) time.Time { return fromMicros(micros(t)) }

// dayOf is the UTC day of t since 1970.
func dayOf(t time.Time) int { return int(t.Unix() / 86400) }

// maxName is how many bytes of a text may be indexed or looked up. PostgreSQL
// refuses longer ones, and no courier's number comes near.
const maxName = 512

// storableText reports whether either database takes s: PostgreSQL knows no NUL
// and no broken UTF-8.
func storableText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// text makes s storable on either database.
func text(s string) string { return textWith(s, "") }

// textWith is text with something in place of what cannot be stored.
func textWith(s, instead string) string {
	if storableText(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, instead), "\x00", instead)
}

// short is text cut to what an index takes.
func short(s string) string {
	s = text(s)
	if len(s) <= maxName {
		return s
	}
	return strings.ToValidUTF8(s[:maxName], "")
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
