package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"

	"github.com/webazaar/waybill/internal/inbox"
)

var _ inbox.AddressLog = (*Store)(nil)

// AllowedAddresses are those that were allowed by calls, the oldest first.
func (s *Store) AllowedAddresses(ctx context.Context) ([]inbox.AllowedAddress, error) {
	var all []inbox.AllowedAddress
	err := s.read(ctx, "read allowed addresses", `
		SELECT prefix, added_at, added_by
		FROM allowed_addresses
		ORDER BY added_at, prefix`, nil, func(rows *sql.Rows) error {
		var (
			prefix string
			at     int64
			a      inbox.AllowedAddress
		)
		err := rows.Scan(&prefix, &at, &a.By)
		if err != nil {
			return err
		}
		if a.Prefix, err = netip.ParsePrefix(prefix); err != nil {
			return fmt.Errorf("an allowed address is unreadable: %w", err)
		}
		a.At = fromMicros(at)
		all = append(all, a)
		return nil
	})
	return all, err
}

// AllowAddress keeps an address; one that is kept already stays as it is.
func (s *Store) AllowAddress(ctx context.Context, a inbox.AllowedAddress) error {
	return s.change(ctx, "allow address", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			INSERT INTO allowed_addresses (prefix, added_at, added_by)
			VALUES ($1, $2, $3)
			ON CONFLICT (prefix) DO NOTHING`, a.Prefix.String(), micros(a.At), text(a.By))
		return err
	})
}

// ForgetAddress takes an address back; NotFound if it is not kept.
func (s *Store) ForgetAddress(ctx context.Context, prefix netip.Prefix) error {
	return s.change(ctx, "forget address", func(ctx context.Context, t *tx) error {
		res, err := t.exec(ctx, `DELETE FROM allowed_addresses WHERE prefix = $1`, prefix.String())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return notFound("allowed address")
	})
}

// releaseSlice is how many rejected webhooks are looked at, and at most put back
// to work, in one transaction: intake waits for no more than that.
const releaseSlice = 256

// ReleaseAddresses makes webhooks pending that were rejected because of their
// addresses and came from one of prefixes: those among the next few after a
// webhook. It says how many and which it came to, "" when there are no more.
// What was dismissed, or has no body any more, stays as it is.
func (s *Store) ReleaseAddresses(ctx context.Context, prefixes []netip.Prefix, after string) (released int, last string, err error) {
	var ids []string
	looked := 0
	err = s.read(ctx, "find rejected webhooks", `
		SELECT w.id, w.peer, b.body IS NULL
		FROM (
			SELECT id, peer
			FROM webhooks
			WHERE status = 'rejected' AND reason = 'address' AND id > $1 AND `+unresolved+`
			ORDER BY id
			LIMIT $2) w LEFT JOIN webhook_bodies b ON b.webhook_id = w.id
		ORDER BY w.id`, []any{after, releaseSlice}, func(rows *sql.Rows) error {
		var (
			peer string
			gone bool
		)
		if err := rows.Scan(&last, &peer, &gone); err != nil {
			return err
		}
		looked++
		addr, err := netip.ParseAddr(peer)
		if err != nil || gone {
			return nil //nolint:nilerr // it came from no address that can be allowed
		}
		for _, p := range prefixes {
			if p.Contains(addr.Unmap()) {
				ids = append(ids, last)
				break
			}
		}
		return nil
	})
	if looked < releaseSlice {
		last = ""
	}
	if err != nil || len(ids) == 0 {
		return 0, last, err
	}
	err = s.change(ctx, "release webhooks", func(ctx context.Context, t *tx) (err error) {
		released, err = t.reopen(ctx, ids)
		t.after = append(t.after, s.backlog.stir)
		return err
	})
	if err != nil {
		return 0, last, err
	}
	return released, last, nil
}
