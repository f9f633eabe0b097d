package load

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/app"
	"github.com/webazaar/waybill/internal/config"
)

const (
	testSecret = "bench-secret-0123456789abcdef0123456789"
	testAdmin  = "bench-admin-0123456789abcdef0123456789ab"
)

func newPlan(t *testing.T, o PlanOptions) *Plan {
	t.Helper()
	o.Secret = testSecret
	p, err := NewPlan(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPushesAreUniqueAndFindable(t *testing.T) {
	t.Parallel()
	for _, o := range []PlanOptions{
		{Pushes: 1}, {Pushes: 4003, Number: 7}, {Pushes: 999, PerParcel: 1}, {Pushes: 1000, PerParcel: 2, Abreast: 30}, {Pushes: 500, PerParcel: 12, Abreast: 1},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			t.Parallel()
			p := newPlan(t, o)
			seen := map[string]bool{}
			for i := range p.Len() {
				body := p.appendBody(nil, i)
				var push struct {
					AWB     string            `json:"awb"`
					Status  string            `json:"current_status"`
					At      string            `json:"current_timestamp"`
					OrderID string            `json:"order_id"`
					SR      json.Number       `json:"sr_order_id"`
					Scans   []json.RawMessage `json:"scans"`
				}
				if err := json.Unmarshal(body, &push); err != nil {
					t.Fatalf("push %d is no JSON: %v\n%s", i, err, body)
				}
				if strings.ContainsAny(push.AWB+push.OrderID[3:]+push.SR.String(), "ASN") {
					t.Fatalf("push %d has a hole: %s", i, body)
				}
				if id := push.AWB + push.Status + push.At; seen[id] {
					t.Fatalf("push %d is like an earlier one: %s", i, id)
				} else {
					seen[id] = true
				}
				_, step := p.place(i)
				if p.awb(i) != push.AWB || p.index(push.AWB, step+1) != i {
					t.Fatalf("push %d (AWB %s, step %d) is found as %d under %s", i, push.AWB, step, p.index(push.AWB, step+1), p.awb(i))
				}
			}
		})
	}
}

func TestBodiesHaveTheSizeOfLiveOnes(t *testing.T) {
	t.Parallel()
	shortest, mean, longest := newPlan(t, PlanOptions{Pushes: 8000}).Sizes()
	if shortest < 1500 || longest > 4000 || mean < 2000 || mean > 2400 {
		t.Errorf("bodies are %d to %d bytes, %d on average", shortest, longest, mean)
	}
}

// TestAckedIsStoredIsProcessed sends a second's worth of pushes to a whole
// Waybill, at a rate and as fast as it goes.
func TestAckedIsStoredIsProcessed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg, err := config.Load([]string{
		"APP_ENV=production", "HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + t.TempDir(), "SHIPROCKET_IP_CHECK=off",
		"SHIPROCKET_WEBHOOK_SECRET=" + testSecret, "ADMIN_TOKEN=" + testAdmin, "PUBLIC_SHIPMENTS_CHANNEL=true",
	}, config.Production)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Start(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	log := Log{URL: a.URL(), AdminToken: testAdmin}
	for number, channel := range []string{"shipments", "private-shipments"} {
		w, err := Watch(ctx, WatchOptions{URL: a.URL(), Key: a.AppKey(), Channel: channel, AuthURL: a.URL() + "/api/realtime/auth", AdminToken: testAdmin})
		if err != nil {
			t.Fatal(err)
		}
		o := Options{URL: a.URL(), Plan: newPlan(t, PlanOptions{Pushes: 200, Abreast: 25, Number: number}), Connections: 8, Watcher: w}
		if number == 0 {
			o.Rate = 400
		} else {
			o.Window = 50
		}
		before, err := log.Counts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		after, err := log.Drained(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if r.Acked != 200 || r.Events != 200 {
			t.Errorf("%s: of 200 pushes %d were acknowledged and %d came back as events; first: %v", channel, r.Acked, r.Events, r.First)
		}
		if err := r.Verify(before, after); err != nil {
			t.Errorf("%s: %v", channel, err)
		}
		w.Close()
	}
}
