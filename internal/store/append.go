package store

import (
	"context"
	"slices"
	"sync"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// What one transaction of the committer takes at most: beyond that, waiting for
// the own commit costs more than another fsync.
const (
	groupRows  = 512
	groupBytes = 8 << 20
)

// Append keeps the row and says what it was taken for. When it returns without
// error, the row has been synced to disk, together with those of everyone who
// was waiting at the time. Errors: Unavailable when too much waits already or
// the disk refuses; ctx's error when ctx ends before the row's transaction has
// begun, and then the row is not kept.
//
// A row that comes pending is an original or, if one with its event id and its
// body is pending, processed or parked, a duplicate of that: then it is kept
// without its body. Other rows are kept as they come and stand in nobody's way.
func (s *Store) Append(ctx context.Context, w inbox.Webhook) (inbox.Appended, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Appended{}, err
	}
	e := &entry{webhook: w, done: make(chan struct{})}
	if err := s.queue.put(e); err != nil {
		return inbox.Appended{}, err
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		if s.queue.withdraw(e) {
			return inbox.Appended{}, ctx.Err()
		}
		<-e.done // it is being written: its answer is near
	}
	return e.answer, s.coded("append webhook", e.err)
}

// An entry is a row that waits for the committer, and then its answer.
type entry struct {
	webhook inbox.Webhook
	answer  inbox.Appended
	err     error
	done    chan struct{} // closed when answer or err is there
}

func (e *entry) size() int { return len(e.webhook.Body) + 1024 }

// A queue holds what waits for the committer, bounded in rows and bytes.
type queue struct {
	mu                sync.Mutex
	entries           []*entry
	bytes             int
	maxRows, maxBytes int
	closed            bool
	filled            chan struct{} // there may be entries, or an end
}

func newQueue(rows, bytes int) *queue {
	return &queue{maxRows: rows, maxBytes: bytes, filled: make(chan struct{}, 1)}
}

func (q *queue) put(e *entry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errClosed
	}
	if len(q.entries) >= q.maxRows || q.bytes+e.size() > q.maxBytes && len(q.entries) > 0 {
		return &tracking.Error{Code: tracking.Unavailable, Message: "too many webhooks are waiting to be written; come again"}
	}
	q.entries = append(q.entries, e)
	q.bytes += e.size()
	signal(q.filled)
	return nil
}

// withdraw takes e back; false if the committer has it already.
func (q *queue) withdraw(e *entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.entries, e)
	if i < 0 {
		return false
	}
	q.entries = slices.Delete(q.entries, i, i+1)
	q.bytes -= e.size()
	return true
}

// wait blocks until there are entries; false when the queue is closed and
// empty.
func (q *queue) wait() bool {
	for {
		q.mu.Lock()
		some, closed := len(q.entries) > 0, q.closed
		q.mu.Unlock()
		if some || closed {
			return some
		}
		<-q.filled
	}
}

// take returns the oldest entries, at most a transaction's worth.
func (q *queue) take() []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.entries) && n < groupRows && (n == 0 || bytes+q.entries[n].size() <= groupBytes) {
		bytes += q.entries[n].size()
		n++
	}
	group := q.entries[:n:n]
	q.entries, q.bytes = q.entries[n:], q.bytes-bytes
	if len(q.entries) == 0 {
		q.entries = nil
	}
	return group
}

// close lets nothing more in and reports whether it was open.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := !q.closed
	q.closed = true
	signal(q.filled)
	return was
}

// runCommitter writes what waits, group after group, until the queue is closed
// and empty.
func (s *Store) runCommitter() {
	for s.queue.wait() {
		s.commitGroup(nil)
	}
}

// commitGroup writes a group as one transaction and answers everyone in it.
// Without a given one the group is made when it is its turn, so that whoever
// comes while another writes still gets into it. If the transaction fails, each
// row is tried alone, so that one which cannot be stored spoils nothing for the
// others.
func (s *Store) commitGroup(group []*entry) {
	err := s.transact(context.Background(), intake, func(ctx context.Context, t *tx) error {
		if group == nil {
			group = s.queue.take()
		}
		if s.days != nil {
			wanted := map[int]bool{}
			for _, e := range group {
				wanted[dayOf(e.webhook.ReceivedAt)] = true
			}
			s.days.prepare(ctx, wanted)
		}
		k := keeper{tx: t, store: s, fresh: map[string]bool{}}
		return k.keep(ctx, group)
	})
	if group == nil { // it could not even begin
		group = s.queue.take()
	}
	if err != nil && len(group) > 1 && s.kindOf(err) != unavailable {
		s.log.Warn("webhooks.group_refused", "rows", len(group), "error", err)
		for i := range group {
			s.commitGroup(group[i : i+1])
		}
		return
	}
	if err == nil && len(group) > 0 {
		s.groups.Add(1)
		s.grouped.Add(int64(len(group)))
	}
	for _, e := range group {
		e.err = err
		close(e.done)
	}
}

// Groups is how many transactions Append's rows were written in so far, and how
// many rows that were.
func (s *Store) Groups() (groups, rows int64) { return s.groups.Load(), s.grouped.Load() }
