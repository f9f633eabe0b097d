package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

var _ inbox.AlarmLog = (*Store)(nil)

// Unresolved are the webhooks that need someone, by what for; so many are
// counted that it takes no time. Dismissed ones need nobody.
func (s *Store) Unresolved(ctx context.Context) ([]inbox.Unresolved, error) {
	var all []inbox.Unresolved
	for _, u := range []inbox.Unresolved{
		{Status: inbox.Failed},
		{Status: inbox.Parked, Reason: inbox.UnknownOrder},
		{Status: inbox.Parked, Reason: inbox.Conflict},
		{Status: inbox.Parked, Reason: inbox.Placeholder},
		{Status: inbox.Rejected, Reason: inbox.Address},
		{Status: inbox.Rejected, Reason: inbox.NotJSON},
	} {
		var oldest string
		err := s.read(ctx, "count unresolved webhooks", `
			SELECT COUNT(*), COALESCE(MIN(id), '')
			FROM (
				SELECT id
				FROM webhooks
				WHERE status = $1 AND reason = $2 AND `+unresolved+`
				ORDER BY id
				LIMIT $3) counted`, []any{string(u.Status), string(u.Reason), walked + 1}, func(rows *sql.Rows) error {
			return rows.Scan(&u.Count, &oldest)
		})
		if err != nil {
			return nil, err
		}
		if u.Count == 0 {
			continue
		}
		id, err := ulid.ParseStrict(oldest)
		if err != nil {
			return nil, fmt.Errorf("read a webhook's id: %w", err)
		}
		u.Since = ulid.Time(id.Time()).UTC()
		u.Exact, u.Count = u.Count <= walked, min(u.Count, walked)
		all = append(all, u)
	}
	return all, nil
}

// peersLooked is how many rejected webhooks are looked at for their addresses.
const peersLooked = 1000

// RejectedPeers are the addresses, at most so many, that most of the newest
// webhooks came from that were rejected because of their address.
func (s *Store) RejectedPeers(ctx context.Context, most int) ([]string, error) {
	peers := []string{}
	err := s.read(ctx, "find rejected addresses", `
		SELECT peer, COUNT(*) AS n
		FROM (
			SELECT peer
			FROM webhooks
			WHERE status = 'rejected' AND reason = 'address' AND `+unresolved+`
			ORDER BY id DESC
			LIMIT $1) newest
		GROUP BY peer
		ORDER BY n DESC, peer
		LIMIT $2`, []any{peersLooked, most}, func(rows *sql.Rows) error {
		var (
			peer string
			n    int
		)
		err := rows.Scan(&peer, &n)
		peers = append(peers, peer)
		return err
	})
	return peers, err
}

const (
	// sightingsFor is how long something is remembered that was met.
	sightingsFor = 24 * time.Hour
	// sightingsKept is how many different values of one code are: beyond it they
	// count without being told apart.
	sightingsKept = 100
)

// Sightings keeps what was met on the way and returns all that was met within a
// day, by this and other processes.
func (s *Store) Sightings(ctx context.Context, now time.Time, fresh []inbox.Sighting) ([]inbox.Sighting, error) {
	if len(fresh) > 0 {
		if err := s.keepSightings(ctx, now, fresh); err != nil {
			return nil, err
		}
	}
	var all []inbox.Sighting
	err := s.read(ctx, "read what was met", `
		SELECT code, value, n, first_at, last_at
		FROM sightings
		WHERE last_at >= $1
		ORDER BY code, value`, []any{micros(now.Add(-sightingsFor))}, func(rows *sql.Rows) error {
		var (
			one         inbox.Sighting
			first, last int64
		)
		err := rows.Scan(&one.Code, &one.Value, &one.Count, &first, &last)
		one.First, one.Last = fromMicros(first), fromMicros(last)
		all = append(all, one)
		return err
	})
	return all, err
}

func (s *Store) keepSightings(ctx context.Context, now time.Time, fresh []inbox.Sighting) error {
	return s.coded("keep what was met", s.transact(ctx, light, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM sightings WHERE last_at < $1`, micros(now.Add(-sightingsFor)))
		if err != nil {
			return err
		}
		for _, one := range fresh {
			value := short(one.Value)
			var known, values int
			err := t.one(ctx, `
				SELECT COALESCE(SUM(CASE WHEN value = $1 THEN 1 ELSE 0 END), 0), COUNT(*)
				FROM sightings
				WHERE code = $2`, []any{value, string(one.Code)}, &known, &values)
			if err != nil {
				return err
			}
			if known == 0 && values >= sightingsKept {
				value = ""
			}
			_, err = t.exec(ctx, `
				INSERT INTO sightings (code, value, n, first_at, last_at)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (code, value) DO UPDATE
				SET n = sightings.n + excluded.n, last_at = excluded.last_at`,
				string(one.Code), value, one.Count, micros(one.First), micros(one.Last))
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// Of how many of the newest webhooks the orders are looked at, and of how many
// orders, for whether parcels are on their way.
const webhooksLooked, ordersLooked = 1000, 50

// parcelsForgotten is how long before the newest webhook a parcel must have been
// heard of last to be given up: couriers leave some on their way for ever.
const parcelsForgotten = 14 * 24 * time.Hour

// OpenParcels reports whether any of the parcels that were heard of last is
// still on its way.
func (s *Store) OpenParcels(ctx context.Context) (bool, error) {
	var ids []string
	seen := map[string]bool{}
	var newest int64
	err := s.read(ctx, "find the newest orders", `
		SELECT order_id, received_at
		FROM (
			SELECT id, order_id, received_at
			FROM webhooks
			ORDER BY id DESC
			LIMIT $1) newest
		WHERE order_id <> ''
		ORDER BY id DESC`, []any{webhooksLooked}, func(rows *sql.Rows) error {
		var (
			id       string
			received int64
		)
		err := rows.Scan(&id, &received)
		newest = max(newest, received)
		if !seen[id] && len(ids) < ordersLooked && newest-received <= parcelsForgotten.Microseconds() {
			seen[id] = true
			ids = append(ids, id)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		view, err := s.Snapshot(ctx, id)
		if tracking.ErrorCode(err) == tracking.NotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		var order struct {
			Shipments []struct{ Milestone tracking.Milestone }
		}
		if err := json.Unmarshal(view.JSON, &order); err != nil {
			return false, fmt.Errorf("read a snapshot: %w", err)
		}
		for _, shipment := range order.Shipments {
			if !shipment.Milestone.Terminal() {
				return true, nil
			}
		}
	}
	return false, nil
}
