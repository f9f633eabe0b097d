package tracking

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Claim is what a buyer says to be shown an order: its number, and the last
// four digits of the phone or the e-mail that the shop registered with it. It
// keeps no contact, only what to compare one with.
type Claim struct {
	number string
	kind   string // of contact
	proof  [sha256.Size]byte
	empty  bool // nothing can be proved by it
}

// A Candidate is an order that goes by the number of a claim.
type Candidate struct {
	OrderID   string
	CreatedAt time.Time
	Contact   *Contact // nil: none was registered, or it was erased
}

// The kinds of contact that an order can be claimed by.
const (
	byPhone = "phone"
	byEmail = "email"
)

// endingDigits is how many digits of a phone are compared, maxNumber how many
// bytes the number of an order may have.
const endingDigits, maxNumber = 4, 100

// NewClaim reads what a buyer typed: an e-mail address, or of anything else the
// last four digits, in any script of India.
func NewClaim(number, contact string) Claim {
	c := Claim{number: bareNumber(number), kind: byEmail}
	value := emailAddress(contact)
	if value == "" {
		c.kind, value = byPhone, phoneEnding(contact)
	}
	c.proof, c.empty = proofOf(c.kind, value), value == "" || c.number == ""
	return c
}

// Numbers are the spellings under which the order may be known: buyers leave a
// "#" out or put one there, and do not heed capitals. None if no order can be
// meant.
func (c Claim) Numbers() []string {
	var numbers []string
	if c.number == "" {
		return nil
	}
	for _, plain := range []string{c.number, westernDigits(c.number)} {
		for _, n := range []string{plain, strings.ToUpper(plain), strings.ToLower(plain)} {
			if foldNumber(n) == foldNumber(plain) {
				numbers = append(numbers, n, "#"+n)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// Subject is what tries are counted by: one for all spellings of a number, but
// another for e-mails than for phones, so that who guesses four digits does not
// lock out the buyer who knows his address. "" if no order can be meant.
func (c Claim) Subject() string {
	if c.number == "" {
		return ""
	}
	return c.kind + " " + foldNumber(c.number)
}

// Choose is the id of the newest candidate whose contact the claim proves, ""
// if it proves none. It compares with all of them in constant time.
func (c Claim) Choose(candidates []Candidate) string {
	var chosen Candidate
	for _, candidate := range candidates {
		proved := c.proves(candidate.Contact)
		if proved && (chosen.OrderID == "" || candidate.CreatedAt.After(chosen.CreatedAt)) {
			chosen = candidate
		}
	}
	return chosen.OrderID
}

func (c Claim) proves(contact *Contact) bool {
	var known Contact
	if contact != nil {
		known = *contact
	}
	phone := proofOf(byPhone, phoneEnding(string(known.Phone)))
	email := proofOf(byEmail, emailAddress(string(known.Email)))
	return subtle.ConstantTimeCompare(c.proof[:], phone[:])|subtle.ConstantTimeCompare(c.proof[:], email[:]) == 1 && !c.empty
}

func proofOf(kind, value string) [sha256.Size]byte {
	return sha256.Sum256([]byte(kind + "\x00" + value))
}

// phoneEnding is the last four digits of a phone, "" if it has fewer.
func phoneEnding(phone string) string {
	var digits []byte
	for _, r := range phone {
		if d, ok := digitOf(r); ok {
			digits = append(digits, d)
		}
	}
	if len(digits) < endingDigits {
		return ""
	}
	return string(digits[len(digits)-endingDigits:])
}

// emailAddress is an e-mail address as it is compared: without the name that
// may stand before it, without blanks and invisible characters that are copied
// along, in lower case. "" if it is none.
func emailAddress(s string) string {
	if at := strings.LastIndexByte(s, '<'); at >= 0 {
		s, _, _ = strings.Cut(s[at+1:], ">")
	}
	s = strings.ToLower(strings.Map(visible, s))
	if at := strings.LastIndexByte(s, '@'); at < 1 || at == len(s)-1 {
		return ""
	}
	return s
}

// bareNumber is an order's number without what is around it and what cannot be
// seen in it, or a number could be spelled anew for every try; "" if there is
// none, or none that an order can have.
func bareNumber(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return visible(r)
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(strings.TrimLeft(s, "# "))
	if len(s) > maxNumber {
		return ""
	}
	return s
}

func foldNumber(s string) string {
	return strings.ToLower(westernDigits(bareNumber(s)))
}

func westernDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if d, ok := digitOf(r); ok {
			return rune(d)
		}
		return r
	}, s)
}

// visible drops blanks, control and format characters.
func visible(r rune) rune {
	if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// zeros are the noughts of the scripts that phones in India write digits in,
// each followed by its other nine.
var zeros = []rune{
	'0', '\u0660', '\u06f0', // Latin, Arabic, Urdu
	'\u0966', '\u09e6', '\u0a66', '\u0ae6', '\u0b66', // Devanagari, Bengali, Gurmukhi, Gujarati, Odia
	'\u0be6', '\u0c66', '\u0ce6', '\u0d66', // Tamil, Telugu, Kannada, Malayalam
	'\uff10', // full width
}

func digitOf(r rune) (byte, bool) {
	for _, zero := range zeros {
		if r >= zero && r < zero+10 {
			return byte('0' + r - zero), true
		}
	}
	return 0, false
}
