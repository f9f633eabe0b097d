package store

import (
	"slices"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// What this process holds in memory of what it has taken in. Beyond that, rows
// are left to the table, for any process to claim.
const (
	heldRows  = 8192
	heldBytes = 32 << 20
)

// fewAtLeast is how many rows are given out even if fewer wait than make two
// such lots. With one writer, who waits for an answer stands behind what is
// being written: only when much waits are large transactions worth that.
const fewAtLeast = 32

// lookAgain is how often the table of pending rows is looked into even if
// nothing is known to have changed there: other processes leave rows too.
const lookAgain = 5 * time.Second

// A backlog is what this process holds of the pending rows: those it has just
// committed, so that nobody has to read them again, and those that are being
// worked on. Their rows in the table name the process as their holder.
type backlog struct {
	mu      sync.Mutex
	fresh   []inbox.Webhook // in the order of their commits
	bytes   int             // of the bodies in fresh
	working map[string]inbox.Webhook

	// turn says where the next claim looks first, so that neither new rows,
	// nor those in the table, nor those that were tried before wait for ever.
	turn   int
	lookAt time.Time // when the table may have something; zero: now
	looked time.Time // when it was last looked into, by the machine's clock
	stirs  int       // how often something was put into the table
}

func newBacklog() *backlog { return &backlog{working: map[string]inbox.Webhook{}} }

// room is how many more rows of these sizes may be held, from the first on.
func (b *backlog) room(sizes []int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows, bytes := len(b.fresh), b.bytes
	for n, size := range sizes {
		rows, bytes = rows+1, bytes+size
		if rows > heldRows || bytes > heldBytes {
			return n
		}
	}
	return len(sizes)
}

// hold takes rows over that were committed with this process as their holder.
func (b *backlog) hold(rows []inbox.Webhook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range rows {
		b.bytes += len(rows[i].Body)
	}
	b.fresh = append(b.fresh, rows...)
}

// take gives out at most n held rows to work on. One that was tried before
// comes alone: it may be what ended the process that tried it.
func (b *backlog) take(n int) []inbox.Webhook {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, len(b.fresh), max(fewAtLeast, len(b.fresh)/2))
	if i := slices.IndexFunc(b.fresh[:n], func(w inbox.Webhook) bool { return w.Attempts > 1 }); i >= 0 {
		n = max(i, 1)
	}
	taken := slices.Clone(b.fresh[:n])
	clear(b.fresh[:n]) // lets go of the bodies
	if b.fresh = b.fresh[n:]; len(b.fresh) == 0 {
		b.fresh = nil
	}
	for i := range taken {
		b.bytes -= len(taken[i].Body)
		b.working[taken[i].ID] = taken[i]
	}
	return taken
}

// begin notes rows of the table that are being worked on.
func (b *backlog) begin(rows []inbox.Webhook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range rows {
		b.working[rows[i].ID] = rows[i]
	}
}

// giveBack puts rows back that were taken and not worked off.
func (b *backlog) giveBack(ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var back []inbox.Webhook
	for _, id := range ids {
		if w, ok := b.working[id]; ok {
			delete(b.working, id)
			b.bytes += len(w.Body)
			back = append(back, w)
		}
	}
	b.fresh = append(back, b.fresh...)
}

// end forgets rows that are no longer this process's to work on.
func (b *backlog) end(ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.working, id)
	}
}

// inWork are the ids of the rows that are being worked on, sorted.
func (b *backlog) inWork() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, 0, len(b.working))
	for id := range b.working {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// stir says that the table may hold something to claim now.
func (b *backlog) stir() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lookAt = time.Time{}
	b.stirs++
}

// look reports whether it is time to look into the table, and how often it was
// stirred so far. A clock that is set back delays nothing for long.
func (b *backlog) look(now time.Time) (due bool, stirs int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !now.Before(b.lookAt) || time.Since(b.looked) >= lookAgain, b.stirs
}

// sawNothing says when to look again, unless the table was stirred meanwhile;
// zero: when it is.
func (b *backlog) sawNothing(stirs int, now, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stirs != stirs {
		return
	}
	b.looked, b.lookAt = time.Now(), now.Add(lookAgain)
	if !next.IsZero() && next.Before(b.lookAt) {
		b.lookAt = next
	}
}

// next is when there may be something to claim; zero: now.
func (b *backlog) next() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.fresh) > 0 {
		return time.Time{}
	}
	return b.lookAt
}
