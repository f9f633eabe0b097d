package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// Beside whoever has the database open, and without a trace.
func TestExamine(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		ctx := ctxOf(t)
		e, err := store.Examine(ctx, b.Options)
		if b.Options.URL == "" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of an empty folder: %v", err)
			}
			if entries, _ := os.ReadDir(b.DataDir); len(entries) > 0 {
				t.Errorf("it made %v", entries)
			}
		} else if err != nil || e.Schema != 0 || e.Known == 0 || e.Clock.IsZero() {
			t.Errorf("of an empty database: %+v, %v", e, err)
		}

		s := b.Open(t)
		if _, err := s.KeptSecret(ctx, "realtime.key", "the-key"); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			for range 2 {
				if _, err := s.Append(ctx, pushed(fmt.Sprint("twice", i), "{}")); err != nil {
					t.Fatal(err)
				}
			}
		}
		strange := pushed("strange", "{}")
		strange.Status, strange.Reason, strange.Peer = inbox.Rejected, inbox.Address, "203.0.113.9"
		if _, err := s.Append(ctx, strange); err != nil {
			t.Fatal(err)
		}
		e, err = store.Examine(ctx, b.Options)
		if err != nil {
			t.Fatal(err)
		}
		if e.Schema != e.Known || e.Recent != 7 || e.Originals != 4 || e.Kept[inbox.Duplicate] != 3 || !e.NewestPush.Equal(noon) || e.AppKey != "the-key" {
			t.Errorf("examined: %+v", e)
		}
		if len(e.Rejected) != 1 || e.Rejected[0] != (store.Rejected{Reason: inbox.Address, Peer: "203.0.113.9", Auth: "api_key", N: 1}) {
			t.Errorf("rejected: %+v", e.Rejected)
		}
		if len(e.Repeats) != 1 || e.Repeats[0] != (store.Repeats{What: "IN TRANSIT", N: 3, Soon: 3}) {
			t.Errorf("repeats: %+v", e.Repeats)
		}
		if _, err := s.Append(ctx, pushed("goes on", "{}")); err != nil {
			t.Errorf("the server after an examination: %v", err)
		}
	})
}

func TestExamineRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	if err := os.WriteFile(filepath.Join(b.DataDir, "waybill.db"), []byte("this is no database at all, and it is long enough to tell"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := store.Examine(ctxOf(t), b.Options); err == nil {
		t.Errorf("examined: %+v", e)
	}
}
