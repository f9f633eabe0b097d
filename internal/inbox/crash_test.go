package inbox_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// A log whose process ends when it works on one row, whatever else is in the
// batch.
type deadlyLog struct {
	inbox.Log
	row   string
	end   context.CancelFunc
	ended *bool
}

func (l deadlyLog) Apply(ctx context.Context, now time.Time, batch []inbox.Application, o inbox.ApplyOptions) ([]inbox.Applied, error) {
	if slices.ContainsFunc(batch, func(a inbox.Application) bool { return a.WebhookID == l.row }) {
		*l.ended = true
		l.end()
		return nil, ctx.Err()
	}
	return l.Log.Apply(ctx, now, batch, o)
}

// A row that ends the process each time is given up after its last attempt, and
// those that happened to be in its batch are worked off.
func TestADeadlyRowTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	r := setup(t)
	for n := range 20 {
		r.push(body(fmt.Sprint("AWB", n), 100+n, "IN TRANSIT", "2026-11-23 10:00:00"))
	}
	deadly := r.rows()[7].ID
	lives := 0
	for again := true; again; lives++ {
		if lives == 30 {
			t.Fatal("the row ends the process for ever")
		}
		if lives > 0 {
			r.die()
		}
		again = false
		ctx, cancel := context.WithCancel(t.Context())
		i := r.another(func(o *inbox.Options) {
			o.Log = deadlyLog{r.store, deadly, cancel, &again}
		})
		done := make(chan error, 1)
		go func() { done <- i.Run(ctx) }()
		until(t, "an end or nothing left", func() bool {
			depth, err := r.store.Depth(t.Context())
			return ctx.Err() != nil || err == nil && depth[inbox.Pending] == 0
		})
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range r.rows() {
		want := inbox.Processed
		if w.ID == deadly {
			want = inbox.Failed
		}
		if w.Status != want {
			t.Errorf("webhook %s is %s (%s) after %d attempts, want %s", w.ID, w.Status, w.Error, w.Attempts, want)
		}
	}
	t.Logf("%d lives", lives)
}
