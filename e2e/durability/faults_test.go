package durability

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/live"
)

// A fault ends the process at the nth pass of a point.
type fault struct {
	Point string
	Nth   int64
}

// points are where a fault may lie. Before and after a step of the log or the
// outbox is before and after its commit; at "committed" effects are on record
// and nobody has been told so.
func points() []string {
	all := []string{"committed"}
	for _, step := range []string{"recover", "append", "claim", "settle", "apply", "fail", "publish", "delete"} {
		all = append(all, "before "+step, "after "+step)
	}
	return all
}

// A trap is a fault that waits for its moment.
type trap struct {
	point string
	left  atomic.Int64
}

func (f fault) set() *trap {
	t := &trap{point: f.Point}
	t.left.Store(f.Nth)
	return t
}

// pass ends the process if this is the moment: like a crash, without a word to
// anyone.
func (t *trap) pass(point string) {
	if point == t.point && t.left.Add(-1) == 0 {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {}
	}
}

func between[T any](t *trap, step string, do func() (T, error)) (T, error) {
	t.pass("before " + step)
	v, err := do()
	t.pass("after " + step)
	return v, err
}

func around(t *trap, step string, do func() error) error {
	t.pass("before " + step)
	err := do()
	t.pass("after " + step)
	return err
}

// trappedLog is a log with faults. Every hiccup-th call of Apply fails without
// having done anything.
type trappedLog struct {
	inbox.Log
	*trap
	hiccup  int64
	applies *atomic.Int64
}

var errHiccup = errors.New("the database had a hiccup")

func (l trappedLog) Append(ctx context.Context, w inbox.Webhook) (inbox.Appended, error) {
	return between(l.trap, "append", func() (inbox.Appended, error) { return l.Log.Append(ctx, w) })
}

func (l trappedLog) Claim(ctx context.Context, n int, now time.Time) ([]inbox.Webhook, error) {
	return between(l.trap, "claim", func() ([]inbox.Webhook, error) { return l.Log.Claim(ctx, n, now) })
}

func (l trappedLog) Apply(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, error) {
	if l.hiccup > 0 && l.applies.Add(1)%l.hiccup == 0 {
		return nil, errHiccup
	}
	return between(l.trap, "apply", func() ([]inbox.Applied, error) { return l.Log.Apply(ctx, now, batch, opts) })
}

func (l trappedLog) Settle(ctx context.Context, id string, now time.Time, status inbox.Status, reason inbox.Reason, result string) error {
	return around(l.trap, "settle", func() error { return l.Log.Settle(ctx, id, now, status, reason, result) })
}

func (l trappedLog) Fail(ctx context.Context, id string, now time.Time, cause string, next time.Time, giveUp bool) error {
	return around(l.trap, "fail", func() error { return l.Log.Fail(ctx, id, now, cause, next, giveUp) })
}

func (l trappedLog) Recover(ctx context.Context) (int, error) {
	return between(l.trap, "recover", func() (int, error) { return l.Log.Recover(ctx) })
}

// trappedOutbox is an outbox with faults.
type trappedOutbox struct {
	live.Outbox
	*trap
}

func (o trappedOutbox) DeleteEffects(ctx context.Context, ids []int64) error {
	return around(o.trap, "delete", func() error { return o.Outbox.DeleteEffects(ctx, ids) })
}

// A noted publisher writes down which version of which order its watchers were
// told of. The file outlives the process as watchers do.
type noted struct {
	*trap
	file *os.File
}

func (n noted) Publish(_ context.Context, m live.Message) error {
	if m.Event != live.TrackingUpdate {
		return nil
	}
	return around(n.trap, "publish", func() error {
		var update struct {
			OrderID string
			Version int64
		}
		if err := json.Unmarshal(m.Data, &update); err != nil {
			return err
		}
		_, err := fmt.Fprintf(n.file, "%s %d\n", update.OrderID, update.Version)
		return err
	})
}

// refusing is a publisher that only shows whether there is anything to publish.
type refusing struct{}

var errRefused = errors.New("not published")

func (refusing) Publish(context.Context, live.Message) error { return errRefused }

// told reports whether no effect is left to be carried out.
func told(ctx context.Context, outbox live.Outbox) (bool, error) {
	_, err := live.NewDispatcher(live.Options{Outbox: outbox, Publisher: refusing{}, Logger: quiet}).Dispatch(ctx)
	if errors.Is(err, errRefused) {
		return false, nil
	}
	return err == nil, err
}
