package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/webazaar/waybill/internal/tracking"
)

// Candidates are the orders that are known by one of the numbers, in any
// channel, with the contact that was registered; none if there is none. What it
// reads of an order is one row, so that finding none takes as long.
func (s *Store) Candidates(ctx context.Context, numbers []string) ([]tracking.Candidate, error) {
	var candidates []tracking.Candidate
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = short(n)
	}
	seen := map[string]bool{}
	err := among(&s.dialect, names, func(names []string) error {
		in, args := oneOf(&s.dialect, 1, names)
		return s.read(ctx, "find orders by number", `
			SELECT o.id, o.contact, o.created_at
			FROM identifiers i JOIN orders o ON o.seq = i.order_seq
			WHERE i.kind = 'number' AND i.value`+in, args, func(rows *sql.Rows) error {
			var (
				c         tracking.Candidate
				contact   string
				createdAt int64
			)
			err := rows.Scan(&c.OrderID, &contact, &createdAt)
			if err != nil || seen[c.OrderID] {
				return err
			}
			seen[c.OrderID], c.CreatedAt = true, fromMicros(createdAt)
			if contact != "" {
				if err := json.Unmarshal([]byte(contact), &c.Contact); err != nil {
					return fmt.Errorf("decode the contact of order %s: %w", c.OrderID, err)
				}
			}
			candidates = append(candidates, c)
			return nil
		})
	})
	return candidates, err
}
