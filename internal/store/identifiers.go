package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/webazaar/waybill/internal/tracking"
)

// A name is what orders are looked up by: an identifier in any channel.
type name struct {
	kind  tracking.IdentifierKind
	value string
}

// namesOf are the names that can be looked up at all, sorted, each once.
func namesOf(ids []tracking.Identifier) []name {
	names := make([]name, 0, len(ids))
	for _, id := range ids {
		if len(id.Value) <= maxName {
			names = append(names, name{id.Kind, text(id.Value)})
		}
	}
	slices.SortFunc(names, name.compare)
	return slices.Compact(names)
}

func (n name) compare(other name) int {
	return tracking.Identifier{Kind: n.kind, Value: n.value}.Compare(tracking.Identifier{Kind: other.kind, Value: other.value})
}

// A holder is one order that is known under a name, in one channel.
type holder struct {
	channel string
	seq     int64
}

// holders finds the orders that are known under names.
func (t *tx) holders(ctx context.Context, names []name) (map[name][]holder, error) {
	found := make(map[name][]holder, len(names))
	err := among(t.dialect, names, func(names []name) error {
		table, args := t.dialect.rows(2, nameArgs(names))
		return t.all(ctx, `
			WITH wanted (kind, value) AS (`+table+`)
			SELECT DISTINCT i.kind, i.value, i.channel, i.order_seq
			FROM wanted w JOIN identifiers i ON i.kind = w.kind AND i.value = w.value`, args, func(rows *sql.Rows) error {
			var (
				n name
				h holder
			)
			err := rows.Scan(&n.kind, &n.value, &h.channel, &h.seq)
			found[n] = append(found[n], h)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look up identifiers: %w", err)
	}
	return found, nil
}

// release makes webhooks pending again that are parked because no order was
// known under any of names, and says how many those were.
func (t *tx) release(ctx context.Context, names []name) (int, error) {
	var waiting []string
	err := among(t.dialect, names, func(names []name) error {
		table, args := t.dialect.rows(2, nameArgs(names))
		return t.all(ctx, `
			WITH wanted (kind, value) AS (`+table+`)
			SELECT DISTINCT a.webhook_id
			FROM wanted w JOIN awaited_names a ON a.kind = w.kind AND a.value = w.value`, args, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			waiting = append(waiting, id)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("look up waiting webhooks: %w", err)
	}
	slices.Sort(waiting)
	return t.reopen(ctx, slices.Compact(waiting))
}

// await keeps the names that would release a parked webhook.
func (t *tx) await(ctx context.Context, webhookID string, names []name) error {
	var rows []any
	for _, n := range names {
		rows = append(rows, string(n.kind), n.value, webhookID)
	}
	err := t.insert(ctx, `INSERT INTO awaited_names (kind, value, webhook_id)`, 3, rows, `
		ON CONFLICT DO NOTHING`, nil)
	if err != nil {
		return fmt.Errorf("keep awaited names: %w", err)
	}
	return nil
}

func nameArgs(names []name) []any {
	args := make([]any, 0, 2*len(names))
	for _, n := range names {
		args = append(args, string(n.kind), n.value)
	}
	return args
}
