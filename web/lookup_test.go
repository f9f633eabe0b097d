package web

import (
	"bytes"
	"strings"
	"testing"
)

func lookup(t *testing.T, data LookupData) string {
	t.Helper()
	data.Frame = frame
	var out bytes.Buffer
	if err := LookupPage(&out, data); err != nil {
		t.Fatal(err)
	}
	// Its own forms must be told from strangers': see the page's handler.
	page := out.String()
	if strings.LastIndex(page, `<meta name="referrer" content="same-origin">`) < strings.LastIndex(page, `content="no-referrer"`) {
		t.Error("forms are sent without an origin")
	}
	clean(t, page)
	return page
}

func TestLookupPageAsksByPost(t *testing.T) {
	t.Parallel()
	got := lookup(t, LookupData{Query: "?lang=en"})
	contains(t, got, `<title>Track your order</title>`, `<input id="number" name="number" value=""`, `<input id="contact" name="contact" required`,
		`<input id="order" name="order" value=""`, "Last 4 digits of your phone, or your e-mail")
	if n := strings.Count(got, `action="/track?lang=en" method="post"`); n != 2 {
		t.Errorf("%d forms go to /track by POST, want 2:\n%s", n, got)
	}
	if strings.Contains(got, "alert") || strings.Contains(got, "aria-invalid") || strings.Contains(got, "<details class=\"page-code\" open") {
		t.Error("a fault before anything was asked")
	}
	contains(t, lookup(t, LookupData{}), `action="/track" method="post"`)
}

func TestLookupPageSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		data        LookupData
		want        []string
		open, wrong bool
	}{
		{LookupData{Number: `"><b>`, Fault: NothingFound}, []string{`value="&#34;&gt;&lt;b&gt;"`, "We cannot find an order with this number and this phone or e-mail"}, false, true},
		{LookupData{Number: "N-1", Fault: TooManyTries}, []string{`value="N-1"`, "Too many tries"}, false, false},
		{LookupData{Code: `"><b>`, Fault: NoSuchCode}, []string{`value="&#34;&gt;&lt;b&gt;"`, "We cannot find an order under this code"}, true, true},
	} {
		got := lookup(t, tt.data)
		contains(t, got, append(tt.want, `role="alert"`, `id="fault"`)...)
		if strings.Contains(got, `aria-invalid="true"`) != tt.wrong {
			t.Errorf("%s: fields are called wrong: want %v", tt.data.Fault, tt.wrong)
		}
		if strings.Count(got, `role="alert"`) != 1 || strings.Contains(got, `<details class="page-code" open>`) != tt.open {
			t.Errorf("%s: one fault, where it is, want:\n%s", tt.data.Fault, got)
		}
		if title, _, _ := strings.Cut(got, "</title>"); !strings.Contains(title, "<title>"+tt.want[1]) {
			t.Errorf("%s: the title does not say it: %s", tt.data.Fault, title)
		}
	}
}
