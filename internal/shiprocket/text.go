package shiprocket

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Caps on what a push may make us keep, in characters.
const (
	maxID   = 100
	maxText = 1000
)

// words is the value as text of at most n characters: trimmed, valid UTF-8, one
// line, no control characters. Every spelling of "none" is "", and so is a value
// that is neither text nor number. Numbers are written out, never rounded.
func (v value) words(n int) string {
	var s string
	switch {
	case v.kind == number:
		s = plainNumber(string(v.raw))
	case v.kind != text:
		return ""
	case v.plain:
		b := bytes.TrimSpace(v.chars())
		s = string(b[:min(len(b), n+1)])
	default:
		s = clean(v.chars(), n)
	}
	if len(s) > n {
		s = cut(s, n)
	}
	if isNone(s) {
		return ""
	}
	return s
}

// line is the value as a text.
func (v value) line() string { return v.words(maxText) }

// word is the value as a short text: a status word or a courier's code.
func (v value) word() string { return v.words(maxID) }

// told reports whether the value says anything.
func (v value) told() bool {
	switch {
	case v.kind == absent || v.kind == null:
		return false
	case v.plain:
		b := bytes.TrimSpace(v.chars())
		return len(b) > longestNone || !isNone(string(b))
	case v.kind == text:
		return v.words(maxText) != ""
	}
	return true
}

// odd reports whether the value has a type that cannot hold a text.
func (v value) odd() bool { return v.kind == object || v.kind == array || v.kind == boolean }

// longestNone is the most that any spelling of "none" has, a zero date with
// fraction and zone.
const longestNone = 32

// isNone knows every way in which Shiprocket and its couriers write "not told"
// (live pushes and API answers: null, blanks, NA, N/A, zero dates).
func isNone(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 2:
		return strings.EqualFold(s, "NA")
	case 3:
		return strings.EqualFold(s, "N/A")
	case 4:
		return strings.EqualFold(s, "null")
	}
	return len(s) <= longestNone && strings.HasPrefix(s, "0000-00-00")
}

// clean decodes the inside of a JSON string that is not plain, as far as n
// characters need it.
func clean(chars []byte, n int) string {
	var out strings.Builder
	kept := 0
	for i := 0; i < len(chars) && kept <= n; {
		r, size := decode(chars[i:])
		i += size
		switch {
		case r == utf8.RuneError, unicode.IsControl(r) && !unicode.IsSpace(r):
			continue
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d': // joiners belong to Indian scripts
			continue
		case unicode.IsSpace(r):
			if kept == 0 {
				continue
			}
			r = ' '
		}
		out.WriteRune(r)
		kept++
	}
	return strings.TrimSpace(out.String())
}

// decode reads one character of a JSON string; what is no character is
// utf8.RuneError.
func decode(b []byte) (r rune, size int) {
	if b[0] != '\\' {
		return utf8.DecodeRune(b)
	}
	switch b[1] {
	case 'b', 'f', 'n', 'r', 't':
		return ' ', 2
	case 'u':
		r, _ = hex4(b[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			low, _ := hex4(b[8:])
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 12
			}
		}
		return utf8.RuneError, 6
	}
	return rune(b[1]), 2
}

// cut keeps at most n characters.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return strings.TrimSpace(s[:i])
		}
		n--
	}
	return s
}

// plainNumber writes a JSON number without exponent and without a fraction of
// zeros, digit by digit, so that an AWB never goes through a float. A number
// that is not whole, or would be longer than any id, stays as it was sent.
func plainNumber(raw string) string {
	if !strings.ContainsAny(raw, ".eE") {
		return raw
	}
	mantissa, exponent := raw, 0
	if i := strings.IndexAny(raw, "eE"); i >= 0 {
		e, err := strconv.Atoi(raw[i+1:])
		if err != nil || e > maxID || e < -maxID {
			return raw
		}
		mantissa, exponent = raw[:i], e
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+exponent
	switch {
	case point <= 0:
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	case point > len(digits):
		digits += strings.Repeat("0", point-len(digits))
	}
	if strings.Trim(digits[point:], "0") != "" {
		return raw
	}
	digits = strings.TrimLeft(digits[:point], "0")
	if digits == "" {
		return "0"
	}
	return sign + digits
}

// id is the value as an identifier. Zeros name nothing: untracked parcels have
// them in every id (live API answer).
func (v value) id() string {
	s := v.words(maxID)
	if strings.Trim(s, "0") == "" || s == "-0" {
		return ""
	}
	return s
}

// count is the value as a small whole number; ok is false for anything else.
func (v value) count() (n int, ok bool) {
	s := v.words(maxID)
	if s == "" || len(s) > 6 || !allDigits(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// yes reports whether a flag is set, as number, text or boolean.
func (v value) yes() bool {
	if v.kind == boolean {
		return v.raw[0] == 't'
	}
	switch strings.ToLower(v.words(maxID)) {
	case "1", "true", "yes":
		return true
	}
	return false
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
