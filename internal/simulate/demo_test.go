package simulate_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/simulate"
)

func TestDemoGoesOnLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaybill()
		var parcels []simulate.Parcel
		pushes := map[string][]string{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		began := time.Now()
		err := simulate.Demo(ctx, simulate.DemoOptions{
			URL: "http://waybill.test", Token: webhookToken, Seed: 41, Client: &http.Client{Transport: w},
			OnParcel: func(p simulate.Parcel) { parcels = append(parcels, p) },
			OnPush:   func(p simulate.Parcel, label string) { pushes[p.Number] = append(pushes[p.Number], label) },
		})
		if err != nil || time.Since(began) != 10*time.Minute {
			t.Fatalf("ended after %s: %v", time.Since(began), err)
		}

		if len(parcels) < 3*12 {
			t.Errorf("%d parcels in ten minutes", len(parcels))
		}
		var kinds []simulate.Kind
		for _, p := range parcels[:12] {
			kinds = append(kinds, p.Kind)
		}
		if !slices.Equal(kinds, simulate.Kinds()) {
			t.Errorf("begins with %v", kinds)
		}
		numbers := map[string]bool{}
		for _, p := range parcels {
			if numbers[p.Number] {
				t.Errorf("%s begins twice", p.Number)
			}
			numbers[p.Number] = true
		}
		if len(pushes) != len(parcels) {
			t.Errorf("%d parcels were pushed, %d announced", len(pushes), len(parcels))
		}

		twice := map[string]int{}
		newest := map[string]time.Time{}
		repeats, late, past := 0, 0, 0
		for i, raw := range w.bodies {
			twice[raw]++
			if twice[raw] > 1 {
				repeats++
			}
			b := decode(t, []byte(raw))
			times := b.times(t)
			for _, when := range times {
				if when.After(w.arrived[i]) {
					t.Fatalf("dated %s, sent at %s: %s", when, w.arrived[i], raw)
				}
			}
			if len(times) == 0 {
				continue
			}
			if w.arrived[i].Equal(began) {
				past++
				if len(times) > 0 && began.Sub(times[0]) < 9*time.Minute {
					t.Errorf("the past of a parcel is dated %s before the start", began.Sub(times[0]))
				}
			} else if !strings.Contains(raw, `"scans":[]`) && w.arrived[i].Sub(times[len(times)-1]) > 30*time.Second {
				t.Errorf("handled at %s, sent at %s", times[len(times)-1], w.arrived[i])
			}
			if times[len(times)-1].Before(newest[b.number()]) {
				late++
			} else {
				newest[b.number()] = times[len(times)-1]
			}
		}
		if repeats == 0 || late == 0 || past < 40 {
			t.Errorf("%d repeats, %d late ones, %d of the past", repeats, late, past)
		}
	})
}

func TestDemoJourneysTakeMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, ended := map[string]time.Time{}, map[string]time.Time{}
		live := map[string]simulate.Kind{}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		start := time.Now()
		err := simulate.Demo(ctx, simulate.DemoOptions{
			URL: "http://waybill.test", Seed: 43, Client: &http.Client{Transport: newWaybill()},
			OnParcel: func(p simulate.Parcel) {
				if time.Since(start) > 0 && time.Since(start) < 15*time.Minute {
					began[p.Number], live[p.Number] = time.Now(), p.Kind
				}
			},
			OnPush: func(p simulate.Parcel, _ string) { ended[p.Number] = time.Now() },
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(live) < 20 {
			t.Fatalf("%d whole journeys", len(live))
		}
		for number, kind := range live {
			took := ended[number].Sub(began[number])
			if took > 4*time.Minute || took < 5*time.Second {
				t.Errorf("%s took %s", kind, took)
			}
		}
	})
}

func TestDemoEndsQuietlyWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []time.Duration{0, time.Millisecond, 3500 * time.Millisecond, 31 * time.Second} {
			w := newWaybill()
			w.slow = 10 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), after)
			began := time.Now()
			err := simulate.Demo(ctx, simulate.DemoOptions{URL: "http://waybill.test", Client: &http.Client{Transport: w}})
			cancel()
			if err != nil || time.Since(began) != after {
				t.Errorf("told to end after %s: ended after %s with %v", after, time.Since(began), err)
			}
		}
	})
}

func TestDemoGivesUpWhenItIsRefused(t *testing.T) {
	t.Parallel()
	w := newWaybill()
	w.refuse = func(*http.Request, int) (int, http.Header) { return http.StatusUnauthorized, nil }
	err := simulate.Demo(t.Context(), simulate.DemoOptions{URL: "http://waybill.test", Client: &http.Client{Transport: w}})
	if err == nil || !strings.Contains(err.Error(), "401 no, thank you") {
		t.Errorf("error: %v", err)
	}
}
