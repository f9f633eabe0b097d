package shiprocket_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

func seedBodies(f *testing.F) {
	f.Helper()
	for _, name := range goldenNames(f) {
		f.Add(goldenBody(f, name))
	}
}

func FuzzInterpret(f *testing.F) {
	seedBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		push, err := shiprocket.Interpret(body, receipt)
		if err != nil {
			if !errors.Is(err, shiprocket.ErrNotJSON) && !errors.Is(err, shiprocket.ErrNotObject) && !errors.Is(err, shiprocket.ErrTooDeep) {
				t.Fatalf("an error nobody can branch on: %v", err)
			}
			return
		}
		again, _ := shiprocket.Interpret(body, receipt)
		if !reflect.DeepEqual(push, again) {
			t.Fatalf("read twice:\n%+v\n%+v", push, again)
		}
		r := push.Evidence.Reading
		for name, s := range map[string]string{
			"AWB": r.AWB, "ReturnAWB": r.ReturnAWB, "SR": r.SR, "MaybeSR": r.MaybeSR, "Number": r.Number,
			"ChannelID": r.ChannelID, "ForwardRef": r.ForwardRef, "Raw": r.Raw, "Label": r.Label,
		} {
			checkText(t, name, s, 100)
		}
		checkText(t, "Courier", r.Courier, 1000)
		checkText(t, "UndeliveredReason", r.UndeliveredReason, 1000)
		if _, err := time.Parse(time.DateOnly, r.ETA); r.ETA != "" && err != nil {
			t.Errorf("ETA %q is no day", r.ETA)
		}
		if r.Milestone != "" && !r.Milestone.Valid() || (r.Milestone == "") != (r.Label == "") {
			t.Errorf("milestone %q with label %q", r.Milestone, r.Label)
		}
		if push.UnknownStatus && r.Milestone != "" {
			t.Errorf("unknown status, and milestone %q", r.Milestone)
		}
		if r.Milestone.Return() && r.Direction != tracking.Return {
			t.Errorf("%s on a %s shipment", r.Milestone, r.Direction)
		}
		if push.Kind == shiprocket.Ping && (r.Milestone != "" || len(push.Faults) > 0) {
			t.Errorf("a ping with milestone %q and faults %v", r.Milestone, push.Faults)
		}
		if r.MaybeSR != "" && (r.SR != "" || r.MaybeSR != r.Number) {
			t.Errorf("perhaps %q beside %q, number %q", r.MaybeSR, r.SR, r.Number)
		}
		for name, at := range map[string]time.Time{"EventTime": r.EventTime, "ProcessedAt": r.ProcessedAt, "DeliveredAt": r.DeliveredAt} {
			checkTime(t, name, at)
		}
		checkScans(t, push.Evidence)
		if len(push.Faults) > 60 {
			t.Errorf("%d faults: they are to be gathered by code and field", len(push.Faults))
		}
		for _, fault := range push.Faults {
			checkText(t, "Fault.Value", fault.Value, 60)
			if fault.Count < 1 || fault.Field == "" || fault.Code == "" {
				t.Errorf("fault %+v", fault)
			}
		}
	})
}

func checkScans(t *testing.T, e tracking.Evidence) {
	t.Helper()
	if len(e.Scans) > 200 {
		t.Errorf("%d scans", len(e.Scans))
	}
	for i := range e.Scans {
		s := &e.Scans[i]
		checkText(t, "Code", s.Code, 100)
		checkText(t, "Activity", s.Activity, 1000)
		checkText(t, "Location", s.Location, 1000)
		checkTime(t, "At", s.At)
		if s.At.IsZero() || s.AWB != e.Reading.AWB || s.SR != e.Reading.SR || s.Number != e.Reading.Number {
			t.Errorf("scan %+v of %+v", s, e.Reading.Identity)
		}
		if s.Milestone != "" && !s.Milestone.Valid() || (s.Milestone == "") != (s.Label == "") {
			t.Errorf("scan's milestone %q with label %q", s.Milestone, s.Label)
		}
		if i > 0 && (s.At.Before(e.Scans[i-1].At) || s.Position != e.Scans[i-1].Position+1) {
			t.Errorf("scan %d is out of order", i)
		}
	}
	if n := len(e.Scans); n > 0 && e.Reading.TimeSource == tracking.FromScan && !e.Reading.EventTime.Equal(e.Scans[n-1].At) {
		t.Errorf("event time %s is not the newest scan's", e.Reading.EventTime)
	}
}

func checkText(t *testing.T, name, s string, most int) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) {
		t.Errorf("%s is %q", name, s)
	}
}

func checkTime(t *testing.T, name string, at time.Time) {
	t.Helper()
	if at.IsZero() {
		return
	}
	if at.Location() != time.UTC || at.Year() < 2015 || at.After(receipt.Add(10*time.Minute)) {
		t.Errorf("%s is %s", name, at)
	}
}

var eventIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,302}$`)

func FuzzReadHead(f *testing.F) {
	seedBodies(f)
	f.Add([]byte(strings.Repeat("[", 70) + strings.Repeat("]", 70)))
	f.Fuzz(func(t *testing.T, body []byte) {
		head, err := shiprocket.ReadHead(body, receipt)
		if !eventIDForm.MatchString(head.EventID) {
			t.Errorf("event id %q", head.EventID)
		}
		if errors.Is(err, shiprocket.ErrTooDeep) {
			return
		}
		if head.IsJSON != json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) || head.IsJSON && err != nil {
			t.Fatalf("JSON: %v (%v), by encoding/json: %v", head.IsJSON, err, json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))))
		}
		later, _ := shiprocket.ReadHead(body, receipt.AddDate(0, 0, 40))
		if later.EventID != head.EventID {
			t.Errorf("event id of the repeat is %q, was %q", later.EventID, head.EventID)
		}
		push, err := shiprocket.Interpret(body, receipt)
		if err != nil {
			if head.Ping || head.AWB != "" || head.IsJSON != errors.Is(err, shiprocket.ErrNotObject) {
				t.Errorf("head %+v of a body that says %v", head, err)
			}
			return
		}
		if head.Ping != (push.Kind == shiprocket.Ping) {
			t.Errorf("ping: %v by its head, %s as a whole", head.Ping, push.Kind)
		}
		r := push.Evidence.Reading
		if r.EventTime.IsZero() { // a ping that names nothing
			return
		}
		if head.AWB != r.AWB || head.SROrderID != r.SR || head.OrderNumber != r.Number || head.CurrentStatus != r.Raw {
			t.Errorf("head %+v of reading %+v", head, r)
		}
	})
}

func FuzzVerify(f *testing.F) {
	const token, secret = "token-0123456789abcdef0123456789abcdef", "secret"
	f.Add(token, "", "", []byte("{}"))
	f.Add("", "Bearer "+token, "", []byte("{}"))
	f.Add("", token, hex.EncodeToString(sign(secret, []byte("{}"))), []byte("{}"))
	f.Add("", "", "sha256="+strings.ToUpper(hex.EncodeToString(sign(secret, []byte("{}")))), []byte("{}"))
	f.Add("", "", "sha256=", []byte(""))
	v := shiprocket.NewVerifier([]string{token}, []string{secret}, "")
	closed := shiprocket.NewVerifier(nil, nil, "")
	f.Fuzz(func(t *testing.T, key, authorization, signature string, body []byte) {
		h := http.Header{}
		for name, value := range map[string]string{"X-Api-Key": key, "Authorization": authorization, "X-Shiprocket-Signature": signature} {
			if value != "" {
				h.Set(name, value)
			}
		}
		if proof, err := closed.Verify(h, body); err == nil {
			t.Fatalf("nothing is configured, and %s proves", proof.Method)
		}
		proof, err := v.Verify(h, body)
		knows := strings.Contains(key, token) || strings.Contains(authorization, token)
		switch {
		case (err == nil) != (proof.Method != ""):
			t.Fatalf("%+v with %v", proof, err)
		case signature != "" && err == nil && proof.Method != shiprocket.BySignature:
			t.Fatalf("a signature was offered, and %s proved", proof.Method)
		case signature == "" && err == nil && !knows:
			t.Fatalf("%s proved without the token", proof.Method)
		case err != nil && (signature != "") != errors.Is(err, shiprocket.InvalidSignature):
			t.Fatalf("refused as %v", err)
		}
		right := hex.EncodeToString(sign(secret, body))
		h.Set("X-Shiprocket-Signature", right)
		if _, err := v.Verify(h, body); err != nil {
			t.Fatalf("the right signature is refused: %v", err)
		}
		h.Set("X-Shiprocket-Signature", strings.Replace(right, right[:1], "x", 1))
		if _, err := v.Verify(h, body); err == nil {
			t.Fatal("a broken signature is taken")
		}
	})
}
