package shiprocket_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// benchBody is a live-sized push: 17 scans, as compact as Shiprocket sends it.
func benchBody(b *testing.B) []byte {
	b.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, goldenBody(b, "01-in-transit-17-scans")); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(compact.Len()))
	b.ReportAllocs()
	return compact.Bytes()
}

func BenchmarkReadHead(b *testing.B) {
	body := benchBody(b)
	for b.Loop() {
		if head, err := shiprocket.ReadHead(body, receipt); err != nil || head.AWB == "" {
			b.Fatal(head, err)
		}
	}
}

func BenchmarkInterpret(b *testing.B) {
	body := benchBody(b)
	for b.Loop() {
		if push, err := shiprocket.Interpret(body, receipt); err != nil || len(push.Evidence.Scans) != 17 {
			b.Fatal(push, err)
		}
	}
}

// BenchmarkInterpretHostile reads the largest body that is taken, filled with
// as many scans as it holds.
func BenchmarkInterpretHostile(b *testing.B) {
	body := []byte(`{"awb":"A1","scans":[`)
	for len(body) < 1<<20-64 {
		body = append(body, `{"date":"2020-01-01","status":"X"},`...)
	}
	body = append(body[:len(body)-1], "]}"...)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if push, err := shiprocket.Interpret(body, receipt); err != nil || len(push.Evidence.Scans) != 200 {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body := benchBody(b)
	v := shiprocket.NewVerifier([]string{"one", "two"}, nil, "")
	h := http.Header{"X-Api-Key": {"two"}}
	for b.Loop() {
		if _, err := v.Verify(h, body); err != nil {
			b.Fatal(err)
		}
	}
}
