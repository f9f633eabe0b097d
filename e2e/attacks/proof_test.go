package attacks

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd runs work(n) for all n below count, eight at a time, and counts what it
// returns.
func crowd(count int, work func(n int) int) map[int]int {
	var (
		under   sync.WaitGroup
		mu      sync.Mutex
		next    int
		results = map[int]int{}
	)
	for range 8 {
		under.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if n >= count {
					return
				}
				got := work(n)
				mu.Lock()
				results[got]++
				mu.Unlock()
			}
		})
	}
	under.Wait()
	return results
}

// Whatever is offered in place of a proof opens nothing, and that many fail
// from one address does not touch who has one there.
func TestForgedHeaders(t *testing.T) {
	s := serve(t)
	const sig = "X-Shiprocket-Signature"
	body := event("FORGED", 1, "DELIVERED", time.Now())
	right, err := hex.DecodeString(signature(webhookSecret, body))
	if err != nil {
		t.Fatal(err)
	}
	forgeries := [][]string{
		nil,
		{"x-api-key", "guess"},
		{"x-api-key", webhookToken[:len(webhookToken)-1]},
		{"x-api-key", webhookToken + "0"},
		{"x-api-key", strings.ToUpper(webhookToken)},
		{"x-api-key", webhookToken, "x-api-key", "guess"},
		{"x-api-key", webhookToken + "," + webhookToken},
		{"x-api-key", adminToken},
		{"x-api-key", webhookSecret},
		{"x-api-key", "' OR '1'='1"},
		{"anx-api-key", webhookToken},
		{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+webhookToken))},
		{"Authorization", "Token " + webhookToken},
		{"Authorization", "Bearer Bearer " + webhookToken},
		{"Authorization", "Bearer " + adminToken},
		{"Cookie", "x-api-key=" + webhookToken},
		{sig, signature("guess", body)},
		{sig, signature(webhookToken, body)},
		{sig, signature(webhookSecret, append(body, ' '))},
		{sig, hex.EncodeToString(right)[:62]},
		{sig, "sha1=" + hex.EncodeToString(right)},
		{sig, hex.EncodeToString(right), sig, strings.Repeat("0", 64)},
		{sig, strings.Repeat("0", 64), "x-api-key", webhookToken},
		{sig, "", "x-api-key", webhookToken},
		{sig, "none", "Authorization", "Bearer " + webhookToken},
		{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(right)},
		{"X-Forwarded-For", "13.234.161.44", "X-Real-Ip", "13.234.161.44"},
	}
	const tries = 3000
	st := s.stream(20 * time.Millisecond)
	answers := crowd(tries, func(n int) int { return s.push(body, forgeries[n%len(forgeries)]...).status })
	st.goesOn(10)
	st.end()
	if answers[401]+answers[429] != tries || answers[401] == 0 || answers[429] == 0 {
		t.Errorf("answers: %s", counted(answers))
	}
	m := st.undisturbed(t)
	if kept := s.total(""); kept != m.acknowledged {
		t.Errorf("%d rows are kept and %d pushes were acknowledged", kept, m.acknowledged)
	}
	report(t, "forged header", fmt.Sprintf("%d requests in %d ways without a proof", tries, len(forgeries)), counted(answers)+"; nothing kept", m)
}

// A push that was overheard and sent again changes nothing.
func TestReplayedBody(t *testing.T) {
	s := serve(t)
	body := event("REPLAY", 1, "IN TRANSIT", time.Now().Add(-time.Hour))
	headers := []string{"X-Shiprocket-Signature", signature(webhookSecret, body)}
	const tries = 1000
	st := s.stream(20 * time.Millisecond)
	fresh := 0
	var mu sync.Mutex
	answers := crowd(tries, func(int) int {
		a := s.push(body, headers...)
		if strings.Contains(string(a.body), "queued for processing") {
			mu.Lock()
			fresh++
			mu.Unlock()
		}
		return a.status
	})
	st.goesOn(10)
	st.end()
	m := st.undisturbed(t)
	if answers[200] != tries || fresh != 1 {
		t.Errorf("answers: %s; %d of them as new", counted(answers), fresh)
	}
	kept := s.rows("awb=REPLAY")
	by := map[string]int{}
	for _, r := range kept {
		by[r.Status]++
	}
	if by["processed"] != 1 || by["duplicate"] != tries-1 {
		t.Errorf("rows: %v", by)
	}
	// Signed for another body, or carried to another one, it proves nothing.
	if got := s.push(append(body, ' '), headers...).status; got != http.StatusUnauthorized {
		t.Errorf("its signature with another body: %d", got)
	}
	var found struct{ Data []struct{ Version int } }
	s.admin("/api/orders?number=N-REPLAY", &found)
	if len(found.Data) != 1 || found.Data[0].Version != 1 {
		t.Errorf("orders: %+v", found.Data)
	}
	report(t, "replayed body", fmt.Sprintf("one signed push, %d times, 8 at once", tries), fmt.Sprintf("1 applied, %d answered as repeats", answers[200]-fresh), m)
}

// Behind a proxy, only what the proxy says counts.
func TestSpoofedHops(t *testing.T) {
	const listed, stranger = "13.234.161.44", "203.0.113.9"
	s := serve(t, "SHIPROCKET_IP_CHECK=enforce", "TRUSTED_PROXIES=127.0.0.1/32,10.0.0.0/8,2001:db8:ffff::/48")
	const forwarded = "X-Forwarded-For"
	spoofs := [][]string{
		{forwarded, stranger},
		{forwarded, listed + ", " + stranger},
		{forwarded, listed, forwarded, stranger},
		{forwarded, listed, forwarded, stranger, forwarded, "10.0.0.1"},
		{forwarded, listed + "," + stranger + ",10.0.0.1,10.0.0.2"},
		{forwarded, listed + ", 10.0.0.1, " + stranger},
		{forwarded, stranger + ":443"},
		{forwarded, "::ffff:" + stranger},
		{forwarded, "[::ffff:" + stranger + "]:443"},
		{forwarded, strings.Repeat(listed+",", 1500) + stranger},
		{forwarded, listed + " " + stranger},
		{forwarded, listed + ", unknown"},
		{forwarded, listed + ","},
		{forwarded, listed + ", _hidden, 10.0.0.1"},
		{forwarded, "[2001:db8::1]:1"},
		{"X-Real-Ip", listed},
		{"Forwarded", "for=" + listed},
		{"Cf-Connecting-Ip", listed},
		{"True-Client-Ip", listed},
		{"X-Client-Ip", listed},
		nil,
	}
	const tries = 630
	st := s.stream(20*time.Millisecond, forwarded, listed)
	answers := crowd(tries, func(n int) int {
		body := event(fmt.Sprintf("SPOOF%04d", n), 1000+n, "DELIVERED", time.Now().Add(-time.Hour))
		return s.push(body, append([]string{"x-api-key", webhookToken}, spoofs[n%len(spoofs)]...)...).status
	})
	st.goesOn(10)
	st.end()
	if answers[403] != tries {
		t.Errorf("answers: %s", counted(answers))
	}
	for _, headers := range [][]string{
		{forwarded, listed}, {forwarded, stranger + ", " + listed}, {forwarded, "[::ffff:" + listed + "]:443"}, {forwarded, listed + ", 10.1.2.3, 2001:db8:ffff::1"},
	} {
		if got := s.push(event("HONEST", 1, "DELIVERED", time.Now()), append([]string{"x-api-key", webhookToken}, headers...)...).status; got != http.StatusOK {
			t.Errorf("%v: %d", headers, got)
		}
	}
	kept := s.rows("status=rejected")
	for _, r := range kept {
		if r.Peer == listed || r.Reason != "address" {
			t.Errorf("%s was taken for %s (%s)", r.EventID, r.Peer, r.Reason)
		}
	}
	if len(kept) != tries {
		t.Errorf("%d rejected rows", len(kept))
	}
	report(t, "spoofed hops", fmt.Sprintf("%d proven pushes from elsewhere, %d ways to claim a listed address", tries, len(spoofs)),
		counted(answers)+"; all kept as rejected", st.undisturbed(t))
}
