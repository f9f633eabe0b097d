package store

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/webazaar/waybill/internal/tracking"
)

// Whatever a reading or a scan holds is kept and comes back.
func TestEvidenceIsKeptWhole(t *testing.T) {
	t.Parallel()
	reading, scan := &tracking.Reading{}, &tracking.Scan{}
	fill(t, reflect.ValueOf(reading).Elem())
	fill(t, reflect.ValueOf(scan).Elem())
	o := &tracking.Order{
		Readings: map[string]*tracking.Reading{"r1": reading, "r2": {}},
		Scans:    map[string]*tracking.Scan{"s1": scan, "s2": {}},
	}
	data := appendEvidence(nil, o, []string{"r1", "r2"}, []string{"s1", "s2"})
	strict := json.NewDecoder(strings.NewReader(string(data)))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&keptEvidence{}); err != nil {
		t.Errorf("%s: %v", data, err)
	}
	back := &tracking.Order{}
	if err := recall(back, data); err != nil {
		t.Fatal(err)
	}
	unexported := cmpopts.IgnoreUnexported(tracking.Reading{}, tracking.Scan{})
	if diff := cmp.Diff(o.Readings, back.Readings, unexported) + cmp.Diff(o.Scans, back.Scans, unexported); diff != "" {
		t.Errorf("%s comes back otherwise (-kept +back):\n%s", data, diff)
	}
	// What is kept twice is there once.
	if err := recall(back, data); err != nil || len(back.Readings) != 2 || len(back.Scans) != 2 {
		t.Errorf("twice: %d readings, %d scans, %v", len(back.Readings), len(back.Scans), err)
	}
}

// fill gives every exported field a value that is not empty.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	at := time.Date(2026, 11, 25, 6, 0, 0, 1000, time.UTC)
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if _, ok := f.Interface().(time.Time); ok {
			f.Set(reflect.ValueOf(at.Add(time.Duration(i) * time.Hour)))
			continue
		}
		switch f.Kind() {
		case reflect.Struct:
			fill(t, f)
		case reflect.String:
			f.SetString(name + ` "quoted" <b> ` + "\t\u2028é")
		case reflect.Int:
			f.SetInt(int64(i + 1))
		case reflect.Bool:
			f.SetBool(true)
		default:
			t.Fatalf("a field of kind %s: say how to fill it", f.Kind())
		}
	}
}
