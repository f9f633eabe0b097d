package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// waitFor blocks until n callers stand in line.
func (t *turn) waitFor(tb testing.TB, n int) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		t.mu.Lock()
		standing := len(t.intake) + len(t.waiting)
		t.mu.Unlock()
		if standing == n {
			return
		}
		runtime.Gosched()
	}
	tb.Fatalf("there never were %d callers in line", n)
}

func TestTurnLetsIntakeGoFirstButNotForEver(t *testing.T) {
	t.Parallel()
	var line turn
	if err := line.take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		order []string
		wg    sync.WaitGroup
	)
	for i, who := range []string{"claim", "apply", "intake", "intake", "intake", "intake", "intake"} {
		wg.Go(func() {
			if err := line.take(context.Background(), who == "intake"); err != nil {
				t.Error(err)
			}
			mu.Lock()
			order = append(order, who)
			mu.Unlock()
			line.release()
		})
		line.waitFor(t, i+1)
	}
	line.release()
	wg.Wait()
	if want := []string{"intake", "intake", "claim", "intake", "intake", "apply", "intake"}; !slices.Equal(order, want) {
		t.Errorf("turns went to %v, want %v", order, want)
	}
}

func TestTurnLeavesOutWhoGaveUp(t *testing.T) {
	t.Parallel()
	var line turn
	if err := line.take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	gaveUp, next := make(chan error), make(chan error)
	go func() { gaveUp <- line.take(ctx, true) }()
	line.waitFor(t, 1)
	go func() { next <- line.take(context.Background(), false) }()
	line.waitFor(t, 2)
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	line.release()
	if err := <-next; err != nil {
		t.Errorf("the next in line got %v", err)
	}
}

// A caller whose context ends while his row waits takes it back; one whose row
// is being written waits for its answer.
func TestAppendTakesBackWhatStillWaits(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	webhook := func(id string) inbox.Webhook {
		return inbox.Webhook{EventID: id, ReceivedAt: time.Now(), Body: []byte(id), BodySHA256: sha256.Sum256([]byte(id)), Status: inbox.Pending}
	}
	if err := s.turn.take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	stays := make(chan error)
	go func() {
		_, err := s.Append(context.Background(), webhook("stays"))
		stays <- err
	}()
	s.turn.waitFor(t, 1)
	ctx, giveUp := context.WithCancel(t.Context())
	goes := make(chan error)
	go func() {
		_, err := s.Append(ctx, webhook("goes"))
		goes <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); ; {
		s.queue.mu.Lock()
		n := len(s.queue.entries)
		s.queue.mu.Unlock()
		if n == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the rows never waited")
		}
		runtime.Gosched()
	}
	giveUp()
	if err := <-goes; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	s.turn.release()
	if err := <-stays; err != nil {
		t.Errorf("who stayed got %v", err)
	}
	found, err := s.Webhooks(t.Context(), Filter{}, 1, 10)
	if err != nil || len(found.Rows) != 1 || found.Rows[0].EventID != "stays" {
		t.Errorf("kept %+v, %v; want the one that stayed", found.Rows, err)
	}
}

func TestWithoutNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`SELECT 1`:                          `SELECT 1`,
		`VALUES ($1, $2), ($3)`:             `VALUES (?, ?), (?)`,
		`WHERE a = $1 AND b = $2 OR a = $1`: `WHERE a = $1 AND b = $2 OR a = $1`,
		`WHERE a = $2 AND b = $1`:           `WHERE a = $2 AND b = $1`,
		`$1,$2,$3,$4,$5,$6,$7,$8,$9,$10`:    `?,?,?,?,?,?,?,?,?,?`,
		`$10`:                               `$10`,
	} {
		if got := withoutNames(text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
