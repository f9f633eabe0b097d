package pusher

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"orders":                        "public",
		"my-cache-x":                    "public",
		"my-private-x":                  "public",
		"Private-x":                     "public",
		"private":                       "public",
		"private-x":                     "private",
		"private-my-cache-x":            "private",
		"private-encrypted":             "private",
		"private-encrypted-x":           "encrypted",
		"private-encrypted-cache-x":     "encrypted cache",
		"private-cache-x":               "private cache",
		"private-cache-encrypted-x":     "private cache",
		"presence-x":                    "presence",
		"presence-cache-x":              "presence cache",
		"presence-private-x":            "presence",
		"cache-x":                       "public cache",
		"cache-private-x":               "public cache",
		"#server-to-user-7":             "server-to-user",
		"#server-to-user-cache-private": "server-to-user",
	} {
		if got := kindOf(name).String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"a":                       true,
		"order-01J_=@,.;Z":        true,
		strings.Repeat("x", 200):  true,
		strings.Repeat("x", 201):  false,
		"":                        false,
		"a b":                     false,
		"a/b":                     false,
		"a:b":                     false,
		"a\x00":                   false,
		"ä":                       false,
		"#a":                      false,
		"a#server-to-user-1":      false,
		"#server-to-user-":        false,
		"#server-to-user-1":       true,
		"#server-to-user-1#other": false,
	} {
		if err := checkChannel(name); (err == nil) != good {
			t.Errorf("channel %q: %v", name, err)
		}
	}
	for id, good := range map[string]bool{
		"1234.1234": true, "0.0": true,
		"": false, "1": false, ".": false, "1.": false, ".1": false, "1.1.1": false, "1.1:presence-x": false, "a.1": false, "1.1\n": false, "-1.1": false,
		strings.Repeat("1", 40) + "." + strings.Repeat("1", 40): false,
	} {
		if err := checkSocketID(id); (err == nil) != good {
			t.Errorf("socket id %q: %v", id, err)
		}
	}
}

// Whatever a publisher sends arrives as he sent it, in a frame a browser accepts.
func FuzzEventFrame(f *testing.F) {
	f.Add("orders", "update", []byte(`{"a":"b\n\"\\"}`))
	f.Add("\x00\x1f\x7f", "é\u2028😀", []byte("\xff\xc3(\xed\xa0\x80"))
	f.Add("", "", []byte(strings.Repeat("x", 70000)))
	f.Fuzz(func(t *testing.T, channel, event string, data []byte) {
		raw := eventFrame(channel, event, data)
		h, err := ws.ReadHeader(bytes.NewReader(raw))
		payload := raw[ws.HeaderSize(h):]
		if err != nil || ws.CheckHeader(h, ws.StateClientSide) != nil || !h.Fin || h.Length != int64(len(payload)) {
			t.Fatalf("bad frame %+v: %v", h, err)
		}
		if !utf8.Valid(payload) {
			t.Fatalf("not UTF-8: %q", payload)
		}
		var got struct{ Event, Channel, Data string }
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("%v: %s", err, payload)
		}
		if got.Event != repaired(event) || got.Channel != repaired(channel) || got.Data != repaired(string(data)) {
			t.Fatalf("came back as %+v", got)
		}
	})
}

// repaired is s with each byte that is not UTF-8 replaced, as encoding/json does.
func repaired(s string) string {
	return string([]rune(s))
}
