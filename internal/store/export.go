package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/webazaar/waybill/internal/inbox"
)

// exportRows is how many webhooks are read at once: what an export holds in
// memory, with bodies of a few kilobytes each.
const exportRows = 200

// Export hands over all webhooks that filter chooses, with their bodies, oldest
// first and some at a time, as far as the log reaches now. It holds no
// transaction open meanwhile, and ends with do's error.
func (s *Store) Export(ctx context.Context, filter Filter, do func(rows []inbox.Webhook) error) error {
	var newest string
	err := s.read(ctx, "find the newest webhook", `
		SELECT id
		FROM webhooks
		ORDER BY id DESC
		LIMIT 1`, nil, func(rows *sql.Rows) error { return rows.Scan(&newest) })
	if err != nil || newest == "" {
		return err
	}
	for part := (stretch{}); !part.last; {
		err := s.view(ctx, "export webhooks", func(ctx context.Context, t *tx) (err error) {
			if part, err = t.stretch(ctx, filter, part.end, newest, exportRows); err != nil {
				return err
			}
			return t.addBodies(ctx, part.rows)
		})
		if err != nil {
			return err
		}
		if len(part.rows) > 0 {
			err = do(part.rows)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addBodies reads the bodies of rows into them.
func (t *tx) addBodies(ctx context.Context, rows []inbox.Webhook) error {
	at := make(map[string]int, len(rows))
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, i
	}
	err := among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		return t.all(ctx, `
			SELECT webhook_id, body
			FROM webhook_bodies
			WHERE webhook_id`+in, args, func(found *sql.Rows) error {
			var (
				id   string
				body []byte
			)
			err := found.Scan(&id, &body)
			rows[at[id]].Body = body
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("read bodies: %w", err)
	}
	return nil
}
