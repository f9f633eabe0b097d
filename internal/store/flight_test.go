package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// Decisions that stand on one which could not be written are made anew, and
// what is in memory afterwards is what the database holds.
func TestVoidDecisionsAreMadeAnew(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	evidence := func(n int) tracking.Evidence {
		return tracking.Evidence{Reading: tracking.Reading{
			Identity:  tracking.Identity{AWB: fmt.Sprint("A", n%5), SR: fmt.Sprint("S", n%5), Direction: tracking.Forward},
			Milestone: tracking.InTransit, Label: "IN TRANSIT", EventTime: at.Add(time.Duration(n) * time.Minute), TimeSource: tracking.FromScan,
			Facts: tracking.Facts{ETA: fmt.Sprintf("2026-12-%02d", 1+n%28)},
		}}
	}
	const pushes = 40
	for n := range pushes {
		w := inbox.Webhook{EventID: fmt.Sprint(n), ReceivedAt: at, Body: []byte("{}"), Status: inbox.Pending}
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody writes until all have had the time to decide on top of each other.
	if err := s.turn.take(ctx, false); err != nil {
		t.Fatal(err)
	}
	refuse := errors.New("refused by the test")
	refused := make(chan error, 1)
	go func() {
		refused <- s.decideAhead(ctx, func(ctx context.Context, t *tx) (*changeset, error) {
			d, err := t.newDesk(ctx, at, nil)
			return &changeset{now: at, desk: d, then: func(context.Context, *tx) error { return refuse }}, err
		})
	}()
	s.turn.waitFor(t, 1)
	claimed, batch := 0, 4
	// The turn to write is taken: nothing can be claimed from the table, only
	// from memory, and nothing be said about it.
	var rows []inbox.Webhook
	for len(rows) < pushes {
		rows = append(rows, s.backlog.take(pushes)...)
	}
	var wg sync.WaitGroup
	for claimed < pushes {
		some := rows[claimed : claimed+batch]
		apps := make([]inbox.Application, batch)
		for i := range some {
			apps[i] = inbox.Application{WebhookID: some[i].ID, Evidence: evidence(claimed + i)}
		}
		claimed += batch
		wg.Go(func() {
			applied, err := s.Apply(context.WithoutCancel(ctx), at, apps, inbox.ApplyOptions{AutoCreate: true})
			if err != nil {
				t.Error(err)
			}
			for i := range applied {
				if applied[i].Err != nil {
					t.Error(applied[i].Err)
				}
			}
		})
	}
	deadline := time.After(10 * time.Second)
	for {
		if changes, _, _ := s.flight.state(); len(changes) == 1+pushes/batch {
			break
		}
		select {
		case <-deadline:
			t.Fatal("they do not decide on top of each other")
		default:
		}
	}
	s.turn.release()
	if err := <-refused; !errors.Is(err, refuse) {
		t.Errorf("the first decision: %v", err)
	}
	wg.Wait()
	if _, diff, err := s.HotOrders(ctx); err != nil || diff != "" {
		t.Errorf("memory (+) is not what is stored (-): %v\n%s", err, diff)
	}
	depth, err := s.Depth(ctx)
	if err != nil || depth[inbox.Processed] != pushes {
		t.Errorf("%v, %v; want all processed", depth, err)
	}
	for n := range 5 {
		var seq int64
		if err := s.readOne(ctx, "order", `SELECT order_seq FROM identifiers WHERE value = $1`, []any{fmt.Sprint("A", n)}, &seq); err != nil {
			t.Fatal(err)
		}
		orders, err := s.ordersBySeq(ctx, []int64{seq})
		if err != nil || len(orders) != 1 || len(orders[0].Readings) != pushes/5 || orders[0].Version == 0 {
			t.Errorf("the order of A%d: %+v, %v", n, orders, err)
		}
	}
}
