package store_test

import (
	"fmt"
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
