package shiprocket

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestDocumentAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		`{}`, `[]`, `""`, `0`, `-0`, `true`, `false`, `null`, " {\t}\r\n", `{"a":1,"a":2}`, `[1,2,[3]]`,
		`1e5`, `1E+5`, `1.50`, `-1.5e-3`, `"\u00e9\ud83d\ude9a\/\\"`, "\"\x7f\xff\xe0\"", `"12345678\n"`, `"1234567\""`,
		``, ` `, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `[1,]`, `[,]`, `[1 2]`, `[`, `]`,
		`01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `0x1`, `NaN`, `tru`, `truex`, `nul`, `"`, `"\`, `"\u12"`, `"\u12g4"`, `"\x"`,
		"\"a\tb\"", "\"a\x00\"", `{}{}`, `{} x`, "\ufeff{}", `{"a":1}}`, `// c`, `{"a":"b"`, `"12345678`, "\"12345678\n\"",
	} {
		if _, err := document([]byte(s)); (err == nil) != json.Valid([]byte(s)) {
			t.Errorf("%q: %v, by encoding/json %v", s, err, json.Valid([]byte(s)))
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(`{"awb":"A1","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	if _, err := Interpret(nested(maxDepth-1), time.Now()); err != nil {
		t.Errorf("nested %d deep: %v", maxDepth, err)
	}
	for _, body := range [][]byte{
		nested(maxDepth), nested(20_000), nested(500_000),
		[]byte(strings.Repeat("[", 1<<20)),
		[]byte(strings.Repeat(`{"a":`, 200_000)),
		[]byte(`{"scans":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`),
		[]byte(`{"scans":[` + strings.Repeat(`{"date":`, 20_000)),
	} {
		if _, err := Interpret(body, time.Now()); !errors.Is(err, ErrTooDeep) {
			t.Errorf("%.20q…: %v, want too deep", body, err)
		}
		if head, err := ReadHead(body, time.Now()); !errors.Is(err, ErrTooDeep) || head.EventID == "" || head.IsJSON {
			t.Errorf("%.20q…: head %+v, %v, want too deep", body, head, err)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ sent, want string }{
		{`"  Delhivery Surface "`, "Delhivery Surface"},
		{`"a\tb\nc"`, "a b c"},
		{`"\u0000a\u0007b\u001f"`, "ab"},
		{`"\u00a0\u2003a\u00a0"`, "a"},
		{`"\ud83d\ude9a"`, "🚚"},
		{`"\ud83d"`, ""},
		{`"\ud83dx\ude9a"`, "x"},
		{"\"a\xffb\"", "ab"},
		{`"क\u094d\u200dष"`, "क्\u200dष"},
		{`"a\u202eb\ufeff"`, "ab"},
		{`"RTO\/CHD"`, "RTO/CHD"},
		{`"\"\\\b\f"`, `"\`},
		{`null`, ""},
		{`"na"`, ""},
		{`"N\/A"`, ""},
		{`"NULL"`, ""},
		{`"0000-00-00"`, ""},
		{`"NAME"`, "NAME"},
		{`true`, ""},
		{`{}`, ""},
		{`59629792084`, "59629792084"},
	}
	for _, tt := range tests {
		v, err := document([]byte(tt.sent))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.words(20); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.sent, got, tt.want)
		}
	}
	for _, long := range []string{strings.Repeat("x", 1<<20), strings.Repeat("ष", 1<<18), strings.Repeat(" ", 1<<20) + "x", strings.Repeat(`\u0937`, 1<<17)} {
		v, err := document([]byte(`"` + long + `"`))
		if err != nil {
			t.Fatal(err)
		}
		if n := len([]rune(v.words(maxText))); n > maxText || n == 0 {
			t.Errorf("%.10q… is kept with %d characters", long, n)
		}
	}
}

func TestPlainNumber(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"0", "7", "-7", "59629792084", "12345678901234567890123", "1e3", "1.5e1", "1.9041424751540e13", "150e-1",
		"100.00", "-1.50E+2", "0.0", "0e9", "1e100", "1000e-3", "0.001e3",
	} {
		got, ok := new(big.Int).SetString(plainNumber(s), 10)
		want, _ := new(big.Rat).SetString(s)
		if !ok || new(big.Rat).SetInt(got).Cmp(want) != 0 {
			t.Errorf("%s is written %s", s, plainNumber(s))
		}
	}
	for _, s := range []string{"1.5", "1e-3", "0.1e-100", "1e101", "1e999999999999999999999", "1e-999999999"} {
		if got := plainNumber(s); got != s {
			t.Errorf("%s is written %s, want it as sent", s, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	tests := []struct{ sent, want string }{
		{"2023-05-19 11:59:16", "2023-05-19T06:29:16Z"},
		{"23 05 2023 11:43:52", "2023-05-23T06:13:52Z"},
		{"10 01 2026 12:00:00", "2026-01-10T06:30:00Z"},
		{"2026-07-05 09:00", "2026-07-05T03:30:00Z"},
		{"2021-07-03", "2021-07-02T18:30:00Z"},
		{"2019-07-31 15:57:11.000000", "2019-07-31T10:27:11Z"},
		{"2023-05-19T11:59:16Z", "2023-05-19T11:59:16Z"},
		{"2023-05-19T11:59:16.999+05:30", "2023-05-19T06:29:16Z"},
		{"2023-05-19 11:59:16 +0530", "2023-05-19T06:29:16Z"},
		{"2023-05-19 11:59:16-08", "2023-05-19T19:59:16Z"},
		{"2023-05-19 11:59:16 IST", "2023-05-19T06:29:16Z"},
		{"2023-05-19 11:59 UTC", "2023-05-19T11:59:00Z"},
		{"31 Jul 2019, 03:03 PM", "2019-07-31T09:33:00Z"},
		{"21 Sep 2022 05:28 PM", "2022-09-21T11:58:00Z"},
		{"21st Sep 2022 05:28 PM", "2022-09-21T11:58:00Z"},
		{"2nd September 2022 12:00 AM", "2022-09-01T18:30:00Z"},
		{"29 02 2024 00:00:00", "2024-02-28T18:30:00Z"},
		{"2000-02-29 05:30:00", "2000-02-29T00:00:00Z"},
		{"1970-01-01 05:30:00", "1970-01-01T00:00:00Z"},
		{"", ""},
		{"NA", ""},
		{"soon", ""},
		{"2023-02-29 10:00:00", ""},
		{"1900-02-29 10:00:00", ""},
		{"2023-13-01 10:00:00", ""},
		{"2023-00-10 10:00:00", ""},
		{"2023-05-00 10:00:00", ""},
		{"2023-05-32 10:00:00", ""},
		{"2023-05-19 24:00:00", ""},
		{"2023-05-19 10:60:00", ""},
		{"2023-05-19 10:00:60", ""},
		{"2023-05-19 13:00:00 PM", ""},
		{"2023-05-19 11:59:16 +99:00", ""},
		{"2023-05-19 11:59:16 EST", ""},
		{"2023-05-19x11:59:16", ""},
		{"31 Xyz 2019 03:03 PM", ""},
		{"05/19/2023 10:00:00", ""},
		{"1700000000", ""},
		{"-023-05-19 10:00:00", ""},
		{strings.Repeat("2", 100), ""},
	}
	for _, tt := range tests {
		got := ""
		if at, ok := parseTime(tt.sent); ok {
			got = at.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q is %q, want %q", tt.sent, got, tt.want)
		}
	}
	for day := time.Date(1999, 1, 1, 0, 0, 0, 0, india); day.Year() < 2101; day = day.AddDate(0, 0, 1) {
		for _, layout := range []string{"2006-01-02 15:04:05", "02 01 2006 15:04", "2 Jan 2006 03:04 PM"} {
			if got, ok := parseTime(day.Format(layout)); !ok || !got.Equal(day) {
				t.Fatalf("%s is %s", day.Format(layout), got)
			}
		}
	}
}

// TestHostileBodiesAreLinear reads large bodies that are shaped to make every
// repetition look at everything before it: quadratic time would take minutes.
func TestHostileBodiesAreLinear(t *testing.T) {
	t.Parallel()
	const most = 1 << 19
	fill := func(head, each, tail string) []byte {
		body := []byte(head)
		for len(body)+len(each)+len(tail) <= most {
			body = append(body, each...)
		}
		return append(body, tail...)
	}
	blanks := strings.Repeat(" ", most/2)
	for name, body := range map[string][]byte{
		"one long value and many of other spelling": fill(`{"awb":"`+blanks+`x"`, `,"AWB":1`, `}`),
		"one long odd value and many after it":      fill(`{"awb":"`+strings.Repeat(`\u0000`, most/16)+`x"`, `,"AWB":"\u00e9"`, `}`),
		"many dates in one scan":                    fill(`{"scans":[{"date":"`+blanks+`x"`, `,"Date":1`, `}]}`),
		"many lists of scans":                       fill(`{"awb":"A1"`, `,"scans":[{"date":"2020-01-01"}]`, `}`),
		"many scans":                                fill(`{"awb":"A1","scans":[0`, `,{"date":"2020-01-01","status":"X"}`, `]}`),
		"many keyed scans":                          fill(`{"awb":"A1","scans":{"a":0`, `,"1":{"date":"2020-01-01","status":"X"}`, `}}`),
		"many things that are no scans":             fill(`{"awb":"A1","scans":[0`, `,0`, `]}`),
		"many keys":                                 fill(`{"awb":"A1"`, `,"x":0`, `}`),
		"a long number":                             fill(`{"awb":1`, `1`, `.0e1}`),
	} {
		started := time.Now()
		push, err := Interpret(body, time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadHead(body, time.Now()); err != nil {
			t.Errorf("%s: head: %v", name, err)
		}
		if len(push.Evidence.Scans) > maxScans || len(push.Faults) > 20 {
			t.Errorf("%s: %d scans, %d faults", name, len(push.Evidence.Scans), len(push.Faults))
		}
		if took := time.Since(started); took > time.Minute {
			t.Errorf("%s: took %s", name, took)
		}
	}
}
