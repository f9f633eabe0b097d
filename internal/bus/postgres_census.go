package bus

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/webazaar/waybill/internal/pusher"
)

const (
	// The database's own time in microseconds.
	clock = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint`

	// slots is how many advisory locks all channels share. Few, so that a step with
	// thousands of channels does not fill the server's table of locks.
	slots = 64
)

// step is one transaction in one round trip. Its first statement keeps the node's
// lease from being reaped, its second keeps out every other step that concerns the
// same channels; those that follow see what was committed before. Where the lease
// is gone there is nothing of the node to change, and what is put in is refused by
// the reference to it.
func (p *Postgres) step(ctx context.Context, id string, channels []string, queue func(*pgx.Batch)) error {
	var b pgx.Batch
	b.Queue(`
		SELECT 1
		FROM live_nodes
		WHERE node = $1
		FOR KEY SHARE`, id).Query(func(rows pgx.Rows) error {
		if !rows.Next() {
			return errForgotten
		}
		return nil
	})
	b.Queue(`
		SELECT pg_advisory_xact_lock($1, slot)
		FROM unnest($2::integer[]) AS slot`, p.lockSpace(), slotsOf(channels))
	queue(&b)
	return p.pool.SendBatch(ctx, &b).Close()
}

// lockSpace sets this schema's locks apart from others'. Where two share a number
// they wait for each other without need, and that is all.
func (p *Postgres) lockSpace() int32 {
	return int32(hash(p.schema + "\x00live")) //nolint:gosec // any number will do
}

// slotsOf are in one order always, so that nobody waits in a circle.
func slotsOf(channels []string) []int32 {
	numbers := make([]int32, len(channels))
	for i, channel := range channels {
		numbers[i] = int32(hash(channel) % slots)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

func bytesOf(texts []string) [][]byte {
	all := make([][]byte, len(texts))
	for i, text := range texts {
		all[i] = []byte(text)
	}
	return all
}

// collect adds the first column of each row.
func collect(to *[]string) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				return err
			}
			*to = append(*to, string(b))
		}
		return rows.Err()
	}
}

// Seats is as pusher.Census says.
func (p *Postgres) Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	var (
		all, taken, left = slices.Collect(maps.Keys(seats)), []string{}, []string{}
		counts           []int32
	)
	for channel, n := range seats {
		if n > 0 {
			taken, counts = append(taken, channel), append(counts, int32(n)) //nolint:gosec // connections of one process
		} else {
			left = append(left, channel)
		}
	}
	err = p.as(ctx, "seats", func(ctx context.Context, id string) error {
		return p.step(ctx, id, all, func(b *pgx.Batch) {
			b.Queue(`
				INSERT INTO live_seats (node, channel, n)
				SELECT $1, channel, n
				FROM unnest($2::bytea[], $3::integer[]) AS t (channel, n)
				ON CONFLICT (channel, node) DO UPDATE
				SET n = excluded.n`, id, bytesOf(taken), counts)
			b.Queue(`
				DELETE FROM live_seats
				WHERE node = $1 AND channel = ANY($2::bytea[])`, id, bytesOf(left))
			b.Queue(`
				UPDATE live_occupied
				SET settles = ''
				WHERE channel = ANY($1::bytea[]) AND settles <> ''`, bytesOf(taken))
			b.Queue(`
				INSERT INTO live_occupied (channel, settles)
				SELECT channel, ''
				FROM unnest($1::bytea[]) AS channel
				ON CONFLICT DO NOTHING
				RETURNING channel`, bytesOf(taken)).Query(collect(&occupied))
			// Said again, it is answered again: the first answer may have been lost.
			b.Queue(`
				UPDATE live_occupied
				SET settles = $1
				WHERE channel = ANY($2::bytea[]) AND NOT EXISTS (
					SELECT 1
					FROM live_seats
					WHERE live_seats.channel = live_occupied.channel)
				RETURNING channel`, id, bytesOf(left)).Query(collect(&emptied))
		})
	})
	if err != nil {
		return nil, nil, err
	}
	return occupied, emptied, nil
}

// Settle is as pusher.Census says.
func (p *Postgres) Settle(ctx context.Context, channels []string) (vacated []string, err error) {
	err = p.as(ctx, "settle", func(ctx context.Context, id string) error {
		return p.step(ctx, id, channels, func(b *pgx.Batch) {
			b.Queue(`
				DELETE FROM live_occupied
				WHERE channel = ANY($1::bytea[]) AND settles <> ''
				RETURNING channel`, bytesOf(channels)).Query(collect(&vacated))
		})
	})
	if err != nil {
		return nil, err
	}
	return vacated, nil
}

// Counts is as pusher.Census says.
func (p *Postgres) Counts(ctx context.Context, channels []string) (counts []int, err error) {
	err = p.as(ctx, "counts", func(ctx context.Context, _ string) error {
		rows, err := p.pool.Query(ctx, `
			SELECT COALESCE(SUM(live_seats.n), 0)
			FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (channel, place)
			LEFT JOIN live_seats ON live_seats.channel = asked.channel
			GROUP BY asked.place
			ORDER BY asked.place`, bytesOf(channels))
		if err != nil {
			return err
		}
		counts, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	})
	return counts, err
}

// Channels is as pusher.Census says.
func (p *Postgres) Channels(ctx context.Context, prefix string) (all map[string]int, err error) {
	err = p.as(ctx, "channels", func(ctx context.Context, _ string) error {
		rows, err := p.pool.Query(ctx, `
			SELECT channel, SUM(n)
			FROM live_seats
			WHERE channel >= $1 AND substring(channel FROM 1 FOR length($1)) = $1
			GROUP BY channel`, []byte(prefix))
		if err != nil {
			return err
		}
		all = make(map[string]int)
		var (
			channel []byte
			n       int
		)
		_, err = pgx.ForEachRow(rows, []any{&channel, &n}, func() error {
			all[string(channel)] = n
			return nil
		})
		return err
	})
	return all, err
}

// Who is in channel $1.
const membersOfChannel = `
	SELECT member, (array_agg(info))[1]
	FROM live_members
	WHERE channel = $1
	GROUP BY member
	ORDER BY member`

func scanMembers(to *[]pusher.Member) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		*to = []pusher.Member{}
		for rows.Next() {
			var user, info []byte
			if err := rows.Scan(&user, &info); err != nil {
				return err
			}
			*to = append(*to, pusher.Member{User: string(user), Info: info})
		}
		return rows.Err()
	}
}

// Enter is as pusher.Census says.
func (p *Postgres) Enter(ctx context.Context, channel string, m pusher.Member, limit int) (members []pusher.Member, first bool, err error) {
	var entered bool
	err = p.as(ctx, "enter", func(ctx context.Context, id string) error {
		err := p.step(ctx, id, []string{channel}, func(b *pgx.Batch) {
			b.Queue(`
				WITH his AS (
					SELECT info
					FROM live_members
					WHERE channel = $1 AND member = $2
					LIMIT 1
				)
				INSERT INTO live_members (channel, member, node, info, n)
				SELECT $1, $2, $3, CASE WHEN EXISTS (SELECT 1 FROM his) THEN (SELECT info FROM his) ELSE $4 END, 1
				WHERE $5 = 0 OR EXISTS (SELECT 1 FROM his) OR $5 > (
					SELECT COUNT(DISTINCT member)
					FROM live_members
					WHERE channel = $1)
				ON CONFLICT (channel, member, node) DO UPDATE
				SET n = live_members.n + 1`, []byte(channel), []byte(m.User), id, m.Info, limit).
				Exec(func(tag pgconn.CommandTag) error {
					entered = tag.RowsAffected() > 0
					return nil
				})
			b.Queue(`
				SELECT COALESCE(SUM(n), 0) = 1
				FROM live_members
				WHERE channel = $1 AND member = $2`, []byte(channel), []byte(m.User)).QueryRow(func(row pgx.Row) error {
				return row.Scan(&first)
			})
			b.Queue(membersOfChannel, []byte(channel)).Query(scanMembers(&members))
		})
		if err == nil && !entered {
			return pusher.ErrFull
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return members, first, nil
}

// Exit is as pusher.Census says.
func (p *Postgres) Exit(ctx context.Context, channel, user string) (last bool, err error) {
	var was bool
	err = p.as(ctx, "exit", func(ctx context.Context, id string) error {
		return p.step(ctx, id, []string{channel}, func(b *pgx.Batch) {
			b.Queue(`
				UPDATE live_members
				SET n = n - 1
				WHERE channel = $1 AND member = $2 AND node = $3`, []byte(channel), []byte(user), id).
				Exec(func(tag pgconn.CommandTag) error {
					was = tag.RowsAffected() > 0
					return nil
				})
			b.Queue(`
				DELETE FROM live_members
				WHERE channel = $1 AND member = $2 AND node = $3 AND n = 0`, []byte(channel), []byte(user), id)
			b.Queue(`
				SELECT NOT EXISTS (
					SELECT 1
					FROM live_members
					WHERE channel = $1 AND member = $2)`, []byte(channel), []byte(user)).QueryRow(func(row pgx.Row) error {
				return row.Scan(&last)
			})
		})
	})
	return last && was && err == nil, err
}

// Members is as pusher.Census says.
func (p *Postgres) Members(ctx context.Context, channel string) (members []pusher.Member, err error) {
	err = p.as(ctx, "members", func(ctx context.Context, _ string) error {
		rows, err := p.pool.Query(ctx, membersOfChannel, []byte(channel))
		if err != nil {
			return err
		}
		defer rows.Close()
		return scanMembers(&members)(rows)
	})
	return members, err
}

// Remember is as pusher.Census says.
func (p *Postgres) Remember(ctx context.Context, m pusher.Message, ttl time.Duration) error {
	return p.as(ctx, "remember", func(ctx context.Context, _ string) error {
		_, err := p.pool.Exec(ctx, `
			INSERT INTO live_last (channel, message, ends_at)
			VALUES ($1, $2, `+clock+` + $3)
			ON CONFLICT (channel) DO UPDATE
			SET message = excluded.message, ends_at = excluded.ends_at`, []byte(m.Channel), encode(m), ttl.Microseconds())
		return err
	})
}

// Recall is as pusher.Census says.
func (p *Postgres) Recall(ctx context.Context, channel string) (m pusher.Message, ttl time.Duration, ok bool, err error) {
	err = p.as(ctx, "recall", func(ctx context.Context, _ string) error {
		var (
			kept []byte
			left int64
		)
		err := p.pool.QueryRow(ctx, `
			SELECT message, ends_at - `+clock+`
			FROM live_last
			WHERE channel = $1`, []byte(channel)).Scan(&kept, &left)
		if errors.Is(err, pgx.ErrNoRows) || (err == nil && left <= 0) {
			return nil
		}
		if err != nil {
			return err
		}
		if m, err = decode(kept); err != nil {
			return err
		}
		ttl, ok = time.Duration(left)*time.Microsecond, true
		return nil
	})
	return m, ttl, ok, err
}
