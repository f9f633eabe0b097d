package durability

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// lifeVariable makes the test binary live one life instead of testing.
const lifeVariable = "DURABILITY_LIFE"

// ended is what a life says that has reached its end.
const ended = "all of it is done\n"

func TestMain(m *testing.M) {
	encoded, child := os.LookupEnv(lifeVariable)
	if !child {
		code := m.Run()
		forgetBinary()
		os.Exit(code)
	}
	var l life
	err := json.Unmarshal([]byte(encoded), &l)
	if err == nil {
		err = l.live(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(ended)
}

// A life is one run of the rooms, put together as the program does it, up to a
// fault or until everything was sent and worked off.
type life struct {
	Database database
	Load     load
	Fault    fault
	Acks     string        // the file of acknowledged pushes
	Told     string        // the file of published versions
	Ahead    time.Duration // the rooms' clock is this far ahead of the machine's
	Most     int           // how many pushes to send at most, 0 for all
	Senders  int
	Workers  int
	Batch    int
	Hiccup   int64 // every so many tries of a batch fail
}

const token = "a-token-of-the-tests-0123456789abcdef"

func (l life) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	t := l.Fault.set()
	opts := l.Database.options()
	var d *live.Dispatcher
	opts.Committed = func(effects []tracking.Effect) {
		t.pass("committed")
		d.Offer(effects)
	}
	s, err := store.Open(ctx, opts)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	file, err := os.OpenFile(l.Told, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	d = live.NewDispatcher(live.Options{
		Outbox: trappedOutbox{s, t}, Publisher: noted{t, file}, Logger: quiet, Sweep: 50 * time.Millisecond,
		Channels: live.Channels{PublicOrders: true},
	})
	inboxes := make([]*inbox.Inbox, max(l.Workers, 1))
	log := trappedLog{s, t, l.Hiccup, &atomic.Int64{}}
	for i := range inboxes {
		inboxes[i] = inbox.New(inbox.Options{
			Log: log, Verifier: shiprocket.NewVerifier([]string{token}, nil, ""), Logger: quiet,
			Apply: inbox.ApplyOptions{AutoCreate: true},
			Now:   func() time.Time { return time.Now().Add(l.Ahead) },
			Batch: l.Batch, Sweep: 50 * time.Millisecond,
			// Giving a row up that was at hand in many crashes is as it should
			// be, and not what is tried here.
			MaxAttempts: 1 << 20, Backoff: func(int) time.Duration { return 5 * time.Millisecond },
		})
	}
	var (
		running sync.WaitGroup
		stop    context.CancelFunc
		errs    = make(chan error, len(inboxes)+2)
	)
	ctx, stop = context.WithCancel(ctx)
	running.Go(func() { errs <- d.Run(ctx) })
	for _, i := range inboxes {
		running.Go(func() { errs <- i.Run(ctx) })
	}
	err = l.send(ctx, inboxes)
	if err == nil {
		err = drained(ctx, s)
	}
	stop()
	running.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return errors.Join(err, s.Close(), file.Close())
}

// send receives what no earlier life has acknowledged, and notes what this one
// does.
func (l life) send(ctx context.Context, inboxes []*inbox.Inbox) error {
	pushes, err := l.Load.pushes()
	if err != nil {
		return err
	}
	acks, err := readAcks(l.Acks)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.Acks, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	var todo []int
	for i := range pushes {
		if _, done := acks[i]; !done && (l.Most == 0 || len(todo) < l.Most) {
			todo = append(todo, i)
		}
	}
	var (
		senders sync.WaitGroup
		next    atomic.Int64
		errs    = make(chan error, max(l.Senders, 1))
	)
	for n := range cap(errs) {
		senders.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return
				}
				receipt, err := inboxes[n%len(inboxes)].Receive(ctx, inbox.Push{
					Body: pushes[todo[i]](), Header: http.Header{"X-Api-Key": {token}}, Peer: netip.AddrFrom4([4]byte{127, 0, 0, 1}),
				})
				if err == nil {
					_, err = file.WriteString(ack{todo[i], receipt.EventID, receipt.Duplicate}.line())
				}
				if err != nil {
					errs <- fmt.Errorf("push %d: %w", todo[i], err)
					return
				}
			}
		})
	}
	senders.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// drained waits until nothing is pending and nothing is to be published.
func drained(ctx context.Context, s *store.Store) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		depth, err := s.Depth(ctx)
		if err != nil {
			return err
		}
		done, err := told(ctx, s)
		if err != nil {
			return err
		}
		if depth[inbox.Pending] == 0 && done {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d webhooks are pending, all effects carried out: %t: %w", depth[inbox.Pending], done, ctx.Err())
		}
	}
}
