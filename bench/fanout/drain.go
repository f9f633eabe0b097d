package main

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

const (
	reconnect = ws.StatusCode(4200) // on which pusher-js connects at once
	moment    = 100 * time.Millisecond
)

// draining is what watchers see of a server that is told to end: how they are sent
// away, and how many in the same moment, because all of them come to the next
// server then.
func (b *bench) draining(ctx context.Context, s subject, v values) error {
	p, err := b.start(ctx, s)
	if err != nil {
		return err
	}
	defer p.Stop()
	c, err := gather(ctx, p.Addr, b.leavers)
	if err != nil {
		return err
	}
	defer c.leave()

	began := time.Now()
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-time.After(2*b.drain + answerWithin):
		return errors.New("the server did not end")
	case <-ctx.Done():
		return ctx.Err()
	}
	v["drain_s"] = p.Ended().Sub(began).Seconds()
	c.reading.Wait() // the server is gone, and with it each connection
	told := 0
	at := make([]time.Time, len(c.watchers))
	for i, w := range c.watchers {
		at[i] = w.closed
		if w.code == reconnect {
			told++
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	v["drain_told_share"] = float64(told) / float64(len(at))
	v["drain_first_s"], v["drain_last_s"] = at[0].Sub(began).Seconds(), at[len(at)-1].Sub(began).Seconds()
	v["drain_most_at_once"] = float64(crowdedMoment(at))
	return nil
}

// crowdedMoment is the most of the sorted times that lie within a moment.
func crowdedMoment(at []time.Time) (most int) {
	for first, i := 0, 0; i < len(at); i++ {
		for at[i].Sub(at[first]) > moment {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
