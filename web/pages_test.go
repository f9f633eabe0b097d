package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

var (
	now   = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	frame = Frame{
		Shop: Shop{
			Name:       "Chai & Co",
			LogoURL:    "https://shop.example/logo.png",
			Color:      "#C0392B",
			SupportURL: "https://shop.example/help",
		},
		Language: "en-IN",
		Nonce:    "n0nce",
	}
)

func page(t *testing.T, snapshot string) string {
	t.Helper()
	var out bytes.Buffer
	err := TrackingPage(&out, PageData{
		Frame:    frame,
		OrderID:  "01jdemo000000000000000000a",
		Snapshot: []byte(snapshot),
		Realtime: Realtime{Key: "key", Host: "live.example", Port: 6001},
		Now:      now,
	})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, out.String())
	return out.String()
}

var (
	tag        = regexp.MustCompile(`(?s)<[a-zA-Z][^>]*>`)
	quoted     = regexp.MustCompile(`"[^"]*"`)
	unsafe     = regexp.MustCompile(`(?i)\s(style|on[a-z]+)\s*=`)
	scriptTag  = regexp.MustCompile(`(?i)<script\b[^>]*>`)
	settingsOf = regexp.MustCompile(`(?s)<script type="application/json" id="settings"[^>]*>(.*?)</script>`)
)

// clean fails unless a page works under ContentSecurityPolicy.
func clean(t *testing.T, page string) {
	t.Helper()
	for _, each := range tag.FindAllString(page, -1) {
		if unsafe.MatchString(quoted.ReplaceAllString(each, `""`)) {
			t.Errorf("inline style or handler: %s", each)
		}
	}
	for _, each := range scriptTag.FindAllString(page, -1) {
		if !strings.Contains(each, `nonce="n0nce"`) {
			t.Errorf("script without the nonce: %s", each)
		}
	}
	if strings.Contains(strings.ToLower(page), "<style") || strings.Contains(page, "javascript:") {
		t.Error("inline style sheet or script address")
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("a template refused a value")
	}
	for _, want := range []string{`<meta name="robots" content="noindex`, `name="referrer" content="no-referrer"`, `lang="en"`} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
}

func contains(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q:\n%s", want, page)
		}
	}
}

func TestTrackingPageIsWholeWithoutScript(t *testing.T) {
	t.Parallel()
	got := page(t, `{"orderId":"01jdemo","orderNumber":"SO-1042","version":3,"updatedAt":"2026-11-23T09:27:00Z","shipments":[
		{"id":"a","direction":"forward","awbCode":"19041424751540","courierName":"Delhivery Surface","milestone":"in_transit",
		 "estimatedDelivery":"2026-11-25","firstEstimatedDelivery":"2026-11-23","legs":[],"trackingHistory":[
			{"status":"PICKED UP","milestone":"picked_up","timestamp":"2026-11-19T10:02:00Z","location":"Chomu","description":null},
			{"status":"IN TRANSIT","milestone":"in_transit","timestamp":"2026-11-20T06:53:00Z","location":"Jaipur","description":"Trip arrived"},
			{"status":"IN TRANSIT","milestone":null,"timestamp":"2026-11-20T09:53:00Z","location":null,"description":"System weight captured"},
			{"status":"IN TRANSIT","milestone":"in_transit","timestamp":"2026-11-22T19:00:00Z","location":"Bhiwandi","description":null}]}]}`)
	contains(t, got,
		"<title>Order SO-1042 · Chai &amp; Co</title>",
		`<h2 class="waybill-headline">Arriving Wed, 25 Nov</h2>`,
		"Delayed by 2 days, was Mon, 23 Nov",
		`<span class="waybill-part" lang="en" translate="no">Bhiwandi</span> <span class="waybill-part"><span class="waybill-dot">· </span>In transit</span> `+
			`<span class="waybill-part waybill-ago"><span class="waybill-dot">· </span>14 h ago</span>`,
		"<strong>In transit</strong> · Step 3 of 5",
		"Delhivery Surface", "19041424751540",
		// 19:00 in London is past midnight in India.
		`<p class="waybill-day-name">Today</p>`, ">12:30 am</time>",
		"Show all 4 updates", "Times are in Indian time (IST).",
		`<noscript><meta http-equiv="refresh" content="60"></noscript>`,
		`<a href="https://shop.example/help" rel="noreferrer">Contact Chai &amp; Co</a>`,
		`<img src="https://shop.example/logo.png" alt="Chai &amp; Co">`,
		`<link rel="stylesheet" href="/assets/theme-c0392b.css">`,
		"updated 3 min ago",
	)
}

func TestPagesCanBeReadInHindi(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	inHindi := frame
	inHindi.Language = "hi-IN"
	err := TrackingPage(&out, PageData{Frame: inHindi, Now: now, WatchToken: "t0ken", Snapshot: []byte(`{"orderId":"x","orderNumber":"SO-1042",
		"version":1,"updatedAt":"2026-11-23T09:27:00Z","shipments":[{"id":"a","direction":"forward","awbCode":"19041424751540",
		"milestone":"delivery_failed","deliveryAttempts":1,"undeliveredReason":"Consignee unavailable","trackingHistory":[
		{"status":"HELD","milestone":null,"timestamp":"2026-11-23T08:00:00Z","location":"Pune_Hub","description":"Bag held"}]},{"id":"b","direction":"forward","milestone":"teleported",
		"currentStatus":"HELD_AT CUSTOMS","trackingHistory":[]}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), `<html lang="hi">`, "ऑर्डर SO-1042", "कूरियर आपका पार्सल डिलीवर नहीं कर पाया",
		"कूरियर की बताई वजह: “Consignee unavailable”।", "अब क्या होगा", "3 मिनट पहले अपडेट हुआ",
		`<p class="waybill-event-title" lang="en" translate="no">Held</p>`, `<p class="waybill-words" lang="en" translate="no">Bag held</p>`,
		`<p class="waybill-place" lang="en" translate="no">Pune Hub</p>`, `<h2 class="waybill-headline">कूरियर`,
		`<h2 class="waybill-headline" lang="en" translate="no">Held at customs</h2>`,
		`<span class="waybill-part" lang="en" translate="no"><span class="waybill-dot">· </span>Held</span>`,
		`<span lang="hi" aria-current="true">हिन्दी</span>`, `<a href="?lang=en" hreflang="en" lang="en" rel="alternate nofollow">English</a>`,
		`"watchToken":"t0ken"`, "Chai &amp; Co से संपर्क करें")
}

func TestTrackingPageHandsItsScriptTheSameData(t *testing.T) {
	t.Parallel()
	snapshot := `{"orderId":"01jdemo","orderNumber":null,"version":3,"shipments":[]}`
	match := settingsOf.FindStringSubmatch(page(t, snapshot))
	if match == nil {
		t.Fatal("no settings in the page")
	}
	var settings map[string]any
	if err := json.Unmarshal([]byte(match[1]), &settings); err != nil {
		t.Fatalf("%v in %s", err, match[1])
	}
	want := map[string]any{
		"orderId": "01jdemo000000000000000000a", "apiUrl": "", "lang": "en",
		"soketiKey": "key", "soketiHost": "live.example", "soketiPort": 6001.0,
	}
	for name, value := range want {
		if settings[name] != value {
			t.Errorf("setting %s is %v, want %v", name, settings[name], value)
		}
	}
	if version := settings["snapshot"].(map[string]any)["version"]; version != 3.0 {
		t.Errorf("snapshot has version %v", version)
	}
}

func TestTrackingPageOfEveryMilestone(t *testing.T) {
	t.Parallel()
	for _, milestone := range tracking.Milestones {
		got := page(t, fmt.Sprintf(`{"orderId":"x","orderNumber":"1","version":1,"shipments":[
			{"id":"a","direction":"forward","milestone":%q,"currentStatus":"X","trackingHistory":[]}]}`, milestone))
		contains(t, got, `<h2 class="waybill-headline">`, `aria-current="step"`, `<path d="`)
	}
}

func TestTrackingPageEscapesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	hostile := `</script><script>alert(1)</script><img src=x onerror=alert(1) style=x>"'`
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf(`{"status":%[1]s,"milestone":null,"timestamp":"2026-11-23T08:00:00Z","location":%[1]s,"description":%[1]s}`, text)
	for _, milestone := range []string{`null`, `"delivery_failed"`, string(text)} {
		var out bytes.Buffer
		err := TrackingPage(&out, PageData{
			Frame: Frame{
				Shop:     Shop{Name: hostile, LogoURL: "javascript:alert(1)", Color: "red;}", SupportURL: "javascript:alert(1)"},
				Language: hostile, Nonce: "n0nce",
			},
			OrderID: hostile,
			Snapshot: fmt.Appendf(nil, `{"orderId":"x","orderNumber":%[1]s,"version":1,"shipments":[{"id":%[1]s,"direction":%[1]s,
				"awbCode":%[1]s,"courierName":%[1]s,"milestone":%[2]s,"currentStatus":%[1]s,"undeliveredReason":%[1]s,
				"estimatedDelivery":%[1]s,"legs":[{"awbCode":%[1]s,"kind":"rto"}],"trackingHistory":[%[3]s]}]}`, text, milestone, line),
			Realtime: Realtime{Key: hostile, Host: hostile},
			Now:      now,
		})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(out.String(), "#ZgotmplZ", "")
		clean(t, got)
		if strings.Contains(got, "<script>") || strings.Contains(got, "<img src=x") {
			t.Errorf("text became markup:\n%s", got)
		}
		if count := strings.Count(got, "<script"); count != 2 {
			t.Errorf("%d scripts, want the page's own two", count)
		}
	}
}

func TestTrackingPageRefusesWhatIsNoSnapshot(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := TrackingPage(&out, PageData{Frame: frame, Snapshot: []byte(`{"shipments":"none"}`)})
	var fault *json.UnmarshalTypeError
	if !errors.As(err, &fault) || out.Len() != 0 {
		t.Errorf("error %v after %d bytes", err, out.Len())
	}
}

func TestNotFoundPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := NotFoundPage(&out, frame); err != nil {
		t.Fatal(err)
	}
	clean(t, out.String())
	contains(t, out.String(), "We cannot find this order", `href="/track?lang=en"`)
}

func TestSupportLinks(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://shop.example/help?a=1&b=2": "https://shop.example/help?a=1&b=2",
		"mailto:help@shop.example":          "mailto:help@shop.example",
		"tel:+911234567890":                 "tel:+911234567890",
		"javascript:alert(1)":               "",
		"/help":                             "",
		"":                                  "",
	} {
		if got := string(supportLink(link)); got != want {
			t.Errorf("supportLink(%q) = %q, want %q", link, got, want)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                                 "en",
		"de":                               "en",
		"en-IN,en;q=0.9":                   "en",
		"de, en;q=0.5":                     "en",
		"hi":                               "hi",
		"hi-IN,hi;q=0.9,en;q=0.8":          "hi",
		"en-IN,hi;q=0.9":                   "en",
		"en;q=0.4, hi-IN;q=0.8":            "hi",
		"en;q=0":                           "en",
		strings.Repeat("x;q=nonsense,", 9): "en",
	} {
		if got := Language(header); got != want {
			t.Errorf("Language(%q) = %q, want %q", header, got, want)
		}
	}
}
