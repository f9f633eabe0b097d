package store

import (
	"context"
	"strconv"
)

// emptyTries is how often it is tried to empty the write-ahead log, each for
// restartPatience: intake waits meanwhile.
const emptyTries = 5

// shredSQLite has SQLite overwrite with zeros what it frees, and empties the
// write-ahead log once that is committed: the log has pages as they were before.
// Only the few transactions that erase do this, since every page that is freed
// is written for it. Where somebody reads the log for longer, a backup say, it
// goes when the log begins anew, as it always does.
func shredSQLite(ctx context.Context, t *tx) (done func(), err error) {
	// Not by statements that are kept: a pragma takes hold when it is prepared.
	if _, err := t.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return nil, err
	}
	t.after = append(t.after, func() {
		_, _ = t.ExecContext(ctx, `PRAGMA busy_timeout = `+strconv.Itoa(restartPatience))
		for emptied, try := false, 0; !emptied && try < emptyTries; try++ {
			emptied = emptyLog(ctx, t)
		}
		_, _ = t.ExecContext(ctx, `PRAGMA busy_timeout = `+strconv.Itoa(busyTimeout))
	})
	return func() { _, _ = t.ExecContext(ctx, `PRAGMA secure_delete = OFF`) }, nil
}

func emptyLog(ctx context.Context, t *tx) bool {
	var busy, inLog, carried int
	rows, err := t.QueryContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err == nil {
		err = single(rows, &busy, &inLog, &carried)
	}
	return err == nil && busy == 0
}
