package tracking

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPublicText is how many characters of a courier's text anyone may see.
const maxPublicText = 200

var (
	// personWord begins what a courier says about a person: everything from
	// there on goes. Whole words, any case; "MobileNo" and its like count too.
	personWord = regexp.MustCompile(`(?i)(^|[^\p{L}])(fe|rider|agent|name|mob|mobile|ph|phone|contact|call)(\s*no)?($|[^\p{L}])`)
	// longDigits is long enough to be a phone number.
	longDigits = regexp.MustCompile(`\+?\p{Nd}{7,}`)
	// spacedPhone is an Indian phone number written in groups.
	spacedPhone = regexp.MustCompile(`(\+?91[\s-]?)?\b[6-9]\d{1,4}[\s.-]\d{2,5}[\s.-]?\d{3,5}\b`)
	email       = regexp.MustCompile(`[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+`)
	tag         = regexp.MustCompile(`<[/!?]?[a-zA-Z][^>]*(>|$)|<!--.*?(-->|$)`)
)

// Scrub makes a courier's text fit for a buyer's screen and a live channel: cut
// at the first word that leads to a person, digit runs of seven and more
// masked, tags and control characters gone, at most 200 characters.
func Scrub(s string) string {
	s = clean(s, 4*maxPublicText)
	if at := personWord.FindStringSubmatchIndex(s); at != nil {
		s = s[:at[4]]
	}
	s = email.ReplaceAllString(s, "***")
	s = spacedPhone.ReplaceAllStringFunc(s, maskPhone)
	s = longDigits.ReplaceAllString(s, "***")
	s = strings.TrimRight(strings.TrimSpace(s), " :;,-–—([{/")
	return cut(s, maxPublicText)
}

// maskPhone masks a group of digits if there are enough of them for a phone.
func maskPhone(s string) string {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	if digits < 10 {
		return s
	}
	return "***"
}

// publicName is a courier's or channel's name as anyone may see it.
func publicName(s string) string {
	return longDigits.ReplaceAllString(clean(s, 80), "***")
}

// clean takes tags, control characters and broken UTF-8 out of s, makes every
// run of blanks one space, and keeps at most n characters.
func clean(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if strings.ContainsRune(s, '<') {
		s = tag.ReplaceAllString(s, " ")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c', r == '<', r == '>':
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), n)
}

// cut keeps at most n characters, the last of them an ellipsis where something
// was cut.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:n-1])) + "…"
}
