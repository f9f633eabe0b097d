package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// Rates of replays, in rows a second.
const (
	defaultRate = 100
	mostRate    = 5000
)

// replayRequest is what is to be replayed, and how.
type replayRequest struct {
	Filter        replayFilter `json:"filter"`
	DryRun        bool         `json:"dryRun"`
	RatePerSecond int          `json:"ratePerSecond"`
}

// replayFilter is the log's, said in JSON. To mean everything takes saying so.
type replayFilter struct {
	All       bool   `json:"all,omitempty"`
	Status    string `json:"status,omitempty"`
	Reason    string `json:"reason,omitempty"`
	AWB       text   `json:"awb,omitempty"`
	OrderID   string `json:"orderId,omitempty"`
	Q         string `json:"q,omitempty"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Dismissed *bool  `json:"dismissed,omitempty"`
}

// preview is what a replay would do.
type preview struct {
	DryRun         bool                 `json:"dryRun"`
	Matched        int                  `json:"matched"`
	MatchedIsExact bool                 `json:"matchedIsExact"`
	ByStatus       map[inbox.Status]int `json:"byStatus"`
	Replayable     int                  `json:"replayable"`
	Samples        []webhookRow         `json:"samples"` // the oldest that would be replayed
}

// replay is a job and how far it has come.
type replay struct {
	ID             string            `json:"id"`
	State          inbox.ReplayState `json:"state"`
	WaitsForLive   bool              `json:"waitsForLive"` // it stands back while pushes wait
	Filter         replayFilter      `json:"filter"`
	RatePerSecond  int               `json:"ratePerSecond"`
	Matched        int               `json:"matched"`
	MatchedIsExact bool              `json:"matchedIsExact"`
	Done           int               `json:"done"`
	Skipped        int               `json:"skipped"`
	FailedSince    int               `json:"failedSince"`
	CreatedAt      time.Time         `json:"createdAt"`
	CreatedBy      tracking.Text     `json:"createdBy"`
	StartedAt      *time.Time        `json:"startedAt"`
	EndedAt        *time.Time        `json:"endedAt"`
}

// replaySamples are shown of what would be replayed.
const replaySamples = 5

var createReplayCall = call{
	tag: "replays", id: "createReplay", summary: "Put many rows back to work, or say what that would do",
	detail: "Failed, parked, rejected and processed rows are replayed, oldest first, by one job at a time that stands back while live pushes wait.",
	body:   replayRequest{}, needed: []string{"filter"}, example: `{"filter":{"status":"failed","from":"2026-11-20"},"dryRun":true}`,
	answers: []answered{giving(preview{}), saying("Replay created", replay{})},
}

// POST /api/webhooks/replays
//
// With dryRun: what the filter chooses. Without: makes a job of it.
func (a *API) createReplay(w http.ResponseWriter, r *http.Request) error {
	var in replayRequest
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	filter, err := in.Filter.read()
	if err != nil {
		return err
	}
	if in.RatePerSecond == 0 {
		in.RatePerSecond = defaultRate
	}
	if in.RatePerSecond < 1 || in.RatePerSecond > mostRate {
		return invalid("ratePerSecond must be a whole number from 1 to 5000")
	}
	seen, err := a.opts.Store.Preview(r.Context(), filter, replaySamples)
	if err != nil {
		return err
	}
	if in.DryRun {
		if e := access.EntryOf(r.Context()); e != nil {
			e.Act = access.PreviewReplay
		}
		return answer(w, asPreview(&seen))
	}
	job, err := a.opts.Store.CreateReplay(r.Context(), a.opts.Now().UTC(), store.Replay{
		Filter: filter, Rate: in.RatePerSecond, Matched: seen.Matched(), MatchedExact: seen.Exact, CreatedBy: access.ActorOf(r.Context()).Name,
	})
	if err != nil {
		return err
	}
	a.opts.Replayer.Wake()
	writeJSON(w, http.StatusOK, success{Success: true, Message: "Replay created", Data: asReplay(&job)})
	return nil
}

var listReplaysCall = call{
	tag: "replays", id: "listReplays", summary: "The newest hundred replays, newest first", answers: []answered{giving([]replay{})},
}

// GET /api/webhooks/replays
//
// The newest hundred jobs, newest first.
func (a *API) listReplays(w http.ResponseWriter, r *http.Request) error {
	all, err := a.opts.Store.Replays(r.Context(), 100)
	if err != nil {
		return err
	}
	shown := make([]replay, 0, len(all))
	for i := range all {
		shown = append(shown, asReplay(&all[i]))
	}
	return answer(w, shown)
}

var showReplayCall = call{
	tag: "replays", id: "showReplay", summary: "A replay and how far it has come", subject: "the replay's id",
	answers: []answered{giving(replay{})}, fails: []tracking.Code{tracking.NotFound},
}

// GET /api/webhooks/replays/{id}
func (a *API) showReplay(w http.ResponseWriter, r *http.Request) error {
	job, err := a.opts.Store.Replay(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, asReplay(&job))
}

var cancelReplayCall = call{
	tag: "replays", id: "cancelReplay", summary: "Cancel a replay that has not ended", subject: "the replay's id",
	detail:  "What it has put back to work goes on.",
	answers: []answered{giving(replay{})}, fails: []tracking.Code{tracking.Invalid, tracking.NotFound},
}

// DELETE /api/webhooks/replays/{id}
//
// Cancels a job that has not ended. What it has put back to work goes on.
func (a *API) cancelReplay(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := a.opts.Store.CancelReplay(r.Context(), id, a.opts.Now().UTC()); err != nil {
		return err
	}
	return a.showReplay(w, r)
}

// read is the filter as the store takes it. It refuses one that says nothing:
// that would be the whole log.
func (f *replayFilter) read() (store.Filter, error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"status": f.Status, "reason": f.Reason, "awb": string(f.AWB), "orderId": f.OrderID, "q": f.Q, "from": f.From, "to": f.To,
	} {
		q.Set(name, value)
	}
	filter, err := filterOf(q)
	if err != nil {
		return filter, err
	}
	filter.Dismissed = f.Dismissed
	empty := filter == store.Filter{}
	switch {
	case empty && !f.All:
		return filter, invalid(`filter is empty: that is the whole log; name what is meant, such as {"status":"failed"}, or say {"all":true}`)
	case !empty && f.All:
		return filter, invalid("filter says all and something else: leave one of them out")
	}
	return filter, nil
}

func asFilter(f *store.Filter) replayFilter {
	shown := replayFilter{
		All: *f == store.Filter{}, Status: string(f.Status), Reason: string(f.Reason),
		AWB: text(f.AWB), OrderID: f.OrderID, Q: f.Q, Dismissed: f.Dismissed,
	}
	if !f.From.IsZero() {
		shown.From = f.From.Format(time.RFC3339)
	}
	if !f.To.IsZero() {
		shown.To = f.To.Format(time.RFC3339)
	}
	return shown
}

func asPreview(p *store.Preview) preview {
	shown := preview{
		DryRun: true, Matched: p.Matched(), MatchedIsExact: p.Exact, ByStatus: p.ByStatus, Replayable: p.Replayable(), Samples: []webhookRow{},
	}
	for i := range p.Samples {
		shown.Samples = append(shown.Samples, asRow(&p.Samples[i]))
	}
	return shown
}

func asReplay(r *store.Replay) replay {
	return replay{
		ID: r.ID, State: r.State, WaitsForLive: r.Held, Filter: asFilter(&r.Filter), RatePerSecond: r.Rate,
		Matched: r.Matched, MatchedIsExact: r.MatchedExact, Done: r.Done, Skipped: r.Skipped, FailedSince: r.FailedSince,
		CreatedAt: r.CreatedAt.UTC(), CreatedBy: tracking.Text(r.CreatedBy), StartedAt: timeOrNull(r.StartedAt), EndedAt: timeOrNull(r.EndedAt),
	}
}
