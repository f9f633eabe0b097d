package bus

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/webazaar/waybill/internal/pusher"
)

func (p *Postgres) join(ctx context.Context, id string) error {
	_, err := p.pool.Exec(ctx, `
		INSERT INTO live_nodes (node, ends_at)
		VALUES ($1, `+clock+` + $2)`, id, p.lease.Microseconds())
	return err
}

func (p *Postgres) renew(ctx context.Context, id string) error {
	var b pgx.Batch
	b.Queue(`
		UPDATE live_nodes
		SET ends_at = `+clock+` + $2
		WHERE node = $1`, id, p.lease.Microseconds()).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return errForgotten
		}
		return nil
	})
	b.Queue(`
		DELETE FROM live_last
		WHERE channel IN (
			SELECT channel
			FROM live_last
			WHERE ends_at < ` + clock + `
			LIMIT 1000
			FOR UPDATE SKIP LOCKED)`)
	return p.pool.SendBatch(ctx, &b).Close()
}

func (p *Postgres) leave(ctx context.Context, id string) error {
	if _, err := p.pool.Exec(ctx, `
		UPDATE live_nodes
		SET ends_at = 0
		WHERE node = $1`, id); err != nil {
		return err
	}
	return p.notify(ctx, 0, []pusher.Message{{Channel: control}})
}

func (p *Postgres) reap(ctx context.Context, id string, late bool) (d *pusher.Departure, err error) {
	err = pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		var dead string
		err := tx.QueryRow(ctx, `
			SELECT node
			FROM live_nodes
			WHERE node <> $1 AND ends_at <= CASE WHEN $2 THEN `+clock+` ELSE 0 END
			LIMIT 1
			FOR UPDATE SKIP LOCKED`, id, late).Scan(&dead)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d = &pusher.Departure{Members: make(map[string][]pusher.Member)}
		return p.bury(ctx, tx, id, dead, d)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// bury takes out what a node put in, whose row is locked by this transaction, and
// tells d what ended.
func (p *Postgres) bury(ctx context.Context, tx pgx.Tx, id, dead string, d *pusher.Departure) error {
	var b pgx.Batch
	b.Queue(`
		SELECT pg_advisory_xact_lock($1, slot)
		FROM generate_series(0, $2) AS slot`, p.lockSpace(), slots-1)
	b.Queue(`
		WITH gone AS (
			DELETE FROM live_seats
			WHERE node = $1
			RETURNING channel
		)
		UPDATE live_occupied
		SET settles = $1
		FROM gone
		WHERE live_occupied.channel = gone.channel AND NOT EXISTS (
			SELECT 1
			FROM live_seats
			WHERE live_seats.channel = gone.channel AND live_seats.node <> $1)`, dead)
	// What the dead node had been told of and has not settled is passed on, too.
	b.Queue(`
		UPDATE live_occupied
		SET settles = $1
		WHERE settles = $2
		RETURNING channel`, id, dead).Query(collect(&d.Emptied))
	b.Queue(`
		WITH gone AS (
			DELETE FROM live_members
			WHERE node = $1
			RETURNING channel, member, info
		)
		SELECT channel, member, info
		FROM gone
		WHERE NOT EXISTS (
			SELECT 1
			FROM live_members
			WHERE live_members.channel = gone.channel AND live_members.member = gone.member AND live_members.node <> $1)`,
		dead).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var channel, user, info []byte
			if err := rows.Scan(&channel, &user, &info); err != nil {
				return err
			}
			d.Members[string(channel)] = append(d.Members[string(channel)], pusher.Member{User: string(user), Info: info})
		}
		return rows.Err()
	})
	b.Queue(`
		DELETE FROM live_nodes
		WHERE node = $1`, dead)
	return tx.SendBatch(ctx, &b).Close()
}
