package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// First what would be done, then it is done, and its progress printed.
func TestReplay(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	for i := range 3 {
		push(t, a, fmt.Sprint("7700", i), "IN TRANSIT")
		tracked(t, a, fmt.Sprint("7700", i))
	}
	run := func(o ReplayOptions) (string, error) {
		out := &lines{}
		o.URL, o.Out, o.Every, o.Rate = a.URL()+"/", out, 10*time.Millisecond, 1000
		if o.AdminToken == "" {
			o.AdminToken = adminToken
		}
		err := Replay(t.Context(), o)
		return out.String(), err
	}
	all := ReplayFilter{Status: "processed"}
	out, err := run(ReplayOptions{Filter: all})
	if err != nil {
		t.Fatal(err)
	}
	says(t, out, "3 webhooks match, 3 of them can be replayed", "  processed  3", "e.g. ", "with --yes")
	out, err = run(ReplayOptions{Filter: all, Do: true})
	if err != nil {
		t.Fatal(err)
	}
	_, begun, _ := strings.Cut(out, "\nreplay ")
	id, _, _ := strings.Cut(begun, " ")
	says(t, out, "has begun", "done: 3 of 3 done, 0 skipped, 0 failed since")
	if out, err := run(ReplayOptions{Filter: ReplayFilter{Status: "failed"}, Do: true}); err != nil || strings.Contains(out, "begun") {
		t.Errorf("nothing to do: %q, %v", out, err)
	}
	for says, o := range map[string]ReplayOptions{
		"the whole log is --all":    {},
		"does not take the token":   {Filter: all, AdminToken: "another"},
		"replay not found":          {Cancel: "none"},
		"status must be one of":     {Filter: ReplayFilter{Status: "lost"}},
		"the replay has ended alre": {Cancel: id},
	} {
		if _, err := run(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", o, err, says)
		}
	}
	if err := Replay(t.Context(), ReplayOptions{}); err == nil || !strings.Contains(err.Error(), "ADMIN_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	if err := Replay(t.Context(), ReplayOptions{URL: "http://127.0.0.1:1", AdminToken: adminToken, Filter: all, Out: &lines{}}); err == nil || !strings.Contains(err.Error(), "--url") {
		t.Errorf("nobody there: %v", err)
	}

	// Told to stop while it follows, it leaves the job to the server.
	ctx, cancel := context.WithCancel(t.Context())
	printed := &lines{}
	ended := make(chan error, 1)
	go func() {
		ended <- Replay(ctx, ReplayOptions{URL: a.URL(), AdminToken: adminToken, Filter: all, Rate: 1, Do: true, Out: printed, Every: 10 * time.Millisecond})
	}()
	until(t, "it has begun", func() bool {
		return strings.Contains(printed.String(), "running") || strings.Contains(printed.String(), "waiting")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	says(t, printed.String(), "the server goes on with it; `waybill replay --cancel ")
}

// A server that sends on to its https address gets no other request than the
// one that was meant.
func TestReplayFollowsNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("https://track.example/api/webhooks/replays?x=y", http.StatusMovedPermanently))
	defer server.Close()
	err := Replay(t.Context(), ReplayOptions{URL: server.URL, AdminToken: adminToken, Filter: ReplayFilter{All: true}, Out: &lines{}})
	if err == nil || !strings.HasSuffix(err.Error(), "give --url https://track.example") {
		t.Error(err)
	}
}
