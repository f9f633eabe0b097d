package store

import (
	"context"
	"fmt"

	"github.com/webazaar/waybill/internal/tracking"
)

const (
	shipmentColumns = `order_seq, id, key, sr_order_id, direction, awb, courier, milestone, eta, first_eta,
		delivered_at, attempts, corrected, updated_at`
	shipmentColumnCount = 14
)

func shipmentRow(o *loaded, key string, s *tracking.Shipment) []any {
	delivered := int64(0)
	if s.DeliveredAt != nil {
		delivered = micros(*s.DeliveredAt)
	}
	return []any{
		o.seq, s.ID, key, s.SR(), string(s.Direction), string(s.AWBCode), string(s.CourierName),
		string(s.Milestone), string(s.EstimatedDelivery), string(s.FirstEstimatedDelivery), delivered,
		s.DeliveryAttempts, flag(s.Corrected), micros(o.UpdatedAt),
	}
}

// saveShipments writes what is believed beside the snapshot. A shipment that
// comes from the snapshot does not tell Shiprocket's id; what is known of it
// stays then.
func (t *tx) saveShipments(ctx context.Context, c *changeset) error {
	for _, gone := range c.gone {
		if _, err := t.exec(ctx, `DELETE FROM shipments WHERE order_seq = $1 AND id = $2`, gone.seq, gone.id); err != nil {
			return fmt.Errorf("delete a shipment that is no more: %w", err)
		}
	}
	err := t.upsert(ctx, `INSERT INTO shipments (`+shipmentColumns+`)`, shipmentColumnCount, 2, c.shipments, `
		ON CONFLICT (order_seq, id) DO UPDATE
		SET key = excluded.key,
			sr_order_id = CASE WHEN excluded.sr_order_id = '' THEN shipments.sr_order_id ELSE excluded.sr_order_id END,
			direction = excluded.direction, awb = excluded.awb, courier = excluded.courier, milestone = excluded.milestone,
			eta = excluded.eta, first_eta = excluded.first_eta, delivered_at = excluded.delivered_at,
			attempts = excluded.attempts, corrected = excluded.corrected, updated_at = excluded.updated_at`)
	if err != nil {
		return fmt.Errorf("save shipments: %w", err)
	}
	return nil
}

// shownShipment is the shipment as watchers see it.
func shownShipment(s *tracking.Snapshot, id string) *tracking.Shipment {
	if s != nil {
		for i := range s.Shipments {
			if s.Shipments[i].ID == id {
				return &s.Shipments[i]
			}
		}
	}
	return &tracking.Shipment{ID: id}
}
