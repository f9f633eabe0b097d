package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// keptEvidence is a row of the table evidence. What is empty is left out, times
// are microseconds since 1970. It is written by hand, since every push is; a
// test holds the fields to these.
type keptEvidence struct {
	Readings []keptReading `json:"readings"`
	Scans    []keptScan    `json:"scans"`
}

type keptReading struct {
	Key         string              `json:"key"` // outlives erasure, which changes what it was made of
	AWB         string              `json:"awb"`
	ReturnAWB   string              `json:"returnAwb"`
	SR          string              `json:"sr"`
	MaybeSR     string              `json:"maybeSr"`
	Number      string              `json:"number"`
	Channel     string              `json:"channel"`
	ForwardRef  string              `json:"forwardRef"`
	Direction   tracking.Direction  `json:"direction"`
	Courier     string              `json:"courier"`
	ETA         string              `json:"eta"`
	DeliveredAt int64               `json:"deliveredAt"`
	Undelivered string              `json:"undelivered"`
	POD         string              `json:"pod"`
	Attempts    int                 `json:"attempts"`
	Milestone   tracking.Milestone  `json:"milestone"`
	Label       string              `json:"label"`
	Raw         string              `json:"raw"`
	At          int64               `json:"at"`
	TimeFrom    tracking.TimeSource `json:"timeFrom"`
	ProcessedAt int64               `json:"processedAt"`
	RetoldAt    int64               `json:"retoldAt"`
	ReceivedAt  int64               `json:"receivedAt"`
	Released    bool                `json:"released"`
	Registered  bool                `json:"registered"`
}

type keptScan struct {
	Key       string             `json:"key"`
	AWB       string             `json:"awb"`
	SR        string             `json:"sr"`
	MaybeSR   string             `json:"maybeSr"`
	Number    string             `json:"number"`
	At        int64              `json:"at"`
	Code      string             `json:"code"`
	Activity  string             `json:"activity"`
	Location  string             `json:"location"`
	Milestone tracking.Milestone `json:"milestone"`
	Label     string             `json:"label"`
	Position  int                `json:"position"`
}

// appendEvidence appends those of an order's readings and scans as JSON that
// have the keys.
func appendEvidence(b []byte, o *tracking.Order, readings, scans []string) []byte {
	b = append(b, `{"readings":[`...)
	for i, key := range readings {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendReading(b, key, o.Readings[key])
	}
	b = append(b, `],"scans":[`...)
	for i, key := range scans {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendScan(b, key, o.Scans[key])
	}
	return append(b, "]}"...)
}

func appendReading(b []byte, key string, r *tracking.Reading) []byte {
	b = append(append(append(b, `{"key":"`...), key...), '"')
	b = field(b, `,"awb":`, r.AWB)
	b = field(b, `,"returnAwb":`, r.ReturnAWB)
	b = field(b, `,"sr":`, r.SR)
	b = field(b, `,"maybeSr":`, r.MaybeSR)
	b = field(b, `,"number":`, r.Number)
	b = field(b, `,"channel":`, r.ChannelID)
	b = field(b, `,"forwardRef":`, r.ForwardRef)
	b = field(b, `,"direction":`, string(r.Direction))
	b = field(b, `,"courier":`, r.Courier)
	b = field(b, `,"eta":`, r.ETA)
	b = moment(b, `,"deliveredAt":`, r.DeliveredAt)
	b = field(b, `,"undelivered":`, r.UndeliveredReason)
	b = field(b, `,"pod":`, r.ProofOfDelivery)
	b = number(b, `,"attempts":`, int64(r.Attempts))
	b = field(b, `,"milestone":`, string(r.Milestone))
	b = field(b, `,"label":`, r.Label)
	b = field(b, `,"raw":`, r.Raw)
	b = moment(b, `,"at":`, r.EventTime)
	b = field(b, `,"timeFrom":`, string(r.TimeSource))
	b = moment(b, `,"processedAt":`, r.ProcessedAt)
	b = moment(b, `,"retoldAt":`, r.RetoldAt)
	b = moment(b, `,"receivedAt":`, r.ReceivedAt)
	if r.Released {
		b = append(b, `,"released":true`...)
	}
	if r.Registered {
		b = append(b, `,"registered":true`...)
	}
	return append(b, '}')
}

func appendScan(b []byte, key string, s *tracking.Scan) []byte {
	b = append(append(append(b, `{"key":"`...), key...), '"')
	b = field(b, `,"awb":`, s.AWB)
	b = field(b, `,"sr":`, s.SR)
	b = field(b, `,"maybeSr":`, s.MaybeSR)
	b = field(b, `,"number":`, s.Number)
	b = moment(b, `,"at":`, s.At)
	b = field(b, `,"code":`, s.Code)
	b = field(b, `,"activity":`, s.Activity)
	b = field(b, `,"location":`, s.Location)
	b = field(b, `,"milestone":`, string(s.Milestone))
	b = field(b, `,"label":`, s.Label)
	b = number(b, `,"position":`, int64(s.Position))
	return append(b, '}')
}

func field(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return tracking.Text(value).AppendJSON(append(b, name...))
}

func number(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), n, 10)
}

func moment(b []byte, name string, t time.Time) []byte { return number(b, name, micros(t)) }

// recall puts kept evidence back into an order. In which order rows come does
// not matter: what came later was added to what came before.
func recall(o *tracking.Order, data []byte) error {
	var kept keptEvidence
	if err := json.Unmarshal(data, &kept); err != nil {
		return fmt.Errorf("decode evidence of order %s: %w", o.ID, err)
	}
	for i := range kept.Readings {
		k := &kept.Readings[i]
		o.RecallReading(k.Key, &tracking.Reading{
			Identity: tracking.Identity{
				AWB: k.AWB, ReturnAWB: k.ReturnAWB, SR: k.SR, MaybeSR: k.MaybeSR, Number: k.Number,
				ChannelID: k.Channel, ForwardRef: k.ForwardRef, Direction: k.Direction,
			},
			Facts: tracking.Facts{
				Courier: k.Courier, ETA: k.ETA, DeliveredAt: fromMicros(k.DeliveredAt),
				UndeliveredReason: k.Undelivered, ProofOfDelivery: k.POD, Attempts: k.Attempts,
			},
			Milestone: k.Milestone, Label: k.Label, Raw: k.Raw,
			EventTime: fromMicros(k.At), TimeSource: k.TimeFrom, ProcessedAt: fromMicros(k.ProcessedAt),
			RetoldAt: fromMicros(k.RetoldAt), ReceivedAt: fromMicros(k.ReceivedAt),
			Released: k.Released, Registered: k.Registered,
		})
	}
	for i := range kept.Scans {
		k := &kept.Scans[i]
		o.RecallScan(k.Key, &tracking.Scan{
			AWB: k.AWB, SR: k.SR, MaybeSR: k.MaybeSR, Number: k.Number, At: fromMicros(k.At), Code: k.Code,
			Activity: k.Activity, Location: k.Location, Milestone: k.Milestone, Label: k.Label, Position: k.Position,
		})
	}
	return nil
}

// addEvidence puts in what came or changed since the order was loaded or, if
// its evidence is written anew, all of it.
func (c *changeset) addEvidence(o *loaded) {
	readings, scans := o.Changed()
	if o.rewrite {
		readings, scans = slices.Sorted(maps.Keys(o.Readings)), slices.Sorted(maps.Keys(o.Scans))
		c.rewritten = append(c.rewritten, o.seq)
	}
	if o.erased != 0 {
		for _, key := range readings {
			eraseReading(o.Readings[key])
		}
		for _, key := range scans {
			eraseScan(o.Scans[key])
		}
	}
	if len(readings)+len(scans) == 0 {
		return
	}
	data := appendEvidence(make([]byte, 0, 512*(len(readings)+len(scans))), o.Order, readings, scans)
	c.evidence = append(c.evidence, o.seq, string(data))
}

// saveEvidence adds rows of evidence.
func (t *tx) saveEvidence(ctx context.Context, c *changeset) error {
	for _, seq := range c.rewritten {
		if _, err := t.exec(ctx, `DELETE FROM evidence WHERE order_seq = $1`, seq); err != nil {
			return fmt.Errorf("delete evidence: %w", err)
		}
	}
	if err := t.insert(ctx, `INSERT INTO evidence (order_seq, data)`, 2, c.evidence, ``, nil); err != nil {
		return fmt.Errorf("save evidence: %w", err)
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
