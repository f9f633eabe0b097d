package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lookUp sends the form as a browser does.
func (h *house) lookUp(number, contact string, headers ...string) answer {
	h.t.Helper()
	form := url.Values{"number": {number}, "contact": {contact}}
	return h.do("POST", "/track", form.Encode(), append([]string{
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin",
	}, headers...)...)
}

// registered makes an order with a contact, and returns its id.
func (h *house) registered(number, channel, phone, email string) string {
	h.t.Helper()
	return h.admin("POST", "/api/orders", asJSON(map[string]any{
		"number": number, "channelId": channel, "contact": map[string]any{"name": "Asha Rao", "phone": phone, "email": email},
	})).data()["id"].(string)
}

// leadsTo checks that a look-up came to an order's page.
func (a answer) leadsTo(id string) {
	a.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/track/"+id || a.header.Get("Cache-Control") != "no-store" {
		a.t.Errorf("%d to %q, want %s", a.status, a.header.Get("Location"), id)
	}
}

func TestLookUpByNumberAndContact(t *testing.T) {
	t.Parallel()
	h := setup(t)
	id := h.registered("WB-1", "7", "+91 90000 03210", "Asha@Shop.example")
	for _, typed := range [][2]string{
		{"WB-1", "3210"}, {" wb-1 ", "90000-03210"}, {"#WB-1", "३२१०"}, {"WB-1", "asha@shop.example"}, {"WB-1", " ASHA@SHOP.EXAMPLE "},
	} {
		h.lookUp(typed[0], typed[1]).leadsTo(id)
	}
	if a := h.lookUp("WB-1", "3210"); strings.Contains(a.body+fmt.Sprint(a.header), "3210") {
		t.Errorf("the answer repeats the contact: %v", a.header)
	}
	form := url.Values{"number": {"WB-1"}, "contact": {"3210"}}.Encode()
	if a := h.do("POST", "/track?lang=en", form); a.header.Get("Location") != "/track/"+id+"?lang=en" {
		t.Errorf("the language that was asked for is lost: %q", a.header.Get("Location"))
	}
	if a := h.do("GET", "/track?"+form, ""); a.status != http.StatusOK || strings.Contains(a.body, id) {
		t.Errorf("by GET: %d", a.status)
	}
	if log := h.lines.String(); strings.Contains(log, "3210") || strings.Contains(log, "३२१०") || strings.Contains(strings.ToLower(log), "asha@") || strings.Contains(log, "WB-1") {
		t.Errorf("what was looked up is in the log:\n%s", log)
	}
}

func TestLookUpAmongOrdersOfOneNumber(t *testing.T) {
	t.Parallel()
	h := setup(t)
	first := h.registered("N-1", "7", "9000003210", "")
	h.now = h.now.Add(time.Hour)
	second := h.registered("N-1", "8", "9111103210", "b@shop.example")
	h.now = h.now.Add(time.Hour)
	third := h.registered("N-1", "9", "9222209999", "")
	h.lookUp("N-1", "3210").leadsTo(second) // both match: the newest
	h.lookUp("N-1", "9999").leadsTo(third)
	h.lookUp("N-1", "b@shop.example").leadsTo(second)
	h.do("DELETE", "/api/orders/"+second+"/personal-data", "", "Authorization", "Bearer "+adminToken)
	h.lookUp("N-1", "3210").leadsTo(first)
}

func TestLookUpByCode(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	h.do("GET", "/track?order=+"+id, "").leadsTo(id)
	h.do("POST", "/track", "order=+"+id+"+").leadsTo(id)
	for _, guess := range []string{"N-1", "77001", "501", "nobody"} {
		for _, a := range []answer{h.do("GET", "/track?order="+guess, ""), h.do("POST", "/track", "order="+guess)} {
			if a.status != http.StatusNotFound || strings.Contains(a.body, id) || !strings.Contains(a.body, "We cannot find an order under this code") {
				t.Errorf("%s leads to an order: %d", guess, a.status)
			}
		}
	}
}

// Whatever is wrong is answered with the same status, headers and bytes, but for
// the nonce and the number that was typed.
func TestWrongLookUpsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.registered("N-1", "7", "9000003210", "asha@shop.example")
	h.registered("N-2", "7", "", "")
	erased := h.registered("N-3", "7", "9000003210", "asha@shop.example")
	h.do("DELETE", "/api/orders/"+erased+"/personal-data", "", "Authorization", "Bearer "+adminToken)
	h.push(event("77004", 504, "N-4", "IN TRANSIT", "2026-11-22 10:00:00")) // never registered
	h.registered("N-5", "7", "9000003210", "")
	h.registered("N-5", "8", "9000003210", "") // two of a number, and neither is his
	h.registered("N-6", "7", "321", "a@b")
	kinds := []struct{ name, number, contact string }{
		{"unknown number", "N-9", "3210"},
		{"unknown number, an e-mail", "N-9", "asha@shop.example"},
		{"other digits", "N-1", "3211"},
		{"another e-mail", "N-1", "asha@shop.example.org"},
		{"the name", "N-1", "Asha Rao"},
		{"no contact typed", "N-1", ""},
		{"too few digits", "N-1", "210"},
		{"an empty contact", "N-2", "3210"},
		{"nothing for an empty contact", "N-2", ""},
		{"an erased contact", "N-3", "3210"},
		{"an erased e-mail", "N-3", "asha@shop.example"},
		{"never registered", "N-4", "3210"},
		{"of several", "N-5", "0000"},
		{"a phone too short", "N-6", "321"},
		{"a broken e-mail", "N-6", "a@"},
		{"the AWB as number", "77004", "3210"},
		{"the id as number", erased, "3210"},
		{"no number", "", "3210"},
		{"a sign for a number", "#", "3210"},
		{"what no database takes", "N-1\x00\xff", "3211"},
		{"a long number", strings.Repeat("9", 2000), "3210"},
		{"a long contact", "N-1", strings.Repeat("1", 2000)},
	}
	var want string
	for _, kind := range kinds {
		h.now = h.now.Add(25 * time.Hour) // no limit is reached
		a := h.lookUp(kind.number, kind.contact)
		if a.status != http.StatusNotFound {
			t.Fatalf("%s: %d %v", kind.name, a.status, a.header)
		}
		body := nonceless(a)
		typed := `value="` + strings.ToValidUTF8(strings.ReplaceAll(kind.number, "\x00", "\uFFFD"), "") + `"`
		if kind.number != "" && !strings.Contains(body, typed) {
			t.Errorf("%s: the number is not there to be mended", kind.name)
		}
		body = strings.Replace(body, typed, `value=""`, 1)
		header := maps.Clone(a.header)
		header.Del("Content-Length")
		header.Set("Content-Security-Policy", strings.Replace(header.Get("Content-Security-Policy"), nonceOf.FindStringSubmatch(header.Get("Content-Security-Policy"))[1], "", 1))
		got := fmt.Sprint(a.status, header, body)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s is answered unlike the others:\n%s", kind.name, got)
		}
		if strings.Contains(a.body, "shop.example") || kind.contact != "" && len(kind.contact) > 3 && strings.Contains(a.body, kind.contact) {
			t.Errorf("%s: the contact is on the page", kind.name)
		}
	}
}

// One number's contact cannot be guessed, from however many addresses: what is
// left of ten thousand endings after ninety days of trying is nearly all. Who
// knows the e-mail is not locked out by it.
func TestLookUpsOfOneNumberAreFew(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"N-1", "N-9"} { // known and not: nobody can tell
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			h := setup(t)
			id := h.registered("N-1", "7", "9000009999", "asha@shop.example")
			tried, waits := 0, []string{}
			begun := h.now
			for n := 0; h.now.Sub(begun) < 90*24*time.Hour; n++ {
				spelled := []string{number, strings.ToLower(number), "#" + number, " " + number, number + strings.Repeat("\x00", n%50), strings.Repeat("\u200b", n%25) + number + "\xff"}[n%6]
				a := h.lookUp(spelled, fmt.Sprintf("%04d", tried), "peer", fmt.Sprintf("198.51.%d.%d:9", n/250%250, n%250))
				if a.status == http.StatusNotFound {
					tried++
					continue
				}
				if a.status != http.StatusTooManyRequests || !strings.Contains(a.body, "Too many tries") {
					t.Fatalf("%d: %s", a.status, a.body)
				}
				wait, err := time.ParseDuration(a.header.Get("Retry-After") + "s")
				if err != nil || wait <= 0 {
					t.Fatalf("wait %q", a.header.Get("Retry-After"))
				}
				if len(waits) < 4 {
					waits = append(waits, wait.String())
				}
				if tried == 5 {
					h.lookUp(number, "9999", "peer", "203.0.113.200:1").isTooOften() // right or wrong: not now
				}
				h.now = h.now.Add(wait)
			}
			if got, want := strings.Join(waits, " "), "1m0s 2m0s 4m0s 8m0s"; got != want || tried > 120 || tried < 50 {
				t.Errorf("%d guesses; waits %s, want %s", tried, got, want)
			}
			t.Logf("%d guesses in ninety days", tried)
			if number == "N-1" {
				h.lookUp(number, "asha@shop.example", "peer", "203.0.113.200:1").leadsTo(id)
			}
		})
	}
}

func (a answer) isTooOften() {
	a.t.Helper()
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		a.t.Errorf("%d %v", a.status, a.header)
	}
}

// A hundred tries at once are a hundred tries.
func TestLookUpsAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.registered("N-1", "7", "9000009999", "")
	var wrong, refused atomic.Int32
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			switch h.lookUp("N-1", fmt.Sprintf("%04d", n), "peer", fmt.Sprintf("198.51.100.%d:9", n)).status {
			case http.StatusNotFound:
				wrong.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 5 || refused.Load() != 95 {
		t.Errorf("%d tried and %d refused, want 5 and 95", wrong.Load(), refused.Load())
	}
}

// A buyer who finds his order is not counted, neither for the number nor for the
// address that he may share with thousands; and gives nobody new guesses.
func TestRightLookUpsAreNotCounted(t *testing.T) {
	t.Parallel()
	h := setup(t)
	id := h.registered("N-1", "7", "9000009999", "")
	for range 200 {
		h.lookUp("N-1", "9999").leadsTo(id)
	}
	for n := range 4 {
		if a := h.lookUp("N-1", fmt.Sprintf("%04d", n)); a.status != http.StatusNotFound {
			t.Fatalf("wrong try %d: %d", n, a.status)
		}
		h.lookUp("N-1", "9999").leadsTo(id)
	}
	if a := h.lookUp("N-1", "4444"); a.status != http.StatusNotFound {
		t.Errorf("the fifth wrong try: %d", a.status)
	}
	h.lookUp("N-1", "9999").isTooOften()
}

// One peer may be wrong a few times, over all numbers; IPv6 counts by network.
func TestLookUpsOfOnePeerAreFew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, peers, other string }{
		{"IPv4", "198.51.100.7:%d", "198.51.100.8:1"}, {"IPv6", "[2001:db8::%x]:1", "[2001:db8:0:1::1]:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t)
			id := h.registered("WB-1", "7", "9000009999", "")
			got := map[int]int{}
			for n := range 100 {
				got[h.lookUp(fmt.Sprintf("N-%d", n), "0000", "peer", fmt.Sprintf(tt.peers, n+1)).status]++
			}
			if got[404] != 20 || got[429] != 80 {
				t.Errorf("%v, want 20 of 404 and the rest 429", got)
			}
			peer := fmt.Sprintf(tt.peers, 1)
			h.lookUp("WB-1", "9999", "peer", peer).isTooOften()
			h.lookUp("WB-1", "9999", "peer", tt.other).leadsTo(id)
			h.now = h.now.Add(20 * time.Second)
			h.lookUp("WB-1", "9999", "peer", peer).leadsTo(id)
		})
	}
}

func TestLookUpsFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	h := setup(t)
	id := h.registered("N-1", "7", "9000003210", "")
	form := url.Values{"number": {"N-1"}, "contact": {"3210"}}.Encode()
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Origin", "http://track.shop.example"},
	} {
		a := h.do("POST", "/track", form, headers...)
		a.is(http.StatusForbidden, `{"success":false,"code":"forbidden","message":"Forbidden"}`)
	}
	for _, headers := range [][]string{
		nil, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", "http://example.com"}, {"Origin", "https://track.shop.example"},
	} {
		h.do("POST", "/track", form, headers...).leadsTo(id)
	}
}

func TestLookUpTakesNothingButItsForm(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if a := h.do("POST", "/track", strings.Repeat("a", 5000)); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", a.status)
	}
	if a := h.do("POST", "/track", "number=%zz"); a.status != http.StatusBadRequest {
		t.Errorf("no form: %d", a.status)
	}
	if a := h.do("POST", "/track", ""); a.status != http.StatusNotFound {
		t.Errorf("an empty form: %d", a.status)
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 50 { // nobody's wrong tries
		if a := h.lookUp("N-1", "3210"); a.status != http.StatusServiceUnavailable {
			t.Fatalf("without a database: %d", a.status)
		}
	}
}

// How long each kind of wrong takes: in turn, so that a busy machine is busy for
// all of them.
func BenchmarkWrongLookUp(b *testing.B) {
	h := setup(b)
	h.registered("N-1", "7", "9000003210", "asha@shop.example")
	h.push(event("77004", 504, "N-4", "IN TRANSIT", "2026-11-22 10:00:00"))
	kinds := map[string][2]string{
		"unknown": {"N-9", "3211"}, "digits": {"N-1", "3211"}, "email": {"N-1", "a@b.example"}, "unregistered": {"N-4", "3211"},
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		for name, typed := range kinds {
			h.now = h.now.Add(25 * time.Hour)
			begun := time.Now()
			if a := h.lookUp(typed[0], typed[1]); a.status != http.StatusNotFound {
				b.Fatal(a.status)
			}
			took[name] = append(took[name], time.Since(begun))
		}
	}
	for name, all := range took {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs/"+name)
	}
}
