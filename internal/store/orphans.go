package store

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// A commit whose answer is lost may have happened all the same, at once or when
// the network lets it through. Then the table says that this process holds rows
// which it knows nothing of, and a repeat of such a push is a duplicate of one that
// nobody works off. So for some time after such a commit the process compares what
// it holds by the table with what it has in memory.

// doubtful is for how long after a commit without an answer that is done: no
// network holds anything back longer.
const doubtful = 10 * time.Minute

// doubt notes that a commit may have happened or not.
func (s *Store) doubt() { s.doubted.Store(time.Now().UnixNano()) }

// freeOrphans frees rows that this process holds by the table and not in memory,
// and returns how many. What was committed a moment ago is on its way into memory:
// only what was missing the last time too is freed. One that is freed too early is
// worked off twice, which changes nothing.
func (s *Store) freeOrphans(ctx context.Context) (int, error) {
	at := s.doubted.Load()
	if at == 0 {
		return 0, nil
	}
	if time.Since(time.Unix(0, at)) > doubtful {
		s.doubted.CompareAndSwap(at, 0)
		s.suspects = nil
		return 0, nil
	}
	var held []string
	err := s.read(ctx, "look for webhooks that are held and not known", `
		SELECT webhook_id
		FROM pending
		WHERE holder = $1`, []any{s.holder}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		held = append(held, id)
		return err
	})
	if err != nil {
		return 0, err
	}
	unknown := s.backlog.unknown(held)
	var orphans []string
	for _, id := range unknown {
		if _, before := slices.BinarySearch(s.suspects, id); before {
			orphans = append(orphans, id)
		}
	}
	slices.Sort(unknown)
	s.suspects = unknown
	if len(orphans) == 0 {
		return 0, nil
	}
	freed := 0
	err = s.change(ctx, "free webhooks that are held and not known", func(ctx context.Context, t *tx) (err error) {
		freed, err = t.letGo(ctx, s.holder, orphans, 0)
		return err
	})
	if freed > 0 {
		s.backlog.stir()
	}
	return freed, err
}

// unknown are those of the rows that are not held in memory.
func (b *backlog) unknown(ids []string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := make(map[string]bool, len(b.fresh))
	for i := range b.fresh {
		known[b.fresh[i].ID] = true
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		_, working := b.working[id]
		return working || known[id]
	})
}
