package tracking_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	. "github.com/webazaar/waybill/internal/tracking"
)

func TestClaimIsProvedByPhoneOrEmail(t *testing.T) {
	t.Parallel()
	asha := &Contact{Name: "Asha Rao", Phone: "+91 90000-03210", Email: "Asha.Rao@Shop.example"}
	tests := []struct {
		name, typed string
		contact     *Contact
		want        bool
	}{
		{"last four digits", "3210", asha, true},
		{"with blanks around them", " 32 10 ", asha, true},
		{"the whole phone", "090000 03210", asha, true},
		{"Devanagari", "३२१०", asha, true},
		{"Tamil", "௩௨௧௦", asha, true},
		{"Urdu", "۳۲۱۰", asha, true},
		{"a phone in Devanagari", "3210", &Contact{Phone: "९०००००३२१०"}, true},
		{"other digits", "3211", asha, false},
		{"three digits", "210", asha, false},
		{"no digits", "****", asha, false},
		{"nothing", "", asha, false},
		{"the e-mail", "asha.rao@shop.example", asha, true},
		{"in capitals, with blanks", "\t ASHA.RAO@SHOP.EXAMPLE ", asha, true},
		{"with a name before it", "Asha <asha.rao@shop.example>", asha, true},
		{"copied with what cannot be seen", "asha.rao@shop.example\u200b\u00a0", asha, true},
		{"an e-mail kept with a name", "a@shop.example", &Contact{Email: `"Asha" <A@shop.example>`}, true},
		{"another e-mail", "asha.rao@shop.example.org", asha, false},
		{"no address", "@", asha, false},
		{"half an address", "asha.rao@", asha, false},
		{"digits that are the e-mail's", "3210", &Contact{Email: "3210@shop.example"}, false},
		{"an e-mail that ends in the phone's digits", "a@3210", &Contact{Phone: "90000 03210"}, false},
		{"the name", "Asha Rao", asha, false},
		{"no contact", "3210", nil, false},
		{"nothing for no contact", "", nil, false},
		{"nothing for an empty contact", "", &Contact{}, false},
		{"an @ for an empty contact", "@", &Contact{}, false},
		{"a phone too short to tell", "12", &Contact{Phone: "12"}, false},
	}
	for _, tt := range tests {
		got := NewClaim("WB-1", tt.typed).Choose([]Candidate{{OrderID: "it", Contact: tt.contact}}) == "it"
		if got != tt.want {
			t.Errorf("%s: %q for %+v is %v", tt.name, tt.typed, tt.contact, got)
		}
	}
	if NewClaim(" # ", "3210").Choose([]Candidate{{OrderID: "it", Contact: asha}}) != "" {
		t.Error("a claim without a number proves something")
	}
}

func TestClaimChoosesTheNewestThatItProves(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	mine, other := &Contact{Phone: "9000003210"}, &Contact{Phone: "9000009999"}
	candidates := []Candidate{
		{OrderID: "old", CreatedAt: day(1), Contact: mine},
		{OrderID: "newer", CreatedAt: day(5), Contact: mine},
		{OrderID: "newest, another's", CreatedAt: day(9), Contact: other},
		{OrderID: "no contact", CreatedAt: day(8)},
		{OrderID: "oldest", CreatedAt: day(0), Contact: mine},
	}
	if got := NewClaim("1", "3210").Choose(candidates); got != "newer" {
		t.Errorf("chose %q", got)
	}
	slices.Reverse(candidates)
	if got := NewClaim("1", "3210").Choose(candidates); got != "newer" {
		t.Errorf("chose %q, in another order", got)
	}
	if got := NewClaim("1", "0000").Choose(candidates); got != "" {
		t.Errorf("chose %q by wrong digits", got)
	}
	if got := NewClaim("1", "3210").Choose(nil); got != "" {
		t.Errorf("chose %q of none", got)
	}
}

func TestClaimKnowsANumberBySeveralSpellings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed, known string
		want         bool
	}{
		{"WB-1001", "WB-1001", true},
		{" wb-1001\n", "WB-1001", true},
		{"WB-1001", "wb-1001", true},
		{"#1001", "1001", true},
		{"1001", "#1001", true},
		{"# 1001", "#1001", true},
		{"10\x0001\u200b\xff", "1001", true},
		{"१००१", "1001", true},
		{"क-१", "क-१", true},
		{"1001", "10011", false},
		{"WB1001", "WB-1001", false},
		{strings.Repeat("1", 101), strings.Repeat("1", 101), false},
		{"#", "#", false},
	}
	for _, tt := range tests {
		if got := slices.Contains(NewClaim(tt.typed, "3210").Numbers(), tt.known); got != tt.want {
			t.Errorf("%q for %q is %v", tt.typed, tt.known, got)
		}
	}
}

// However a number is spelled, and whatever is typed beside it: it is found only
// by spellings whose tries count together, and nothing is proved by nothing.
func FuzzClaim(f *testing.F) {
	for _, seed := range [][3]string{
		{"WB-1001", "3210", "+91 90000 03210"},
		{"#१००१", "३२१०", "९०००००३२१०"},
		{"ſtraße ẞ İ", "A@B", "x <a@b>"},
		{"\xff#\x00", "\x00@", "<@>"},
		{"Ǆ", "@", ""},
		{"", "", ""},
		{"#", "<<a@b>>", "a@b>c"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, number, typed, known string) {
		claim := NewClaim(number, typed)
		for _, spelling := range claim.Numbers() {
			if !utf8.ValidString(spelling) || strings.ContainsFunc(spelling, unicode.IsControl) {
				t.Errorf("%q is looked up as %q, of which databases drop a part", number, spelling)
			}
			if again := NewClaim(spelling, typed); again.Subject() != claim.Subject() {
				t.Errorf("%q counts as %q, its spelling %q as %q", number, claim.Subject(), spelling, again.Subject())
			}
		}
		if (claim.Subject() == "") != (len(claim.Numbers()) == 0) {
			t.Errorf("%q is counted as %q and looked up as %q", number, claim.Subject(), claim.Numbers())
		}
		contact := &Contact{Phone: Text(known), Email: Text(known)}
		proved := claim.Choose([]Candidate{{OrderID: "it", Contact: contact}}) != ""
		if proved && (claim.Subject() == "" || len(typed) < 3 || len(known) < 3) {
			t.Errorf("%q, %q prove %q", number, typed, known)
		}
		// What is compared is settled: typing it again proves the same.
		if own := NewClaim(number, known); own.Choose([]Candidate{{OrderID: "it", Contact: contact}}) == "" && proved {
			t.Errorf("%q is proved by %q and not by itself", known, typed)
		}
	})
}
