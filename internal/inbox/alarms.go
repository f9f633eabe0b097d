package inbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Unresolved is how many rows need someone for one reason.
type Unresolved struct {
	Status Status
	Reason Reason
	Count  int
	Exact  bool      // false: there are more than were counted
	Since  time.Time // when the oldest of them came
}

// AlarmLog is what alarms are read from. Each of its reads takes the same short
// time whatever the size of the log.
type AlarmLog interface {
	// Unresolved are the rows that need someone; reasons without any are missing.
	Unresolved(ctx context.Context) ([]Unresolved, error)
	// RejectedPeers are the addresses that most of the newest rows came from
	// that were rejected for their address, at most so many.
	RejectedPeers(ctx context.Context, most int) ([]string, error)
	// Sightings keeps what was met and returns all that was met within a day.
	Sightings(ctx context.Context, now time.Time, fresh []Sighting) ([]Sighting, error)
	// LastReceivedAt is when the newest row came; zero when there is none.
	LastReceivedAt(ctx context.Context) (time.Time, error)
	// OpenParcels reports whether parcels that were lately heard of are still
	// on their way.
	OpenParcels(ctx context.Context) (bool, error)
}

// AlarmOptions are what Alarms need. Log, Metrics and Logger are required.
type AlarmOptions struct {
	Log     AlarmLog
	Metrics *Metrics // of the Inbox: what it meets on the way
	Logger  *slog.Logger
	Silence time.Duration // without a push while parcels are open; 0: no alarm
	Now     func() time.Time
	Every   time.Duration // how often Run looks, default 10 s
}

// Alarms say what needs someone now. They may be asked by any number of
// goroutines.
type Alarms struct {
	opts AlarmOptions
	log  *slog.Logger

	mu  sync.Mutex
	now []Alarm
	at  time.Time // when they were read

	reading    chan struct{} // held by the one who reads them, and so has the rest
	troubled   time.Time     // since when the database does not answer
	silentFrom time.Time     // the newest row for which open was found out
	openAt     time.Time     // and when
	open       bool
}

// alarmsKept is how long alarms are as good as new: a dashboard and a scraper
// may ask as often as they like.
const alarmsKept = 3 * time.Second

// alarmsWithin is how long the database may take: one that takes longer does
// not answer.
const alarmsWithin = 5 * time.Second

// NewAlarms makes Alarms.
func NewAlarms(opts AlarmOptions) *Alarms {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Every == 0 {
		opts.Every = 10 * time.Second
	}
	return &Alarms{opts: opts, log: opts.Logger.With("component", "alarms"), reading: make(chan struct{}, 1)}
}

// Run looks now and again and tells the log when an alarm begins and ends, until
// ctx is done.
func (a *Alarms) Run(ctx context.Context) error {
	look := time.NewTicker(a.opts.Every)
	defer look.Stop()
	on := map[AlarmCode]Alarm{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		if all := a.Current(ctx); ctx.Err() == nil {
			on = a.tell(on, all)
		}
	}
}

// tell compares what is with what was.
func (a *Alarms) tell(was map[AlarmCode]Alarm, all []Alarm) map[AlarmCode]Alarm {
	on := make(map[AlarmCode]Alarm, len(all))
	for _, alarm := range all {
		on[alarm.Code] = alarm
		if _, known := was[alarm.Code]; !known {
			a.log.Warn("alarm.began", "code", string(alarm.Code), "severity", string(alarm.Severity),
				"count", alarm.Count, "what", alarm.Message, "mend", alarm.Mend)
		}
	}
	// What cannot be read has not ended.
	if _, blind := on[StoreUnavailable]; blind {
		for code, alarm := range was {
			on[code] = alarm
		}
		return on
	}
	for code, alarm := range was {
		if _, still := on[code]; !still {
			a.log.Info("alarm.ended", "code", string(code), "after_s", int(a.opts.Now().Sub(alarm.Since).Seconds()))
		}
	}
	return on
}

// Current are the alarms as they stand, at most a few seconds old. When the
// database does not answer, that is an alarm, and all others are unknown. Who
// has no time to wait for them, by ctx, has those that were read last.
func (a *Alarms) Current(ctx context.Context) []Alarm {
	last, fresh := a.last()
	if fresh {
		return last
	}
	select {
	case a.reading <- struct{}{}:
		defer func() { <-a.reading }()
	case <-ctx.Done():
		return last
	}
	if last, fresh = a.last(); fresh { // of the one that was waited for
		return last
	}
	now := a.opts.Now().UTC()
	reading, cancel := context.WithTimeout(ctx, alarmsWithin)
	defer cancel()
	all, err := a.read(reading, now)
	switch {
	case ctx.Err() != nil:
		return last // who asked has gone: that says nothing
	case err != nil:
		if a.troubled.IsZero() {
			a.troubled = now
			a.log.Error("alarms.blind", "error", err)
		}
		all = []Alarm{storeAlarm(a.troubled)}
	default:
		a.troubled = time.Time{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// To find out that nobody answers takes longer than alarms are kept.
	a.now, a.at = all, a.opts.Now()
	return all
}

// last are the alarms that were read last, and whether they are as good as new.
func (a *Alarms) last() (all []Alarm, fresh bool) {
	now := a.opts.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	age := now.Sub(a.at)
	return a.now, !a.at.IsZero() && age >= 0 && age < alarmsKept
}

func (a *Alarms) read(ctx context.Context, now time.Time) ([]Alarm, error) {
	fresh := a.opts.Metrics.seen.take(now)
	seen, err := a.opts.Log.Sightings(ctx, now, fresh)
	if err != nil {
		a.opts.Metrics.seen.giveBack(fresh)
		return nil, err
	}
	unresolved, err := a.opts.Log.Unresolved(ctx)
	if err != nil {
		return nil, err
	}
	var all []Alarm
	for _, u := range unresolved {
		alarm, known := unresolvedAlarm(u)
		if !known {
			continue
		}
		if alarm.Code == RejectedAddress {
			peers, err := a.opts.Log.RejectedPeers(ctx, valuesShown)
			if err != nil {
				return nil, err
			}
			alarm.name(peers)
		}
		all = append(all, alarm)
	}
	silence, err := a.silence(ctx, now)
	if err != nil {
		return nil, err
	}
	all = append(all, sightedAlarms(seen, now)...)
	all = append(all, silence...)
	sortAlarms(all)
	return all, nil
}

// openKept is for how long it is believed that parcels are on their way, or that
// none is: without pushes only what an operator retries or registers changes it.
const openKept = time.Minute

// silence is the alarm for want of pushes.
func (a *Alarms) silence(ctx context.Context, now time.Time) ([]Alarm, error) {
	if a.opts.Silence == 0 {
		return nil, nil
	}
	last, err := a.opts.Log.LastReceivedAt(ctx)
	if err != nil || last.IsZero() || now.Sub(last) < a.opts.Silence {
		return nil, err
	}
	if age := now.Sub(a.openAt); !last.Equal(a.silentFrom) || age < 0 || age >= openKept {
		if a.open, err = a.opts.Log.OpenParcels(ctx); err != nil {
			return nil, errors.Join(errors.New("look for open parcels"), err)
		}
		a.silentFrom, a.openAt = last, now
	}
	if !a.open {
		return nil, nil
	}
	return []Alarm{silenceAlarm(last, now.Sub(last))}, nil
}
