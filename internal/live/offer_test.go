package live_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/tracking"
)

// ledger is an outbox in memory.
type ledger struct {
	mu      sync.Mutex
	effects []tracking.Effect
	reads   int
}

func (l *ledger) Effects(_ context.Context, _ string, n int) ([]tracking.Effect, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	return slices.Clone(l.effects[:min(n, len(l.effects))]), nil
}

func (l *ledger) DeleteEffects(_ context.Context, ids []int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects = slices.DeleteFunc(l.effects, func(e tracking.Effect) bool { return slices.Contains(ids, e.ID) })
	return nil
}

func (l *ledger) commit(e tracking.Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects = append(l.effects, e)
}

// Whatever is offered, in whatever bursts, and whatever an earlier process left
// is published once, in the order of the commits.
func TestOffer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				outbox, r := &ledger{}, &recorder{}
				d := live.NewDispatcher(live.Options{Outbox: outbox, Publisher: r, Logger: slog.New(slog.DiscardHandler)})
				var id int64
				commit := func(n int, offer bool) {
					var burst []tracking.Effect
					for range n {
						id++
						e := tracking.Effect{ID: id, Kind: tracking.LiveUpdate, Update: tracking.Update{OrderNumber: "N", Version: id}}
						outbox.commit(e)
						burst = append(burst, e)
					}
					if offer {
						d.Offer(burst)
					}
				}
				commit(rng.IntN(600), false) // left by an earlier process
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan error, 1)
				go func() { ran <- d.Run(ctx) }()
				for range 40 {
					commit(rng.IntN(400), true)
					if rng.IntN(3) == 0 {
						time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
					}
				}
				commit(5000, true) // more than is kept in memory
				time.Sleep(20 * time.Second)
				cancel()
				if err := <-ran; err != nil {
					t.Error(err)
				}
				if n := len(outbox.effects); n > 0 {
					t.Errorf("%d effects are left", n)
				}
				var versions []int
				for _, said := range r.all() {
					if v, ok := versionOf(said); ok {
						versions = append(versions, v)
					}
				}
				if len(versions) != int(id) || !slices.IsSorted(versions) {
					t.Errorf("%d published of %d, in order: %v", len(versions), id, slices.IsSorted(versions))
				}
			})
		})
	}
}

// versionOf is that of a tracking-update the recorder noted.
func versionOf(said string) (int, bool) {
	const prefix = live.TrackingUpdate + " N v"
	if len(said) <= len(prefix) || said[:len(prefix)] != prefix {
		return 0, false
	}
	v, err := strconv.Atoi(said[len(prefix):])
	return v, err == nil
}

func TestWhatIsOfferedIsNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outbox, r := &ledger{}, &recorder{}
		d := live.NewDispatcher(live.Options{Outbox: outbox, Publisher: r, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- d.Run(ctx) }()
		synctest.Wait()
		reads := outbox.reads
		for id := range int64(100) {
			e := tracking.Effect{ID: id + 1, Kind: tracking.LiveUpdate, Update: tracking.Update{OrderNumber: "N", Version: id + 1}}
			outbox.commit(e)
			d.Offer([]tracking.Effect{e})
			synctest.Wait()
		}
		if n := len(r.all()); n != 200 || outbox.reads != reads {
			t.Errorf("%d messages, want 200; %d reads of the outbox", n, outbox.reads-reads)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if len(outbox.effects) != 0 {
			t.Errorf("%d effects are left", len(outbox.effects))
		}
	})
}

// A writer offers what it committed a moment later. What was read from the outbox
// and published in that moment is not published again.
func TestWhatIsOfferedLateIsPublishedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outbox, r := &ledger{}, &recorder{}
		d := live.NewDispatcher(live.Options{Outbox: outbox, Publisher: r, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- d.Run(ctx) }()
		synctest.Wait()
		var late []tracking.Effect
		for id := range int64(300) { // more than are read at once
			e := tracking.Effect{ID: id + 1, Kind: tracking.LiveUpdate, Update: tracking.Update{OrderNumber: "N", Version: id + 1}}
			outbox.commit(e)
			late = append(late, e)
		}
		time.Sleep(6 * time.Second) // the outbox is looked into every five
		d.Offer(late)
		synctest.Wait()
		next := tracking.Effect{ID: 301, Kind: tracking.LiveUpdate, Update: tracking.Update{OrderNumber: "N", Version: 301}}
		outbox.commit(next)
		d.Offer([]tracking.Effect{next})
		time.Sleep(time.Second)
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if n := len(r.all()); n != 2*301 || len(outbox.effects) > 0 {
			t.Errorf("%d messages, want two for each of 301 effects; %d are left", n, len(outbox.effects))
		}
	})
}
