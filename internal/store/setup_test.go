package store_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// noon is when tests take place.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// pushed is a webhook as intake hands it to Append.
func pushed(eventID, body string) inbox.Webhook {
	return inbox.Webhook{
		EventID: eventID, ReceivedAt: noon, Peer: "127.0.0.1", Auth: "api_key",
		Headers: map[string]string{"Content-Type": "application/json"},
		Body:    []byte(body), BodySHA256: sha256.Sum256([]byte(body)), Status: inbox.Pending,
		Head: inbox.Head{AWB: "AWB-" + eventID, CurrentStatus: "IN TRANSIT", EventTime: noon},
	}
}

// A told push: what a courier says about one parcel.
type told struct {
	awb, sr, number, channel string
	milestone                tracking.Milestone
	label                    string
	at                       time.Time
	scans                    []tracking.Scan
	eta                      string
}

func (p told) evidence() tracking.Evidence {
	return tracking.Evidence{
		Reading: tracking.Reading{
			Identity:  tracking.Identity{AWB: p.awb, SR: p.sr, Number: p.number, ChannelID: p.channel, Direction: tracking.Forward},
			Facts:     tracking.Facts{ETA: p.eta, Courier: "Delhivery"},
			Milestone: p.milestone, Label: p.label, Raw: p.label,
			EventTime: p.at, TimeSource: tracking.FromScan, ProcessedAt: p.at.Add(time.Minute), ReceivedAt: noon,
		},
		Scans: p.scans,
	}
}

func scanAt(awb string, at time.Time, activity string, m tracking.Milestone) tracking.Scan {
	return tracking.Scan{AWB: awb, At: at, Code: "X-" + activity, Activity: activity, Location: "Pune", Milestone: m, Label: tracking.LabelOf(m)}
}

// ctxOf ends with the test.
func ctxOf(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

var auto = inbox.ApplyOptions{AutoCreate: true}

// intake appends and claims one webhook per push, and makes applications of
// them, in that order.
func intake(t testing.TB, s *store.Store, pushes ...told) []inbox.Application {
	t.Helper()
	ctx := ctxOf(t)
	apps := make([]inbox.Application, 0, len(pushes))
	for i, p := range pushes {
		w := pushed(fmt.Sprintf("%s-%d-%s", p.awb, i, tracking.NewOrderID()), fmt.Sprintf("%+v", p))
		w.AWB, w.SROrderID, w.OrderNumber = p.awb, p.sr, p.number
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		claimed := claim(t, s, 1)
		if len(claimed) != 1 {
			t.Fatalf("claimed %d webhooks, want the one just appended", len(claimed))
		}
		apps = append(apps, inbox.Application{WebhookID: claimed[0].ID, Evidence: p.evidence()})
	}
	return apps
}

func claim(t testing.TB, s *store.Store, n int) []inbox.Webhook {
	t.Helper()
	return mustClaim(t, s, n, noon.Add(time.Hour))
}

// mustClaim claims until there are n or no more, and sorts them by their coming.
func mustClaim(t testing.TB, s *store.Store, n int, now time.Time) []inbox.Webhook {
	t.Helper()
	var all []inbox.Webhook
	for len(all) < n {
		claimed, err := s.Claim(ctxOf(t), n-len(all), now)
		if err != nil {
			t.Fatal(err)
		}
		if len(claimed) == 0 {
			break
		}
		all = append(all, claimed...)
	}
	slices.SortFunc(all, func(a, b inbox.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// apply works pushes off and fails the test if any of them fails.
func apply(t testing.TB, s *store.Store, pushes ...told) []inbox.Applied {
	t.Helper()
	applied, err := s.Apply(ctxOf(t), noon, intake(t, s, pushes...), auto)
	if err != nil {
		t.Fatal(err)
	}
	for i := range applied {
		if applied[i].Err != nil {
			t.Fatalf("push %d: %v", i, applied[i].Err)
		}
	}
	return applied
}
