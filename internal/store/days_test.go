package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// A day that holds more of what nobody has resolved than can be moved at once
// keeps its partition, and of what was deleted no body.
func TestADayThatStaysKeepsNoBodyOfWhatIsGone(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	const kept, most = 20, 16
	for i := range 2 * kept {
		w := pushed(fmt.Sprint("old", i), fmt.Sprint("body ", i))
		w.Status, w.ReceivedAt = inbox.Ignored, noon.Add(-100*24*time.Hour)
		if i%2 == 1 {
			w.Status = inbox.Rejected
		}
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{most, kept - most} {
		if n, err := s.DeleteOld(ctx, noon.Add(-90*24*time.Hour), most); err != nil || n != want {
			t.Fatalf("deleted %d, %v; want %d", n, err, want)
		}
	}
	var bodies, without int
	err := raw(t, b).QueryRow(`
		SELECT COUNT(*), COUNT(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE id = webhook_id))
		FROM webhook_bodies`).Scan(&bodies, &without)
	if err != nil || bodies != kept || without != 0 {
		t.Errorf("%d bodies are left, %d of them of deleted webhooks, %v; want those of the %d rejected", bodies, without, err, kept)
	}
}

// lines counts the lines of a log that hold a word.
type lines struct {
	mu   sync.Mutex
	word string
	n    int
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += bytes.Count(b, []byte(l.word))
	return len(b), nil
}

// While somebody reads all bodies for long, as a backup does, a new day has no
// partition, and not everyone waits for one.
func TestABackupDoesNotHoldUpIntake(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	warned := &lines{word: "store.no_partition"}
	b.Options.Logger = slog.New(slog.NewTextHandler(warned, nil))
	s := b.Open(t)
	backup, err := raw(t, b).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backup.Rollback() }()
	var n int
	if err := backup.QueryRow(`SELECT COUNT(*) FROM webhook_bodies`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := s.Append(ctxOf(t), pushed(fmt.Sprint(i), "body")); err != nil {
			t.Fatal(err)
		}
	}
	warned.mu.Lock()
	defer warned.mu.Unlock()
	if warned.n != 1 {
		t.Errorf("five groups have waited for a partition %d times, want once", warned.n)
	}
}
