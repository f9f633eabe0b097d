package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/webazaar/waybill/internal/tracking"
)

const (
	readingColumns = `order_seq, key, awb, return_awb, sr_order_id, maybe_sr, number, channel_id, forward_ref, direction,
		courier, eta, delivered_at, undelivered_reason, proof_of_delivery, attempts, milestone, label, raw,
		event_time, time_source, processed_at, retold_at, received_at, released, registered`
	readingColumnCount = 26

	scanColumns = `order_seq, key, awb, sr_order_id, maybe_sr, number, at, code, activity, location, milestone, label, position`

	scanColumnCount = 13
)

func readingRow(seq int64, key string, r *tracking.Reading) ([]any, error) {
	raw, err := hex.DecodeString(key)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	return []any{
		seq, raw, r.AWB, r.ReturnAWB, r.SR, r.MaybeSR, r.Number, r.ChannelID, r.ForwardRef, string(r.Direction),
		r.Courier, r.ETA, micros(r.DeliveredAt), r.UndeliveredReason, r.ProofOfDelivery, r.Attempts, string(r.Milestone), r.Label, r.Raw,
		micros(r.EventTime), string(r.TimeSource), micros(r.ProcessedAt), micros(r.RetoldAt), micros(r.ReceivedAt), flag(r.Released), flag(r.Registered),
	}, nil
}

func scanReading(rows *sql.Rows) (seq int64, key string, r *tracking.Reading, err error) {
	r = &tracking.Reading{}
	var (
		raw                                                       []byte
		deliveredAt, eventTime, processedAt, retoldAt, receivedAt int64
	)
	err = rows.Scan(&seq, &raw, &r.AWB, &r.ReturnAWB, &r.SR, &r.MaybeSR, &r.Number, &r.ChannelID, &r.ForwardRef, &r.Direction,
		&r.Courier, &r.ETA, &deliveredAt, &r.UndeliveredReason, &r.ProofOfDelivery, &r.Attempts, &r.Milestone, &r.Label, &r.Raw,
		&eventTime, &r.TimeSource, &processedAt, &retoldAt, &receivedAt, &r.Released, &r.Registered)
	r.DeliveredAt, r.EventTime, r.ProcessedAt = fromMicros(deliveredAt), fromMicros(eventTime), fromMicros(processedAt)
	r.RetoldAt, r.ReceivedAt = fromMicros(retoldAt), fromMicros(receivedAt)
	return seq, hex.EncodeToString(raw), r, err
}

func scanRow(seq int64, key string, s *tracking.Scan) ([]any, error) {
	raw, err := hex.DecodeString(key)
	if err != nil {
		return nil, fmt.Errorf("scan key: %w", err)
	}
	return []any{
		seq, raw, s.AWB, s.SR, s.MaybeSR, s.Number, micros(s.At), s.Code, s.Activity, s.Location,
		string(s.Milestone), s.Label, s.Position,
	}, nil
}

func scanScan(rows *sql.Rows) (seq int64, key string, s *tracking.Scan, err error) {
	s = &tracking.Scan{}
	var (
		raw []byte
		at  int64
	)
	err = rows.Scan(&seq, &raw, &s.AWB, &s.SR, &s.MaybeSR, &s.Number, &at, &s.Code, &s.Activity, &s.Location,
		&s.Milestone, &s.Label, &s.Position)
	s.At = fromMicros(at)
	return seq, hex.EncodeToString(raw), s, err
}

// saveEvidence writes readings and scans, new ones and changed ones alike.
func (t *tx) saveEvidence(ctx context.Context, readings, scans []any) error {
	err := t.upsert(ctx, `INSERT INTO readings (`+readingColumns+`)`, readingColumnCount, 2, readings, `
		ON CONFLICT (order_seq, key) DO UPDATE
		SET raw = excluded.raw, undelivered_reason = excluded.undelivered_reason, event_time = excluded.event_time,
			processed_at = excluded.processed_at, retold_at = excluded.retold_at, received_at = excluded.received_at`)
	if err != nil {
		return fmt.Errorf("save readings: %w", err)
	}
	err = t.upsert(ctx, `INSERT INTO scans (`+scanColumns+`)`, scanColumnCount, 2, scans, `
		ON CONFLICT (order_seq, key) DO UPDATE
		SET sr_order_id = excluded.sr_order_id, maybe_sr = excluded.maybe_sr, number = excluded.number,
			code = excluded.code, activity = excluded.activity, location = excluded.location,
			milestone = excluded.milestone, label = excluded.label, position = excluded.position`)
	if err != nil {
		return fmt.Errorf("save scans: %w", err)
	}
	return nil
}

// storable is e as it will be read back: times cut to what is kept, texts made
// fit for either database. What is believed of it before and after a restart is
// the same then.
func storable(e tracking.Evidence) tracking.Evidence {
	r := &e.Reading
	for _, s := range []*string{
		&r.AWB, &r.ReturnAWB, &r.SR, &r.MaybeSR, &r.Number, &r.ChannelID, &r.ForwardRef,
		&r.Courier, &r.ETA, &r.UndeliveredReason, &r.ProofOfDelivery, &r.Label, &r.Raw,
	} {
		*s = text(*s)
	}
	r.DeliveredAt, r.EventTime, r.ProcessedAt = cutTime(r.DeliveredAt), cutTime(r.EventTime), cutTime(r.ProcessedAt)
	r.RetoldAt, r.ReceivedAt = cutTime(r.RetoldAt), cutTime(r.ReceivedAt)
	scans := make([]tracking.Scan, len(e.Scans))
	for i, s := range e.Scans {
		for _, p := range []*string{&s.AWB, &s.SR, &s.MaybeSR, &s.Number, &s.Code, &s.Activity, &s.Location, &s.Label} {
			*p = text(*p)
		}
		s.At = cutTime(s.At)
		scans[i] = s
	}
	e.Scans = scans
	return e
}
