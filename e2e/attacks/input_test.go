package attacks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// raw sends bytes as they are on a connection of its own, and returns the
// status of the answer, 0 for none.
func (s *server) raw(parts ...string) int {
	nc, err := s.dial()
	if err != nil {
		return 0
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { // the server may answer before it has read all of it
		for _, p := range parts {
			if _, err := io.WriteString(nc, p); err != nil {
				return
			}
		}
		_ = nc.(*net.TCPConn).CloseWrite()
	}()
	head := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(nc, head); err != nil {
		return 0
	}
	var status int
	if _, err := fmt.Sscanf(string(head), "HTTP/1.1 %d", &status); err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, nc)
	return status
}

const rawHead = "POST " + webhookPath + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: " + webhookToken + "\r\n"

// Bodies that are not what they should be are kept for whoever looks into it,
// and requests that are read in two ways are read in none.
func TestWrongEncodings(t *testing.T) {
	s := serve(t)
	text := string(event("ENCODED", 1, "IN TRANSIT", time.Now().Add(-time.Hour)))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	wide := func(big bool) []byte {
		var b []byte
		for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(text))...) {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
		return b
	}
	bodies := []struct {
		body    []byte
		headers []string
	}{
		{zipped.Bytes(), []string{"Content-Encoding", "gzip"}},
		{zipped.Bytes(), nil},
		{wide(true), []string{"Content-Type", "application/json; charset=utf-16"}},
		{wide(false), nil},
		{[]byte("awb=ENCODED&current_status=DELIVERED"), []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{[]byte("--x\r\nContent-Disposition: form-data; name=\"awb\"\r\n\r\nENCODED\r\n--x--"), []string{"Content-Type", "multipart/form-data; boundary=x"}},
		{[]byte(base64.StdEncoding.EncodeToString([]byte(text))), nil},
		{[]byte("<awb>ENCODED</awb>"), []string{"Content-Type", "application/xml"}},
		{[]byte("[" + text + "]"), nil},
		{[]byte(text + text), nil},
		{[]byte("'" + text + "'"), nil},
		{[]byte(text[:len(text)/2]), nil},
		{bytes.Repeat([]byte{0}, 1000), nil},
		{[]byte("true"), nil},
	}
	smuggled := [][]string{
		{rawHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{rawHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
		{rawHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}{}"},
		{rawHead + "Content-Length: -1\r\n\r\n{}"},
		{rawHead + "Content-Length: 99999999999999999999\r\n\r\n{}"},
		{rawHead + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"},
		{rawHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"},
		{rawHead + "X-Api-Key : " + webhookToken + "\r\nContent-Length: 2\r\n\r\n{}"},
		{rawHead + " folded\r\nContent-Length: 2\r\n\r\n{}"},
		{"POST " + webhookPath + " HTTP/1.1\r\nX-Api-Key: " + webhookToken + "\r\n\r\n"},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	}
	st := s.stream(20 * time.Millisecond)
	const rounds = 20
	answers := crowd(rounds*len(bodies), func(n int) int {
		b := bodies[n%len(bodies)]
		body := append(bytes.Clone(b.body), strings.Repeat(" ", n/len(bodies))...)
		return s.push(body, append([]string{"x-api-key", webhookToken}, b.headers...)...).status
	})
	torn := crowd(rounds*len(smuggled), func(n int) int { return s.raw(smuggled[n%len(smuggled)]...) })
	st.goesOn(10)
	st.end()
	if answers[400] != rounds*len(bodies) {
		t.Errorf("answers to wrong bodies: %s", counted(answers))
	}
	if torn[200] > 0 || torn[500] > 0 {
		t.Errorf("answers to torn requests: %s", counted(torn))
	}
	if n := s.total("status=rejected"); n != rounds*len(bodies) {
		t.Errorf("%d rejected rows are kept", n)
	}
	report(t, "wrong encodings", fmt.Sprintf("%d proven bodies in %d wrong encodings, %d torn requests in %d ways", rounds*len(bodies), len(bodies), rounds*len(smuggled), len(smuggled)),
		counted(answers)+" and kept; torn: "+counted(torn), st.undisturbed(t))
}

// Headers beyond all measure are refused before they are stored.
func TestHugeHeaders(t *testing.T) {
	s := serve(t)
	many := rawHead
	for n := range 20_000 {
		many += fmt.Sprintf("X-%d: y\r\n", n)
	}
	requests := [][]string{
		{rawHead + "X-Huge: " + strings.Repeat("x", 4<<20) + "\r\n\r\n"},
		{many + "\r\n"},
		{rawHead, "X-Long-" + strings.Repeat("n", 1<<20) + ": y\r\n\r\n"},
		{"POST " + webhookPath + "?" + strings.Repeat("q", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n"},
		{rawHead + "Cookie: " + strings.Repeat("a=b; ", 200_000) + "\r\n\r\n"},
		{rawHead + "X-Forwarded-For: " + strings.Repeat("10.0.0.1, ", 100_000) + "\r\n\r\n"},
		{rawHead + "Authorization: Bearer " + strings.Repeat("t", 1<<20) + "\r\n\r\n"},
	}
	const tries = 140
	st := s.stream(20 * time.Millisecond)
	answers := crowd(tries, func(n int) int { return s.raw(requests[n%len(requests)]...) })
	st.goesOn(10)
	st.end()
	if answers[431]+answers[0] != tries || answers[431] < tries/2 {
		t.Errorf("answers: %s", counted(answers))
	}
	report(t, "huge headers", fmt.Sprintf("%d requests with 220 KiB to 4 MiB of headers", tries), counted(answers), st.undisturbed(t))
}

// Bodies that are JSON in form, and made to be hard to read, harm nobody.
func TestDeepJSON(t *testing.T) {
	s := serve(t)
	nest := func(open, middle, end string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
	}
	var shapes []string
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		shapes = append(shapes, nest("[", "", "]", n), nest(`{"a":`, "1", "}", n), nest(`[{"a":`, "1", "}]", n/2), strings.Repeat("[", n))
	}
	shapes = append(shapes,
		strings.Repeat("9", 500_000), "1e"+strings.Repeat("9", 100_000), `"`+strings.Repeat(`\u0041`, 100_000)+`"`,
		`{`+strings.Repeat(`"k":1,`, 100_000)+`"z":1}`, `[`+strings.Repeat(`{},`, 200_000)+`{}]`, strings.Repeat(" ", 900_000)+"1",
		`"`+strings.Repeat("\u202e", 100_000)+`"`,
	)
	fields := []string{"x", "awb", "scans", "current_status", "order_id", "sr_order_id"}
	const rounds = 2
	tries := rounds * len(shapes) * len(fields)
	st := s.stream(20 * time.Millisecond)
	answers := crowd(tries, func(n int) int {
		field, shape := fields[n%len(fields)], shapes[n/len(fields)%len(shapes)]
		body := fmt.Sprintf(`{"n":%d,"order_id":"DEEP-%d","awb":"DEEP%d","current_status":"IN TRANSIT",%q:%s}`, n, n, n, field, shape)
		return s.proven([]byte(body)).status
	})
	st.goesOn(10)
	st.end()
	if answers[200]+answers[400] != tries {
		t.Errorf("answers: %s", counted(answers))
	}
	m := st.undisturbed(t)
	kept := s.total("")
	if kept != tries+m.acknowledged {
		t.Errorf("%d rows, want %d", kept, tries+m.acknowledged)
	}
	if n := s.total("status=failed"); n > 0 {
		t.Errorf("%d rows failed", n)
	}
	report(t, "deep JSON", fmt.Sprintf("%d proven bodies up to 900 KB: nested to 100,000, huge numbers, keys and lists", tries), counted(answers)+"; all kept", m)
}

// Bytes that are no UTF-8 are kept as they came and read as far as they can be.
func TestInvalidUTF8(t *testing.T) {
	s := serve(t)
	junk := []string{"\xff", "\xfe\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82", "\x00", `\u0000`, `\ud800`, "\xef\xbb\xbf"}
	const tries = 990
	st := s.stream(20 * time.Millisecond)
	answers := crowd(tries, func(n int) int {
		body := event(fmt.Sprintf("UTF%04d", n), 2000+n, "IN TRANSIT", time.Now().Add(-time.Hour))
		at := n / len(junk) * len(body) / (tries / len(junk))
		return s.proven(bytes.Join([][]byte{body[:at], body[at:]}, []byte(junk[n%len(junk)]))).status
	})
	st.goesOn(10)
	st.end()
	if answers[200]+answers[400] != tries || answers[200] < tries/4 {
		t.Errorf("answers: %s", counted(answers))
	}
	m := st.undisturbed(t)
	if kept, failed := s.total(""), s.total("status=failed"); kept != tries+m.acknowledged || failed > 0 {
		t.Errorf("%d rows, want %d; %d failed", kept, tries+m.acknowledged, failed)
	}
	for _, path := range []string{"/api/webhooks/logs?limit=200", "/api/webhooks/logs?limit=200&status=rejected"} {
		a, err := s.do(t.Context(), http.MethodGet, path, nil, "Authorization", "Bearer "+adminToken)
		if err != nil || a.status != http.StatusOK || !utf8.Valid(a.body) || !json.Valid(a.body) {
			t.Errorf("%s: %d %v, or it is no UTF-8", path, a.status, err)
		}
	}
	report(t, "invalid UTF-8", fmt.Sprintf("%d proven bodies with %d kinds of broken text in all places", tries, len(junk)), counted(answers)+"; all kept, none failed", m)
}

// SQL and markup in any field is text: nothing is carried out, and nothing
// stands in a buyer's page as it came.
func TestSQLAndHTMLInEveryField(t *testing.T) {
	s := serve(t, "TRUSTED_PROXIES=127.0.0.1") // so that there are as many buyers as pages
	hostile := []string{
		`'; DROP TABLE webhooks; --`, `" OR ""="`, `1); DELETE FROM orders; --`, `%' UNION SELECT token FROM tokens --`, `$1`, `\'; SELECT pg_sleep(10); --`,
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `javascript:alert(1)`, `{{constructor.constructor('alert(1)')()}}`,
		`</script><script>alert(1)</script>`, `&lt;script&gt;`, "\u202ealert(1)\u202c", `${7*7}`, `../../etc/passwd`,
	}
	fields := []string{
		"awb", "courier_name", "current_status", "shipment_status", "current_timestamp", "order_id", "sr_order_id", "etd", "channel_id", "channel_order_id",
		"pod", "pod_status", "undelivered_reason", "delivered_date", "return_awb_code", "is_return", "date", "scans", "activity", "location", "sr-status-label", "*",
	}
	tries := len(hostile) * len(fields)
	st := s.stream(20 * time.Millisecond)
	answers := crowd(tries, func(n int) int {
		field, text := fields[n%len(fields)], hostile[n/len(fields)]
		scan := map[string]any{"date": "2026-01-22 10:00:00", "status": "X", "activity": "Bag added", "location": "Pune", "sr-status": "18"}
		push := map[string]any{"awb": fmt.Sprintf("SQL%04d", n), "order_id": fmt.Sprintf("SQL-%d", n), "sr_order_id": 3000 + n, "current_status": "IN TRANSIT", "scans": []any{scan}}
		switch field {
		case "activity", "location", "sr-status-label":
			scan[field] = text
		case "*":
			for key := range scan {
				scan[key] = text
			}
			for _, key := range fields[:17] {
				push[key] = fmt.Sprint(text, n)
			}
		default:
			push[field] = text
		}
		body, err := json.Marshal(push)
		if err != nil {
			return 0
		}
		return s.proven(body).status
	})
	st.goesOn(10)
	st.end()
	if answers[200] != tries {
		t.Errorf("answers: %s", counted(answers))
	}
	m := st.undisturbed(t)
	rows := s.rows("")
	if len(rows) != tries+m.acknowledged {
		t.Errorf("%d rows, want %d", len(rows), tries+m.acknowledged)
	}
	pages := map[string]bool{}
	for _, r := range rows {
		if r.Status == "failed" {
			t.Errorf("%s failed: %s", r.EventID, r.Error)
		}
		if r.OrderID != "" && !strings.HasPrefix(r.EventID, "LIVE") {
			pages[r.OrderID] = true
		}
	}
	buyers := 0
	for id := range pages {
		buyers++
		a, err := s.do(t.Context(), http.MethodGet, "/track/"+id, nil, "X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", buyers/250, buyers%250))
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("/track/%s: %d %v", id, a.status, err)
		}
		for _, markup := range []string{"<script>alert", "<img src=x", "<svg onload", "href=\"javascript:", "\u202e"} {
			if bytes.Contains(a.body, []byte(markup)) {
				t.Errorf("/track/%s has %q as it came", id, markup)
			}
		}
	}
	for _, text := range hostile { // and in what an operator asks for
		for _, key := range []string{"q", "awb", "orderId", "status", "from", "cursor"} {
			path := "/api/webhooks/logs?limit=1&" + key + "=" + url.QueryEscape(text)
			a, err := s.do(t.Context(), http.MethodGet, path, nil, "Authorization", "Bearer "+adminToken)
			if err != nil || a.status != http.StatusOK && a.status != http.StatusBadRequest {
				t.Errorf("%s: %d %v", path, a.status, err)
			}
		}
	}
	report(t, "SQL and HTML in every field", fmt.Sprintf("%d proven pushes, %d texts in %d fields, %d pages looked at", tries, len(hostile), len(fields), len(pages)),
		counted(answers)+"; none failed, no markup in a page", m)
}
