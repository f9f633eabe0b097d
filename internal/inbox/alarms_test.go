package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// alarmed is a room with its alarms.
func alarmed(t *testing.T, change ...func(*inbox.Options)) (*room, *inbox.Alarms) {
	t.Helper()
	metrics := inbox.NewMetrics(nil)
	r := setup(t, append(change, func(o *inbox.Options) { o.Metrics = metrics })...)
	return r, inbox.NewAlarms(inbox.AlarmOptions{
		Log: r.store, Metrics: metrics, Silence: 24 * time.Hour, Now: r.clock.read, Logger: slog.New(slog.NewTextHandler(r.lines, nil)),
	})
}

func codes(all []inbox.Alarm) string {
	var s []string
	for _, a := range all {
		s = append(s, fmt.Sprint(a.Code, " ", a.Count))
	}
	return strings.Join(s, ", ")
}

func TestAlarmsTellWhatNeedsSomeone(t *testing.T) {
	t.Parallel()
	r, a := alarmed(t, parkUnknown, func(o *inbox.Options) { o.Addresses = allow("13.234.161.44/32") })
	is := func(want string) []inbox.Alarm {
		t.Helper()
		r.clock.add(4 * time.Second)
		all := a.Current(t.Context())
		if got := codes(all); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		for _, alarm := range all {
			if alarm.Message == "" || alarm.Mend == "" || alarm.Severity == "" || alarm.Since.IsZero() || !slices.Contains(inbox.AlarmCodes, alarm.Code) {
				t.Errorf("%+v", alarm)
			}
		}
		return all
	}
	is("")
	r.push([]byte(`{"awb":"A1","current_status":"ABDUCTED BY ALIENS"}`))
	r.push([]byte(`{"awb":"A2","current_status":"DELIVERED","current_status_id":6}`))
	r.work()
	if _, err := r.Receive(t.Context(), from([]byte(`{"awb":"A3","current_status":"IN TRANSIT"}`))); !errors.Is(err, inbox.ErrAddress) {
		t.Fatal(err)
	}
	if _, err := r.Receive(t.Context(), proven([]byte(`broken`))); !errors.Is(err, inbox.ErrNotJSON) {
		t.Fatal(err)
	}
	all := is("rejected_address 1, rejected_not_json 1, unknown_status 1, label_id_disagree 1, parked_unknown_order 2")
	if !strings.HasSuffix(all[0].Message, ": 203.0.113.9") || !slices.Equal(all[0].Values, []string{"203.0.113.9"}) || all[0].Severity != inbox.Critical {
		t.Errorf("the address: %+v", all[0])
	}
	if !slices.Equal(all[2].Values, []string{"ABDUCTED BY ALIENS"}) || strings.Contains(all[2].Message, "ALIENS") {
		t.Errorf("the status: %+v", all[2])
	}
	r.clock.add(25 * time.Hour)
	is("rejected_address 1, rejected_not_json 1, parked_unknown_order 2")
}

func TestAlarmOfSilence(t *testing.T) {
	t.Parallel()
	r, a := alarmed(t)
	at := func(d time.Duration, want string) {
		t.Helper()
		r.clock.add(d)
		if got := codes(a.Current(t.Context())); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	at(48*time.Hour, "") // nothing ever came
	r.push([]byte(`{"awb":"A1","current_status":"IN TRANSIT"}`))
	r.work()
	at(23*time.Hour, "")
	at(2*time.Hour, "silence 1")
	r.push([]byte(`{"awb":"A1","current_status":"DELIVERED"}`))
	r.work()
	at(time.Minute, "")
	at(48*time.Hour, "") // nothing is on its way
}

// quiet is a log that nothing comes into any more.
type quiet struct {
	telling
	last time.Time
	open bool
}

func (q *quiet) LastReceivedAt(context.Context) (time.Time, error) { return q.last, nil }
func (q *quiet) OpenParcels(context.Context) (bool, error)         { return q.open, nil }

// What an operator retries can end a silence as well as a push can.
func TestSilenceEndsWithTheLastParcel(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Now()}
	q := &quiet{last: c.now.Add(-48 * time.Hour), open: true}
	a := inbox.NewAlarms(inbox.AlarmOptions{
		Log: q, Metrics: inbox.NewMetrics(nil), Logger: slog.New(slog.DiscardHandler), Silence: 24 * time.Hour, Now: c.read,
	})
	for _, open := range []bool{true, false, true} {
		q.open = open
		c.add(2 * time.Minute)
		if got := codes(a.Current(t.Context())); (got == "silence 1") != open {
			t.Errorf("%q, and parcels are on their way: %v", got, open)
		}
	}
}

// refusing is a log that keeps nothing.
type refusing struct{ inbox.Log }

func (refusing) Append(ctx context.Context, _ inbox.Webhook) (inbox.Appended, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Appended{}, err
	}
	return inbox.Appended{}, &tracking.Error{Code: tracking.Unavailable, Message: "the disk is full"}
}

func TestAlarmOfRefusedPushes(t *testing.T) {
	t.Parallel()
	r, a := alarmed(t, func(o *inbox.Options) { o.Log = refusing{o.Log} })
	body := []byte(`{"awb":"A1","current_status":"IN TRANSIT"}`)
	for range 3 {
		if _, err := r.Receive(t.Context(), proven(body)); tracking.ErrorCode(err) != tracking.Unavailable {
			t.Fatal(err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Receive(gone, proven(body)); err == nil {
		t.Fatal("it was kept")
	}
	if got := codes(a.Current(t.Context())); got != "intake_refusing 3" {
		t.Errorf("%q: a sender who has gone was not refused", got)
	}
	r.clock.add(6 * time.Minute)
	if got := codes(a.Current(t.Context())); got != "" {
		t.Errorf("%q after it was over", got)
	}
}

// hanging is a log that keeps nothing and does not say so.
type hanging struct{ inbox.Log }

func (hanging) Append(ctx context.Context, _ inbox.Webhook) (inbox.Appended, error) {
	<-ctx.Done()
	return inbox.Appended{}, ctx.Err()
}

// A sender who waits less long than we do, and comes again and again, is refused
// as well.
func TestAlarmOfPushesThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		metrics := inbox.NewMetrics(nil)
		r := inbox.New(inbox.Options{
			Log: hanging{}, Metrics: metrics, Logger: slog.New(slog.DiscardHandler), Verifier: shiprocket.NewVerifier([]string{token}, nil, ""),
		})
		told := &telling{}
		a := inbox.NewAlarms(inbox.AlarmOptions{Log: told, Metrics: metrics, Logger: slog.New(slog.DiscardHandler)})
		for _, waits := range []time.Duration{time.Second, 5 * time.Second, 5 * time.Second} {
			ctx, leave := context.WithCancel(t.Context())
			time.AfterFunc(waits, leave)
			if _, err := r.Receive(ctx, proven([]byte(`{"awb":"A1"}`))); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if got := codes(a.Current(t.Context())); got != "intake_refusing 2" {
			t.Errorf("%q, of one who left at once and two who waited", got)
		}
	})
}

// telling is a log of nothing but what was met.
type telling struct{ sick }

func (*telling) Sightings(_ context.Context, _ time.Time, fresh []inbox.Sighting) ([]inbox.Sighting, error) {
	return fresh, nil
}

// A sick log answers nothing while it is sick.
type sick struct {
	inbox.AlarmLog
	mu    sync.Mutex
	reads int
	is    bool
	rows  []inbox.Unresolved
}

func (s *sick) set(is bool, rows []inbox.Unresolved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.is, s.rows = is, rows
}

func (s *sick) Sightings(context.Context, time.Time, []inbox.Sighting) ([]inbox.Sighting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.is {
		return nil, errors.New("the database is away")
	}
	return nil, nil
}

func (s *sick) Unresolved(context.Context) ([]inbox.Unresolved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows, nil
}

// dead is a log that answers nobody, and does not say so.
type dead struct{ sick }

func (*dead) Sightings(ctx context.Context, _ time.Time, _ []inbox.Sighting) ([]inbox.Sighting, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// While the database hangs everybody hears of it, and nobody waits for others to
// find it out one after the other.
func TestAlarmsOfADeadDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := inbox.NewAlarms(inbox.AlarmOptions{Log: &dead{}, Metrics: inbox.NewMetrics(nil), Logger: slog.New(slog.DiscardHandler)})
		began := time.Now()
		var asking sync.WaitGroup
		for n := range 20 {
			asking.Go(func() {
				ctx, patience := t.Context(), 6*time.Second
				if n%2 == 0 {
					var cancel context.CancelFunc
					patience = 2 * time.Second
					ctx, cancel = context.WithTimeout(ctx, patience)
					defer cancel()
				}
				got := codes(a.Current(ctx))
				if n%2 == 1 && got != "store_unavailable 1" {
					t.Errorf("%q", got)
				}
				if waited := time.Since(began); waited > patience+2*time.Second {
					t.Errorf("one with a patience of %s waited %s", patience, waited)
				}
			})
		}
		asking.Wait()
	})
}

// The log is told once when an alarm begins and once when it ends. While the
// database is away nothing ends, and nobody waits for it again and again.
func TestAlarmsBeginAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logged := &lines{}
		failed := []inbox.Unresolved{{Status: inbox.Failed, Count: 3, Exact: true, Since: time.Now()}}
		s := &sick{rows: failed}
		a := inbox.NewAlarms(inbox.AlarmOptions{Log: s, Metrics: inbox.NewMetrics(nil), Logger: slog.New(slog.NewTextHandler(logged, nil)), Every: 10 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		wait := func() { time.Sleep(25 * time.Second); synctest.Wait() }
		wait()
		s.set(true, failed)
		wait()
		s.set(false, nil)
		wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for line, want := range map[string]int{
			"msg=alarm.began component=alarms code=webhooks_failed severity=warning count=3": 1, "msg=alarm.ended component=alarms code=webhooks_failed": 1,
			"msg=alarm.began component=alarms code=store_unavailable": 1, "msg=alarm.ended component=alarms code=store_unavailable": 1, "msg=alarms.blind": 1,
		} {
			if got := strings.Count(logged.String(), line); got != want {
				t.Errorf("%q is logged %d times, want %d:\n%s", line, got, want, logged)
			}
		}
		reads := s.reads
		for range 50 {
			a.Current(t.Context())
		}
		if s.reads > reads+1 {
			t.Errorf("asked 50 times at once, it was read %d times", s.reads-reads)
		}
	})
}
