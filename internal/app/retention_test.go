package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
)

func TestSlicesFitTheirTurn(t *testing.T) {
	t.Parallel()
	slice := leastSlice
	for range 20 { // 50 µs a row
		slice = nextSlice(slice, time.Duration(slice)*50*time.Microsecond)
	}
	if slice < 55 || slice > 65 {
		t.Errorf("at 50 µs a row slices have %d rows, want 60", slice)
	}
	if n := nextSlice(slice, 10*time.Second); n != slice/2 {
		t.Errorf("after a slow one %d rows, want half", n)
	}
	for range 20 {
		slice = nextSlice(slice, 10*time.Second)
	}
	if slice != leastSlice {
		t.Errorf("on a slow disk slices have %d rows, want %d", slice, leastSlice)
	}
	for range 20 {
		slice = nextSlice(slice, 0)
	}
	if slice != mostSlice {
		t.Errorf("at no cost slices have %d rows, want %d", slice, mostSlice)
	}
}

// All that is past its age goes, slice by slice, without anyone asking.
func TestRetain(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const old, fresh = 5*leastSlice + 1, 3
	for n := range old + fresh {
		w := inbox.Webhook{EventID: "e", ReceivedAt: time.Now(), Status: inbox.Ignored}
		if n < old {
			w.ReceivedAt = w.ReceivedAt.Add(-100 * 24 * time.Hour)
		}
		if _, err := s.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for n := range old + fresh {
		e := access.Entry{At: time.Now(), Actor: access.CommandLine(), Act: access.ExportWebhooks}
		if n < old {
			e.At = e.At.Add(-201 * 24 * time.Hour)
		}
		if err := s.Record(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Retain(ctx, s, Ages{Webhooks: 90 * 24 * time.Hour, Audit: 200 * 24 * time.Hour}, slog.New(slog.DiscardHandler))
	}()
	until(t, "the old ones are gone", func() bool {
		depth, err := s.Depth(t.Context())
		return err == nil && depth[inbox.Ignored] == fresh
	})
	until(t, "the old acts are gone", func() bool {
		found, err := s.Audit(t.Context(), store.AuditFilter{}, 1, 200)
		return err == nil && found.Total == fresh
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A clock that jumps far ahead does not have all deleted that is finished.
func TestRetainOutlastsAJumpOfTheClock(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// By the clock of the last round those are ten days old, and more than 90.
	last := time.Now().Add(-90 * 24 * time.Hour)
	for _, days := range []int{10, 91} {
		w := inbox.Webhook{EventID: "e", ReceivedAt: last.AddDate(0, 0, -days), Status: inbox.Ignored}
		if _, err := s.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.RetentionTime(t.Context(), last, 0); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Retain(ctx, s, Ages{Webhooks: 90 * 24 * time.Hour}, slog.New(slog.DiscardHandler)) }()
	left := 2
	until(t, "something is deleted", func() bool {
		depth, err := s.Depth(t.Context())
		left = depth[inbox.Ignored]
		return err == nil && left < 2
	})
	stop()
	if err := <-ended; err != nil || left != 1 {
		t.Errorf("%d webhooks are left, %v; want the one that is ten days old", left, err)
	}
}
