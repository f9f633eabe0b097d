package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// mixed fills a log with n webhooks of each kind, in turn, a minute apart.
func mixed(t testing.TB, s *store.Store, n int) {
	t.Helper()
	kinds := []struct {
		status inbox.Status
		reason inbox.Reason
	}{
		{inbox.Failed, ""}, {inbox.Parked, inbox.Conflict}, {inbox.Rejected, inbox.NotJSON}, {inbox.Ignored, inbox.Ping},
	}
	for i := range n * len(kinds) {
		w := pushed(fmt.Sprintf("M%d-X-%d", i%3, i), fmt.Sprint(i))
		w.AWB, w.ReceivedAt = fmt.Sprint("M", i%3), noon.Add(time.Duration(i)*time.Minute)
		w.Status, w.Reason = kinds[i%len(kinds)].status, kinds[i%len(kinds)].reason
		if _, err := s.Append(ctxOf(t), w); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t testing.TB, s *store.Store, f store.Filter) store.Replay {
	t.Helper()
	return createAt(t, s, noon, f)
}

func createAt(t testing.TB, s *store.Store, now time.Time, f store.Filter) store.Replay {
	t.Helper()
	r, err := s.CreateReplay(ctxOf(t), now, store.Replay{Filter: f, Rate: 50, Matched: 1, MatchedExact: true, CreatedBy: "me"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// step goes a step on with the oldest job.
func step(t testing.TB, s *store.Store, holder string, n int) inbox.ReplayStep {
	t.Helper()
	job, ok, err := s.OpenReplay(ctxOf(t), holder)
	if err != nil || !ok {
		t.Fatalf("open a replay: %v, %v", ok, err)
	}
	step, err := s.StepReplay(ctxOf(t), holder, job.ID, n, noon)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func TestReplayGoesThroughWhatItsFilterChooses(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		yes := true
		for _, c := range []struct {
			name           string
			filter         store.Filter
			done, skipped  int
			steps, pending int
		}{
			{"all", store.Filter{}, 30, 10, 6, 30},
			{"a status", store.Filter{Status: inbox.Failed}, 10, 0, 2, 10},
			{"what cannot be replayed", store.Filter{Status: inbox.Ignored}, 0, 10, 2, 0},
			{"a reason", store.Filter{Reason: inbox.Conflict}, 10, 0, 2, 10},
			{"an AWB", store.Filter{AWB: "M1"}, 10, 3, 2, 10},
			{"a part of an id", store.Filter{Q: "-x-1"}, 8, 3, 2, 8},
			{"a span", store.Filter{From: noon.Add(10 * time.Minute), To: noon.Add(20 * time.Minute)}, 7, 3, 2, 7},
			{"what was dismissed", store.Filter{Dismissed: &yes}, 0, 0, 1, 0},
		} {
			s := b.Another(t).Open(t)
			ctx := ctxOf(t)
			mixed(t, s, 10)
			preview, err := s.Preview(ctx, c.filter, 3)
			if err != nil || preview.Matched() != c.done+c.skipped || preview.Replayable() != c.done || !preview.Exact || len(preview.Samples) != min(3, c.done) {
				t.Errorf("%s: preview %+v, %v", c.name, preview, err)
			}
			job := create(t, s, c.filter)
			kept(t, s, "later", inbox.Failed, "", noon.Add(100*time.Hour)) // is not part of it
			var last inbox.ReplayStep
			steps := 0
			for ; !last.Ended; steps++ {
				last = step(t, s, "me", 7)
			}
			r, err := s.Replay(ctx, job.ID)
			if err != nil || r.State != inbox.ReplayDone || r.Done != c.done || r.Skipped != c.skipped || r.EndedAt.IsZero() || r.FailedSince != 0 || r.CreatedBy != "me" {
				t.Errorf("%s: %+v, %v", c.name, r, err)
			}
			if steps != c.steps {
				t.Errorf("%s: %d steps, want %d", c.name, steps, c.steps)
			}
			if depth, err := s.Depth(ctx); err != nil || depth[inbox.Pending] != c.pending {
				t.Errorf("%s: %v, %v", c.name, depth, err)
			}
			if got := claim(t, s, 99); len(got) != c.pending {
				t.Errorf("%s: %d can be claimed, want %d", c.name, len(got), c.pending)
			}
			if _, ok, err := s.OpenReplay(ctx, "me"); ok || err != nil {
				t.Errorf("%s: it is still open: %v", c.name, err)
			}
		}
	})
}

// A process that dies leaves its job where it was; the next goes on from there
// and does nothing twice.
func TestReplayOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		mixed(t, s, 10)
		job := create(t, s, store.Filter{Status: inbox.Failed})
		if got := step(t, s, "one", 4); got.Reopened != 4 || got.Ended || got.Done != 4 {
			t.Errorf("the first step: %+v", got)
		}
		s = b.Kill(t, s)
		if b.Options.URL != "" {
			if _, ok, err := s.OpenReplay(ctxOf(t), "two"); ok || err != nil {
				t.Errorf("another process has taken a lease that is held: %v", err)
			}
			if _, err := s.StepReplay(ctxOf(t), "two", job.ID, 4, noon); tracking.ErrorCode(err) != tracking.Conflict {
				t.Errorf("a step without the lease: %v", err)
			}
			b.Exec(t, `UPDATE leases SET ends_at = 0`)
		}
		for _, want := range []int{4, 2} {
			if got := step(t, s, "two", 4); got.Reopened != want || got.Skipped != 0 {
				t.Errorf("after the crash: %+v, want %d", got, want)
			}
		}
		if r, err := s.Replay(ctxOf(t), job.ID); err != nil || r.Done != 10 || r.State != inbox.ReplayDone {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestReplayIsCancelledAndTellsOfFailures(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		mixed(t, s, 10)
		first := create(t, s, store.Filter{Status: inbox.Failed})
		second := createAt(t, s, noon.Add(time.Second), store.Filter{Status: inbox.Parked})
		step(t, s, "me", 6)
		for _, w := range claim(t, s, 2) {
			if err := s.Fail(ctx, w.ID, noon, "again", noon, true); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := s.Replay(ctx, first.ID); err != nil || r.FailedSince != 2 || r.Done != 6 || r.State != inbox.ReplayRunning || !r.StartedAt.Equal(noon) {
			t.Errorf("%+v, %v", r, err)
		}
		if err := s.HoldReplay(ctx, first.ID, true); err != nil {
			t.Fatal(err)
		}
		if job, ok, err := s.OpenReplay(ctx, "me"); err != nil || !ok || !job.Held || job.ID != first.ID {
			t.Errorf("held: %+v, %v", job, err)
		}
		if err := s.CancelReplay(ctx, first.ID, noon); err != nil {
			t.Fatal(err)
		}
		if err := s.CancelReplay(ctx, first.ID, noon); tracking.ErrorCode(err) != tracking.Invalid {
			t.Errorf("cancel twice: %v", err)
		}
		if err := s.CancelReplay(ctx, "none", noon); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("cancel nothing: %v", err)
		}
		if _, err := s.StepReplay(ctx, "me", first.ID, 5, noon); tracking.ErrorCode(err) != tracking.Conflict {
			t.Errorf("a step of what was cancelled: %v", err)
		}
		if got := step(t, s, "me", 20); got.Reopened != 10 || !got.Ended {
			t.Errorf("the second job: %+v", got)
		}
		all, err := s.Replays(ctx, 10)
		if err != nil || len(all) != 2 || all[0].ID != second.ID || all[0].State != inbox.ReplayDone || all[1].State != inbox.ReplayCancelled {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := s.CreateReplay(ctx, noon.Add(91*24*time.Hour), store.Replay{Rate: 1}); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Replays(ctx, 10); err != nil || len(all) != 1 {
			t.Errorf("old jobs are left: %+v, %v", all, err)
		}
	})
}

// What was erased has nothing to be worked off; what was dismissed is left
// alone, unless it is what was asked for.
func TestReplayLeavesWhatIsSettled(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		done := apply(t, s, told{awb: "A", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})[0]
		if err := s.ErasePersonalData(ctx, done.OrderID); err != nil {
			t.Fatal(err)
		}
		dismissed := kept(t, s, "D", inbox.Failed, "", noon)
		if err := s.Dismiss(ctx, dismissed, noon, ""); err != nil {
			t.Fatal(err)
		}
		job := create(t, s, store.Filter{})
		if got := step(t, s, "me", 9); got.Reopened != 0 || got.Skipped != 2 || !got.Ended {
			t.Errorf("%+v", got)
		}
		yes := true
		create(t, s, store.Filter{Dismissed: &yes})
		if got := step(t, s, "me", 9); got.Reopened != 1 || got.Skipped != 0 || !got.Ended {
			t.Errorf("what was dismissed, asked for: %+v", got)
		}
		if r, err := s.Replay(ctx, job.ID); err != nil || r.Skipped != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestBehind(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		behind := func(now time.Time, want bool, when string) {
			t.Helper()
			if got, err := s.Behind(ctxOf(t), now); err != nil || got != want {
				t.Errorf("%s: behind is %v, %v", when, got, err)
			}
		}
		behind(noon, false, "an empty log")
		kept(t, s, "B1", inbox.Pending, "", noon)
		behind(noon.Add(time.Second), false, "a push that has just come")
		behind(noon.Add(3*time.Second), true, "a push that waits")
		behind(noon.Add(2*time.Minute), false, "a push that has long waited: it fails again and again")
		for i := range 3 {
			kept(t, s, fmt.Sprint("C", i), inbox.Ignored, "", noon)
		}
		behind(noon.Add(3*time.Second), false, "one of many waits")
	})
}
