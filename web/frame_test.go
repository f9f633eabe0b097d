package web

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var framed = func() Frame {
	f := frame
	f.Framed, f.Framers = true, []string{"https://shop.example", "https://other.example:8443"}
	return f
}()

func TestFramedPageIsTheTrackerAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	data := PageData{Frame: framed, OrderID: "x", Now: now, Snapshot: []byte(`{"orderId":"x","orderNumber":"SO-1042","version":1,"shipments":[
		{"id":"a","direction":"forward","awbCode":"19041424751540","milestone":"in_transit","trackingHistory":[]}]}`)}
	if err := TrackingPage(&out, data); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	clean(t, got)
	contains(t, got, "19041424751540", `<main id="tracker">`, `id="settings"`, `<noscript><meta http-equiv="refresh" content="60"></noscript>`,
		`<link rel="stylesheet" href="`+framedStylePath+`">`, `data-framers="https://shop.example https://other.example:8443"`, "waybillHeight")
	out.Reset()
	if err := NotFoundPage(&out, framed); err != nil {
		t.Fatal(err)
	}
	clean(t, out.String())
	contains(t, out.String(), "We cannot find this order", "waybillHeight")
	for _, page := range []string{got, out.String()} {
		for _, unwanted := range []string{"page-head", "page-foot", "Contact Chai", "shop.example/logo.png", `href="/track`} {
			if strings.Contains(page, unwanted) {
				t.Errorf("%s is on a framed page", unwanted)
			}
		}
	}
}

// A shop that is only light or only dark says so; what is neither is not taken.
func TestFramedPageHasTheShopsTheme(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{"dark": "dark", "light": "light", "": "auto", `"><b>`: "auto"} {
		themed := framed
		themed.FrameTheme = asked
		var out, alone bytes.Buffer
		data := PageData{Frame: themed, OrderID: "x", Now: now, Snapshot: []byte(`{"orderId":"x","version":1,"shipments":[]}`)}
		if err := TrackingPage(&out, data); err != nil {
			t.Fatal(err)
		}
		contains(t, out.String(), `<html lang="en" data-theme="`+want+`">`, `class="waybill" aria-label="Tracking of order x" data-theme="`+want+`"`, `"theme":"`+want+`"`)
		data.Framed = false
		if err := TrackingPage(&alone, data); err != nil {
			t.Fatal(err)
		}
		contains(t, alone.String(), `<html lang="en">`, `"theme":"auto"`)
	}
}

func TestPoliciesSayWhoMayFrame(t *testing.T) {
	t.Parallel()
	alone, nobody := frame, framed
	alone.Framers = framed.Framers // without Framed they do not count
	nobody.Framers = nil
	for _, tt := range []struct {
		frame Frame
		want  string
	}{
		{frame, "'none'"}, {alone, "'none'"}, {nobody, "'none'"}, {framed, "https://shop.example https://other.example:8443"},
	} {
		got := ContentSecurityPolicy(tt.frame)
		if !strings.HasSuffix(got, "; frame-ancestors "+tt.want) || strings.Contains(got, "unsafe") || !strings.Contains(got, "'nonce-n0nce'") {
			t.Errorf("policy %q, want its ancestors to be %s", got, tt.want)
		}
	}
}

// What the frame's script says goes to who asked, never to everyone.
func TestFrameScriptsNameWhomTheyTell(t *testing.T) {
	t.Parallel()
	posted := regexp.MustCompile(`postMessage\((.*)\)`)
	for name, last := range map[string]string{"framed.js": "asker", "order-tracker-frame.js": "server"} {
		calls := posted.FindAllStringSubmatch(string(mustReadFrame(name)), -1)
		if len(calls) != 1 || !strings.HasSuffix(calls[0][1], ", "+last) {
			t.Errorf("%s posts %q, want one message to %s", name, calls, last)
		}
	}
	for path, kind := range map[string]string{FrameScriptPath: "text/javascript", framedStylePath: "text/css"} {
		answer := get(t, path, http.Header{})
		if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), kind) || answer.Header.Get("ETag") == "" {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
	}
}
