package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pusher/pusher-http-go/v5"
)

const (
	eventName = "tracking-update"
	busy      = "busy" // the channel that many watch
)

// A publisher posts events with the official SDK, one at a time over one
// connection, so that their order is known.
type publisher struct {
	sdk  pusher.Client
	rest []byte // of each event's data, behind its number
}

// newPublisher makes events whose data has so many bytes: JSON like that of an
// order's update, whose quotes are escaped on the way to the watchers.
func newPublisher(addr string, size int) *publisher {
	p := &publisher{sdk: pusher.Client{
		AppID: appID, Key: appKey, Secret: appSecret, Host: addr,
		HTTPClient: &http.Client{Timeout: answerWithin, Transport: &http.Transport{}},
	}}
	rest := []byte(`,"orderId":"01JABCDEFGHJKMNPQRSTVWXYZ0","currentStatus":"IN TRANSIT","trackingHistory":[`)
	scan := []byte(`{"status":"IN TRANSIT","activity":"Shipment in transit, next hub","timestamp":"2026-01-01T03:04:05Z","location":"Delhi"},`)
	const most, end = len(`{"n":9999`), len(`{}],"text":""}`)
	for len(rest)+len(scan)+most+end < size {
		rest = append(rest, scan...)
	}
	text := bytes.Repeat([]byte("x"), max(0, size-len(rest)-most-end))
	p.rest = append(append(append(rest, `{}],"text":"`...), text...), `"}`...)
	return p
}

func (p *publisher) data(event int) []byte {
	return append(append(make([]byte, 0, len(p.rest)+16), `{"n":`+strconv.Itoa(event)...), p.rest...)
}

// publish posts the event, or with more than one a batch that begins with it.
func (p *publisher) publish(event, count int) (err error) {
	if count == 1 {
		err = p.sdk.Trigger(busy, eventName, p.data(event))
	} else {
		batch := make([]pusher.Event, count)
		for i := range batch {
			batch[i] = pusher.Event{Channel: busy, Name: eventName, Data: p.data(event + i)}
		}
		_, err = p.sdk.TriggerBatch(batch)
	}
	if err != nil {
		return fmt.Errorf("publish event %d: %w", event, err)
	}
	return nil
}

func (p *publisher) close() { p.sdk.HTTPClient.CloseIdleConnections() }

// atRate publishes the events from one up to another, due at even gaps, whose
// receipt the tallies count.
func (p *publisher) atRate(ctx context.Context, from, to int, rate float64, tallies ...*tally) error {
	began := time.Now()
	for n := from; n < to; n++ {
		due := began.Add(time.Duration(float64(n-from) / rate * float64(time.Second)))
		if err := pause(ctx, time.Until(due)); err != nil {
			return err
		}
		for _, t := range tallies {
			if err := t.expect(ctx, n, due); err != nil {
				return err
			}
		}
		if err := p.publish(n, 1); err != nil {
			return err
		}
	}
	return nil
}

// asFast publishes for a while as fast as the tally's window lets it, so many events
// in each request, and returns how many events in all.
func (p *publisher) asFast(ctx context.Context, t *tally, d time.Duration, batch int) (events int, err error) {
	for began := time.Now(); time.Since(began) < d && events+batch <= len(t.due); events += batch {
		for n := range batch {
			if err := t.expect(ctx, events+n, time.Now()); err != nil {
				return events, err
			}
		}
		if err := p.publish(events, batch); err != nil {
			return events, err
		}
	}
	return events, nil
}
