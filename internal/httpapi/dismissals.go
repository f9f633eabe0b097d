package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
)

// dismissalsRequest is what is to be dismissed, and why.
type dismissalsRequest struct {
	Filter replayFilter `json:"filter"`
	DryRun bool         `json:"dryRun"`
	Note   string       `json:"note"`
}

// dismissalsPreview is what a dismissal of many would do.
type dismissalsPreview struct {
	DryRun         bool                 `json:"dryRun"`
	Matched        int                  `json:"matched"`
	MatchedIsExact bool                 `json:"matchedIsExact"`
	ByStatus       map[inbox.Status]int `json:"byStatus"`
	Samples        []webhookRow         `json:"samples"` // the oldest that would be dismissed
}

// dismissals is what was done.
type dismissals struct {
	Dismissed int  `json:"dismissed"`
	More      bool `json:"more"` // time was up: the same call goes on with the rest
}

// dismissWithin is how long one call dismisses.
const dismissWithin = 5 * time.Second

var dismissWebhooksCall = call{
	tag: "log", id: "dismissWebhooks", summary: "Say that many pushes need nobody any more, or what that would do",
	detail: "Of what the filter chooses, the failed, parked and rejected rows are dismissed that are not yet. One call works for some seconds; while more is true, make it again.",
	body:   dismissalsRequest{}, needed: []string{"filter"}, example: `{"filter":{"status":"rejected","reason":"address"},"dryRun":true}`,
	answers: []answered{giving(dismissalsPreview{}), saying("Webhooks dismissed", dismissals{})},
}

// POST /api/webhooks/dismiss
//
// With dryRun: what would be dismissed. Without: dismisses it.
func (a *API) dismissWebhooks(w http.ResponseWriter, r *http.Request) error {
	var in dismissalsRequest
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	filter, err := in.Filter.read()
	if err != nil {
		return err
	}
	note := strings.TrimSpace(in.Note)
	if longer(note, maxNote) {
		return invalid("note may have 500 characters at most")
	}
	if in.DryRun {
		if e := access.EntryOf(r.Context()); e != nil {
			e.Act = access.PreviewDismissal
		}
		seen, err := a.opts.Store.PreviewDismissal(r.Context(), filter, replaySamples)
		if err != nil {
			return err
		}
		return answer(w, asDismissalsPreview(&seen))
	}
	concerning(r, "", strings.TrimSpace(string(filter.Status)+" "+string(filter.Reason)))
	done, err := a.opts.Store.DismissAll(r.Context(), filter, a.opts.Now().UTC(), note, dismissWithin)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, success{Success: true, Message: "Webhooks dismissed", Data: dismissals{Dismissed: done.Done, More: done.More}})
	return nil
}

func asDismissalsPreview(p *store.Preview) dismissalsPreview {
	shown := dismissalsPreview{
		DryRun: true, Matched: p.Matched(), MatchedIsExact: p.Exact, ByStatus: p.ByStatus, Samples: []webhookRow{},
	}
	for i := range p.Samples {
		shown.Samples = append(shown.Samples, asRow(&p.Samples[i]))
	}
	return shown
}
