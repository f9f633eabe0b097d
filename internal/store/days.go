package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	dayPrefix = "webhook_bodies_day_"

	// lockPatience is how long a change of partitions waits for those who use
	// them now, and so how long others wait behind it.
	lockPatience = "200ms"

	// partitionPause is how long partitions are left alone after that was in
	// vain.
	partitionPause = 10 * time.Second

	// thinAtOnce is how many bodies are looked at in one statement at least.
	thinAtOnce = 500
)

// days are the partitions of webhook_bodies. A body whose day has none is kept
// in the loose one: nothing is refused for want of a partition.
type days struct {
	db  *sql.DB
	log *slog.Logger

	mu        sync.Mutex
	known     map[int]bool
	notBefore time.Time // leave partitions alone: somebody is using the table for long
}

func newDays(db *sql.DB, log *slog.Logger) *days {
	return &days{db: db, log: log, known: map[int]bool{}}
}

// prepare makes partitions for days, and for those after them: by the time a
// day begins it has one.
func (p *days) prepare(ctx context.Context, wanted map[int]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for day := range wanted {
		for _, day := range []int{day, day + 1} {
			if p.known[day] || time.Now().Before(p.notBefore) {
				continue
			}
			p.known[day] = true
			if err := p.create(ctx, day); err != nil {
				p.log.Warn("store.no_partition", "day", day, "error", err)
				var refused *pgconn.PgError
				if !errors.As(err, &refused) || refused.Code == "55P03" {
					// A later group tries again. A backup may read the table for an
					// hour, and every try holds up those whose webhooks it is for.
					delete(p.known, day)
					p.notBefore = time.Now().Add(partitionPause)
				}
			}
		}
	}
}

// create makes the partition of a day, if it is not there. It is made aside and
// then attached: so nobody who reads or writes has to wait for it.
func (p *days) create(ctx context.Context, day int) error {
	table := dayPrefix + strconv.Itoa(day)
	var exists bool
	if err := p.db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists); err != nil || exists {
		return err
	}
	return p.change(ctx, func(exec func(text string) error) error {
		// Bodies are mostly of two to four kilobytes: kept in their rows and as
		// they are, they cost neither a second look-up nor time to compress.
		if err := exec(`CREATE TABLE ` + table + ` (LIKE webhook_bodies INCLUDING ALL) WITH (toast_tuple_target = 8160)`); err != nil {
			if taken, ok := errors.AsType[*pgconn.PgError](err); ok && taken.Code == "42P07" {
				return nil // another process was faster
			}
			return err
		}
		if err := exec(`ALTER TABLE ` + table + ` ALTER COLUMN body SET STORAGE EXTERNAL`); err != nil {
			return err
		}
		return exec(`ALTER TABLE webhook_bodies ATTACH PARTITION ` + table + ` FOR VALUES FROM ('` + dayID(day) + `') TO ('` + dayID(day+1) + `')`)
	})
}

// drop takes a day's partition away. Bodies of webhooks that are still there
// become loose; if there are more than most, for that would take others long,
// the day stays. It reports whether it is gone.
func (p *days) drop(ctx context.Context, day, most int) (bool, error) {
	var left int
	err := p.db.QueryRowContext(ctx, `
		SELECT COUNT(*)
		FROM (
			SELECT 1
			FROM webhooks
			WHERE id >= $1 AND id < $2
			LIMIT $3) counted`, dayID(day), dayID(day+1), most+1).Scan(&left)
	if err != nil || left > most {
		return false, err
	}
	table := dayPrefix + strconv.Itoa(day)
	err = p.change(ctx, func(exec func(text string) error) error {
		for _, text := range []string{
			`ALTER TABLE webhook_bodies DETACH PARTITION ` + table,
			`INSERT INTO webhook_bodies (webhook_id, headers, body)
			SELECT b.webhook_id, b.headers, b.body
			FROM ` + table + ` b JOIN webhooks w ON w.id = b.webhook_id`,
			`DROP TABLE ` + table,
		} {
			if err := exec(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("drop the bodies of day %d: %w", day, err)
	}
	return true, nil
}

// thin deletes the bodies of a day that stays, for what nobody has resolved, of
// all webhooks that are no more, looking at so many at a time.
func (p *days) thin(ctx context.Context, day, atOnce int) error {
	table := dayPrefix + strconv.Itoa(day)
	for after := ""; ; {
		var seen int
		err := p.db.QueryRowContext(ctx, `
			WITH looked AS (
				SELECT webhook_id
				FROM `+table+`
				WHERE webhook_id > $1
				ORDER BY webhook_id
				LIMIT $2), gone AS (
				DELETE FROM `+table+` b
				USING looked
				WHERE b.webhook_id = looked.webhook_id AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.id = looked.webhook_id))
			SELECT COUNT(*), COALESCE(MAX(webhook_id), '')
			FROM looked`, after, max(atOnce, thinAtOnce)).Scan(&seen, &after)
		if err != nil {
			return fmt.Errorf("thin the bodies of day %d: %w", day, err)
		}
		if seen == 0 {
			return nil
		}
	}
}

// dropBefore drops the partitions of days that have ended by a time, and says
// how many.
func (p *days) dropBefore(ctx context.Context, before time.Time, most int) (int, error) {
	all, err := p.all(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the days of bodies: %w", err)
	}
	dropped := 0
	for _, day := range all {
		if day >= dayOf(before) {
			continue
		}
		gone, err := p.drop(ctx, day, most)
		if err == nil && !gone {
			err = p.thin(ctx, day, most)
		}
		if err != nil {
			return dropped, err
		}
		if gone {
			dropped++
		}
	}
	return dropped, nil
}

// forgetCounts deletes counts of days before a time that come to nothing. All
// slots of a count are seen at once: nobody counts meanwhile.
func (p *days) forgetCounts(ctx context.Context, before time.Time) error {
	day := strconv.Itoa(dayOf(before))
	empty := `
		SELECT day, status
		FROM webhook_counts
		WHERE day < ` + day + `
		GROUP BY day, status
		HAVING SUM(n) = 0`
	var some bool
	if err := p.db.QueryRowContext(ctx, `SELECT EXISTS (`+empty+`)`).Scan(&some); err != nil || !some {
		return err
	}
	return p.change(ctx, func(exec func(text string) error) error {
		if err := exec(`LOCK TABLE webhook_counts IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		return exec(`DELETE FROM webhook_counts WHERE (day, status) IN (` + empty + `)`)
	})
}

func (p *days) all(ctx context.Context) ([]int, error) {
	rows, err := p.db.QueryContext(ctx, `
		SELECT c.relname
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'webhook_bodies'::regclass
		ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	var all []int
	err = each(rows, func(rows *sql.Rows) error {
		var table string
		if err := rows.Scan(&table); err != nil {
			return err
		}
		if day, err := strconv.Atoi(strings.TrimPrefix(table, dayPrefix)); err == nil {
			all = append(all, day)
		}
		return nil
	})
	return all, err
}

// change runs fn as a transaction that waits for nobody long.
func (p *days) change(ctx context.Context, fn func(exec func(text string) error) error) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	exec := func(text string) error {
		_, err := tx.ExecContext(ctx, text)
		return err
	}
	if err := exec(`SET LOCAL lock_timeout = '` + lockPatience + `'`); err != nil {
		return err
	}
	if err := fn(exec); err != nil {
		return err
	}
	return tx.Commit()
}

// dayID is where the ids of a day begin.
func dayID(day int) string { return idAt(time.Unix(int64(day)*86400, 0)) }
