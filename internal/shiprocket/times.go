package shiprocket

import (
	"bytes"
	"strings"
	"time"
)

// india is the zone of every time that names none: UTC+05:30 without summer
// time (Shiprocket docs: Asia/Kolkata).
var india = time.FixedZone("IST", indiaOffset)

const indiaOffset = 5*3600 + 1800 // seconds

// futureGrace is how far after its receipt an event may be dated.
const futureGrace = 10 * time.Minute

// before this, a date is a placeholder or a fault.
var tooOld = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// parseTime reads every kind of time met in pushes and API answers:
//
//	2023-05-19 11:59:16   also without seconds, with a fraction, without a clock
//	23 05 2023 11:43:52   day first: a live push of 2022 proves it
//	2023-05-19T11:59:16Z  or +05:30: an explicit zone is obeyed
//	31 Jul 2019, 03:03 PM
//	21st Sep 2022 05:28 PM
//
// The result is in UTC and whole seconds. A date without a time of day is
// midnight in India.
func parseTime(s string) (t time.Time, ok bool) {
	if len(s) < 8 || len(s) > 64 {
		return t, false
	}
	y, m, d, rest, ok := numericDate(s)
	if !ok {
		y, m, d, rest, ok = namedDate(s)
	}
	if !ok {
		return t, false
	}
	sec, offset, ok := clock(rest)
	if !ok || d < 1 || d > daysIn(y, m) {
		return t, false
	}
	return time.Unix(daysBefore(y, m, d)*86400+int64(sec-offset), 0).UTC(), true
}

func daysIn(y, m int) int {
	switch {
	case m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0):
		return 29
	case m == 2:
		return 28
	case m == 4 || m == 6 || m == 9 || m == 11:
		return 30
	}
	return 31
}

// daysBefore counts the days from 1970-01-01 to a date of the years 0 to 9999
// (a year that begins in March has its leap day last).
func daysBefore(y, m, d int) int64 {
	y, m = y+400, m-3 // 400 years are a whole number of weeks and of leap cycles
	if m < 0 {
		y, m = y-1, m+12
	}
	const to1970 = 719468 + 146097
	return int64(365*y + y/4 - y/100 + y/400 + (153*m+2)/5 + d - 1 - to1970)
}

// numericDate reads 2006-01-02 and 02 01 2006.
func numericDate(s string) (y, m, d int, rest string, ok bool) {
	if len(s) < 10 {
		return 0, 0, 0, "", false
	}
	var okY, okM, okD bool
	switch {
	case s[4] == '-' && s[7] == '-':
		y, okY = decimal(s[:4])
		m, okM = decimal(s[5:7])
		d, okD = decimal(s[8:10])
	case s[2] == ' ' && s[5] == ' ':
		d, okD = decimal(s[:2])
		m, okM = decimal(s[3:5])
		y, okY = decimal(s[6:10])
	}
	return y, m, d, s[10:], okY && okM && okD && m >= 1 && m <= 12
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// namedDate reads 2 Jan 2006 and 21st September 2022, with or without a comma.
func namedDate(s string) (y, m, d int, rest string, ok bool) {
	day, s, _ := strings.Cut(s, " ")
	month, s, _ := strings.Cut(strings.TrimLeft(s, " "), " ")
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		day = strings.TrimSuffix(day, suffix)
	}
	s = strings.TrimLeft(s, " ")
	if len(day) > 2 || len(month) < 3 || len(s) < 4 {
		return 0, 0, 0, "", false
	}
	name := strings.ToLower(month[:3])
	at := strings.Index(months, name)
	d, okD := decimal(day)
	y, okY := decimal(s[:4])
	return y, at/3 + 1, d, strings.TrimPrefix(s[4:], ","), at >= 0 && at%3 == 0 && okD && okY
}

// clock reads what stands after a date: nothing, or a time of day with an
// optional AM or PM and an optional zone. sec counts from midnight; offset is the zone's,
// in seconds east.
func clock(s string) (sec, offset int, ok bool) {
	if s == "" {
		return 0, indiaOffset, true
	}
	if s[0] != ' ' && s[0] != 'T' && s[0] != 't' {
		return 0, 0, false
	}
	s = strings.TrimLeft(s[1:], " ")
	if len(s) < 5 || s[2] != ':' {
		return 0, 0, false
	}
	h, okH := decimal(s[:2])
	m, okM := decimal(s[3:5])
	if !okH || !okM || h > 23 || m > 59 {
		return 0, 0, false
	}
	s = s[5:]
	second := 0
	if len(s) >= 3 && s[0] == ':' {
		var okS bool
		if second, okS = decimal(s[1:3]); !okS || second > 59 {
			return 0, 0, false
		}
		s = s[3:]
		if len(s) > 1 && s[0] == '.' {
			s = strings.TrimLeft(s[1:], "0123456789")
		}
	}
	s = strings.TrimLeft(s, " ")
	if len(s) >= 2 && (s[1] == 'M' || s[1] == 'm') {
		switch {
		case h < 1 || h > 12:
			return 0, 0, false
		case s[0] == 'P' || s[0] == 'p':
			h = h%12 + 12
		case s[0] == 'A' || s[0] == 'a':
			h %= 12
		default:
			return 0, 0, false
		}
		s = strings.TrimLeft(s[2:], " ")
	}
	offset, ok = zoneOf(s)
	return h*3600 + m*60 + second, offset, ok
}

// zoneOf reads "", Z, +05:30, +0530 and +05, and the names UTC, GMT and IST.
func zoneOf(s string) (offset int, ok bool) {
	if s == "" {
		return indiaOffset, true
	}
	switch s[0] {
	case '+', '-':
	default:
		switch strings.ToUpper(s) {
		case "IST":
			return indiaOffset, true
		case "Z", "UTC", "GMT":
			return 0, true
		}
		return 0, false
	}
	digits := strings.Replace(s[1:], ":", "", 1)
	if len(digits) == 2 {
		digits += "00"
	}
	n, ok := decimal(digits)
	if len(digits) != 4 || !ok || n/100 > 14 || n%100 > 59 {
		return 0, false
	}
	offset = n/100*3600 + n%100*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// decimal reads a short run of digits.
func decimal(s string) (n int, ok bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != "" && len(s) <= 4
}

// time is the value read as a time.
func (v value) time() (t time.Time, ok bool) {
	if v.plain {
		return parseTime(string(bytes.TrimSpace(v.chars())))
	}
	return parseTime(v.word())
}

// moment is the value as a time between the oldest push and the given latest
// one. What is told and is no such time is a finding.
func (v value) moment(field string, latest time.Time, fs *faults) (time.Time, bool) {
	t, ok := v.time()
	code := UnreadableTime
	switch {
	case v.odd():
		code = OddType
	case !v.told():
		return time.Time{}, false
	case !ok:
	case t.Before(tooOld):
		code = OldTime
	case t.After(latest):
		code = FutureTime
	default:
		return t, true
	}
	fs.add(code, field, v.word())
	return time.Time{}, false
}

// eventTime is the value as the time of something that has happened, zero when
// it is not told, cannot be read, is older than any push or lies too far after
// its receipt.
func (v value) eventTime(field string, receivedAt time.Time, fs *faults) time.Time {
	t, _ := v.moment(field, receivedAt.Add(futureGrace), fs)
	return t
}

// maxEstimate is how far ahead a delivery may be estimated.
const maxEstimate = 2 * 366 * 24 * time.Hour

// day is the value as a day in India, YYYY-MM-DD: a date stays the date it is.
func (v value) day(field string, receivedAt time.Time, fs *faults) string {
	t, ok := v.moment(field, receivedAt.Add(maxEstimate), fs)
	if !ok {
		return ""
	}
	return t.In(india).Format(time.DateOnly)
}

// tooNew bounds times that are judged without a time of receipt.
var tooNew = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// plausibleTime is the value as a time that may be an event's, without asking
// when the push was received.
func (v value) plausibleTime() (time.Time, bool) {
	t, ok := v.time()
	if !ok || t.Before(tooOld) || !t.Before(tooNew) {
		return time.Time{}, false
	}
	return t, true
}
