package durability

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestNoAnswerBeforeItsSync looks at the system calls of the binary under many
// senders. Before the first byte of a 200 leaves, the event's row and body have
// been written to the write-ahead log, and a sync of that file, begun after
// those writes had ended, has ended.
func TestNoAnswerBeforeItsSync(t *testing.T) {
	t.Parallel()
	r := record(t, load{Seed: 11, Parcels: 90, Marked: true, Moment: time.Now()}, 24, 600)
	wal := filepath.Join(r.dir, "waybill.db-wal")
	var writes, syncs []*call
	texts := map[*call][]byte{}
	for _, c := range r.calls {
		switch {
		case c.failed() || c.ended == 0:
		case c.name == "pwrite64" && c.file(0) == wal:
			writes = append(writes, c)
			texts[c] = c.text(1)
		case (c.name == "fsync" || c.name == "fdatasync") && c.file(0) == wal:
			syncs = append(syncs, c)
		}
	}
	// covered reports whether the bytes were written before the last sync that
	// had ended when the answer began to leave.
	covered := func(wanted []byte, answered int) bool {
		synced := 0
		for _, s := range syncs {
			if s.ended < answered {
				synced = max(synced, s.begun)
			}
		}
		for _, w := range slices.Backward(writes) {
			if w.ended < synced && bytes.Contains(texts[w], wanted) {
				return true
			}
		}
		return false
	}
	tried, early := 0, 0
	for _, a := range r.answers {
		if a.duplicate {
			continue
		}
		tried++
		if a.push < 0 {
			t.Errorf("an answer for %s that nobody got", a.eventID)
			continue
		}
		// Of a body its end tells that all of it was written: pages come in
		// their order.
		for what, wanted := range map[string][]byte{"row": []byte(a.eventID), "body": []byte(mark(a.push))} {
			if !covered(wanted, a.begun) {
				early++
				t.Errorf("the 200 for %s left before its %s was synced", a.eventID, what)
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d answers were looked at", tried)
	}
	t.Logf("%d answers looked at, %d writes and %d syncs of the log: %d left too early", tried, len(writes), len(syncs), early)
}
