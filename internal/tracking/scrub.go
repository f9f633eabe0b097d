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
	// handedTo is how couriers name who took the parcel; general words for
	// them may stay.
	handedTo = regexp.MustCompile(`(?i)(^|[^\p{L}])(delivered|handed(?:\s+over)?|received|accepted|signed|collected)\s+(?:to|by|from)\s*:?\s*([\p{L}]+)`)
	anybody  = regexp.MustCompile(`(?i)^(consignee|customer|shipper|seller|self|neighbou?r|security|receiver|recipient|addressee|the|destination|facility|hub|branch|courier|warehouse|origin|delhivery)$`)
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
	f := survey(s)
	s = s[:f.person]
	if f.handed {
		s = cutWhoTookIt(s)
	}
	if strings.ContainsRune(s, '@') {
		s = email.ReplaceAllString(s, "***")
	}
	if f.digits >= 7 {
		s = spacedPhone.ReplaceAllStringFunc(s, maskPhone)
		s = longDigits.ReplaceAllString(s, "***")
	}
	s = strings.TrimRight(strings.TrimSpace(s), " :;,-–—([{/")
	return cut(s, maxPublicText)
}

// findings are what a text holds that needs a closer look.
type findings struct {
	person int // where the first word about a person begins, else the text's length
	digits int
	handed bool // a verb that may name who took the parcel
}

// survey reads a text once. Nearly all texts hold nothing; looking for it word
// by word costs a tenth of what patterns do.
func survey(s string) findings {
	f := findings{person: len(s)}
	begun := -1
	word := func(end int) bool {
		if begun < 0 {
			return false
		}
		w := s[begun:end]
		if len(w) <= 9 {
			switch strings.ToLower(w) {
			case "fe", "rider", "agent", "name", "mob", "mobile", "ph", "phone", "contact", "call",
				"mobno", "mobileno", "phno", "phoneno", "contactno":
				f.person = begun
				return true
			case "delivered", "handed", "received", "accepted", "signed", "collected":
				f.handed = true
			}
		}
		begun = -1
		return false
	}
	for i, r := range s {
		switch {
		case unicode.IsLetter(r):
			if begun < 0 {
				begun = i
			}
			continue
		case unicode.IsDigit(r):
			f.digits++
		}
		if word(i) {
			return f
		}
	}
	word(len(s))
	return f
}

// cutWhoTookIt ends a text before the name of whoever took the parcel.
func cutWhoTookIt(s string) string {
	for _, at := range handedTo.FindAllStringSubmatchIndex(s, -1) {
		if !anybody.MatchString(s[at[6]:at[7]]) {
			return s[:at[5]]
		}
	}
	return s
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
	if len(s) <= n && isClean(s) {
		return s
	}
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

// isClean reports whether s is plain ASCII that clean would leave as it is:
// nearly all texts are.
func isClean(s string) bool {
	blank := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == '<' || c == '>' || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return !blank || s == ""
}

// cut keeps at most n characters, the last of them an ellipsis where something
// was cut.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:n-1])) + "…"
}
