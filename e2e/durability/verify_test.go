package durability

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// A tally is what a test found.
type tally struct {
	acknowledged, rows, originals, orders, versions int
	lost, unprocessed, unlike                       int
}

func (t tally) String() string {
	return fmt.Sprintf("%d acknowledged, %d in the log, %d of them originals, %d orders, %d versions published; "+
		"lost %d, not worked off %d, beliefs unlike the straight fold %d",
		t.acknowledged, t.rows, t.originals, t.orders, t.versions, t.lost, t.unprocessed, t.unlike)
}

// journal is all rows of the log, originals with their bodies, by event id.
func journal(t *testing.T, s *store.Store) (originals map[string]inbox.Webhook, byStatus map[inbox.Status]int) {
	t.Helper()
	originals, byStatus = map[string]inbox.Webhook{}, map[inbox.Status]int{}
	for before := ""; ; {
		page, err := s.Webhooks(t.Context(), store.Filter{Before: before}, 1, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Rows) == 0 {
			return originals, byStatus
		}
		for _, w := range page.Rows {
			before = w.ID
			byStatus[w.Status]++
			if w.Status == inbox.Duplicate {
				continue
			}
			if w, err = s.Webhook(t.Context(), w.ID); err != nil {
				t.Fatal(err)
			}
			if twin, twice := originals[w.EventID]; twice {
				t.Errorf("event %s has two originals, %s and %s", w.EventID, twin.ID, w.ID)
			}
			originals[w.EventID] = w
		}
	}
}

// verify holds what a database has, after everything was worked off, against
// what was sent and acknowledged.
func verify(t *testing.T, s *store.Store, pushes []func() []byte, acks map[int]ack) tally {
	t.Helper()
	originals, byStatus := journal(t, s)
	found := tally{acknowledged: len(acks), originals: len(originals)}
	depth, err := s.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(byStatus, depth); diff != "" {
		t.Errorf("the log's rows and its counts differ (-rows +counts):\n%s", diff)
	}
	for _, n := range byStatus {
		found.rows += n
	}
	for i, a := range acks {
		w, kept := originals[a.eventID]
		if !kept || !a.duplicate && !bytes.Equal(w.Body, pushes[i]()) {
			found.lost++
			t.Errorf("push %d was acknowledged as %s and is lost (another body in its place: %t)", i, a.eventID, kept)
		}
	}
	for _, w := range originals {
		if w.Status != inbox.Processed && (w.Status != inbox.Parked || w.Reason != inbox.Placeholder) {
			found.unprocessed++
			t.Errorf("webhook %s (%s) is %s %s: %s %s", w.ID, w.EventID, w.Status, w.Reason, w.Result, w.Error)
		}
	}
	got := beliefs(t, s, originals)
	want := straight(t, pushes, acks, originals)
	found.orders = len(got)
	found.unlike = unlike(t, want, got)
	return found
}

// beliefs are what the database believes of the orders that its log names,
// sorted.
func beliefs(t *testing.T, s *store.Store, originals map[string]inbox.Webhook) []string {
	t.Helper()
	var all []string
	for _, o := range orders(t, s, originals) {
		if o.Snapshot.Version != o.Version {
			t.Errorf("order %s is at version %d and shows %d", o.ID, o.Version, o.Snapshot.Version)
		}
		all = append(all, beliefOf(o))
	}
	slices.Sort(all)
	return all
}

func orders(t *testing.T, s *store.Store, originals map[string]inbox.Webhook) []*tracking.Order {
	t.Helper()
	byID := map[string]*tracking.Order{}
	var all []*tracking.Order
	for _, w := range originals {
		if w.OrderID == "" || byID[w.OrderID] != nil {
			continue
		}
		o, err := s.Order(t.Context(), w.OrderID)
		if err != nil {
			t.Errorf("order %s of webhook %s: %v", w.OrderID, w.ID, err)
			continue
		}
		if byID[o.ID] == nil {
			all = append(all, o)
		}
		byID[o.ID], byID[w.OrderID] = o, o
	}
	return all
}

// straight folds what was sent, in the order of their events. Of
// the log only the times of receipt are taken, which date what has no date.
func straight(t *testing.T, pushes []func() []byte, acks map[int]ack, originals map[string]inbox.Webhook) []string {
	t.Helper()
	all := make([]tracking.Evidence, 0, len(acks))
	add := func(body []byte, received time.Time) {
		push, err := shiprocket.Interpret(body, received)
		if err != nil {
			t.Fatalf("interpret %s: %v", body, err)
		}
		if !push.Placeholder {
			all = append(all, push.Evidence)
		}
	}
	known := map[string]bool{}
	for i, a := range acks {
		known[a.eventID] = true
		if w, kept := originals[a.eventID]; kept {
			add(pushes[i](), w.ReceivedAt)
		}
	}
	for _, w := range originals {
		if !known[w.EventID] { // kept, and the process ended before it could say so
			add(w.Body, w.ReceivedAt)
		}
	}
	slices.SortFunc(all, func(a, b tracking.Evidence) int {
		return cmp.Or(a.Reading.EventTime.Compare(b.Reading.EventTime), cmp.Compare(a.Reading.Key(), b.Reading.Key()))
	})
	l := newLedger()
	for _, e := range all {
		if conflict := l.add(e); conflict != "" {
			t.Errorf("the straight fold meets a conflict: %s", conflict)
		}
	}
	return l.beliefs()
}

// unlike counts the orders in which two sorted lists of beliefs differ, and
// shows one.
func unlike(t *testing.T, want, got []string) int {
	t.Helper()
	missing, strange := without(want, got), without(got, want)
	n := max(len(missing), len(strange))
	if n > 0 {
		t.Errorf("%d orders are believed otherwise than in a straight fold, %d too many; the first differs (-fold +database):\n%s",
			len(missing), len(strange), gocmp.Diff(first(missing), first(strange)))
	}
	return n
}

func without(all, others []string) []string {
	var left []string
	for _, s := range all {
		if _, found := slices.BinarySearch(others, s); !found {
			left = append(left, s)
		}
	}
	return left
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// verifyTold holds the versions that watchers were told of against the orders:
// none is missing, none was made up, and no order's version came before the one
// below it. It returns how many there are.
func verifyTold(t *testing.T, s *store.Store, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]map[int64]bool{}
	highest := map[string]int64{}
	versions := 0
	for line := range bytes.Lines(text) {
		var (
			id      string
			version int64
		)
		if _, err := fmt.Sscanf(string(line), "%s %d\n", &id, &version); err != nil {
			t.Fatalf("told %q: %v", line, err)
		}
		if told[id] == nil {
			told[id] = map[int64]bool{}
		}
		if !told[id][version] {
			versions++
			if version < highest[id] {
				t.Errorf("order %s: version %d was published after %d", id, version, highest[id])
			}
		}
		told[id][version] = true
		highest[id] = max(highest[id], version)
	}
	originals, _ := journal(t, s)
	known := map[string]bool{}
	for _, o := range orders(t, s, originals) {
		seen := map[int64]bool{}
		for _, id := range append([]string{o.ID}, o.Aliases...) {
			known[id] = true
			for v := range told[id] {
				seen[v] = true
			}
		}
		for v := int64(1); v <= o.Version; v++ {
			if !seen[v] {
				t.Errorf("order %s is at version %d; watchers were never told of %d", o.ID, o.Version, v)
			}
		}
		if len(seen) > int(o.Version) {
			t.Errorf("order %s is at version %d; watchers were told of later ones", o.ID, o.Version)
		}
	}
	for id := range told {
		if !known[id] {
			t.Errorf("watchers were told of order %s, which nobody knows", id)
		}
	}
	return versions
}

// work works a database off in this process, as the program does at its start.
func work(ctx context.Context, t *testing.T, s *store.Store) {
	t.Helper()
	if _, err := s.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	i := inbox.New(inbox.Options{
		Log: s, Verifier: shiprocket.NewVerifier([]string{token}, nil, ""), Logger: quiet, Apply: inbox.ApplyOptions{AutoCreate: true},
	})
	for {
		n, err := i.Work(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}
