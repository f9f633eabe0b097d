package httpapi

import (
	"net/http"
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// dismissal is what may be said to a dismissed row.
type dismissal struct {
	Note string `json:"note"`
}

// maxNote is how long a note may be.
const maxNote = 500

var dismissWebhookCall = call{
	tag: "log", id: "dismissWebhook", summary: "Say that a push needs nobody any more", subject: "the row's id",
	detail: "For a failed, parked or rejected one: alarms stop counting it. A retry undoes it.",
	body:   dismissal{}, example: `{"note":"a test of our own"}`,
	answers: []answered{saying("Webhook dismissed", webhookRow{})}, fails: []tracking.Code{tracking.NotFound},
}

// POST /api/webhooks/dismiss/{id}
//
// Says that a failed, parked or rejected row needs nobody any more, with a note
// if there is a body. A retry undoes it.
func (a *API) dismissWebhook(w http.ResponseWriter, r *http.Request) error {
	var in dismissal
	if r.ContentLength != 0 {
		if err := readJSON(w, r, &in); err != nil {
			return err
		}
	}
	note := strings.TrimSpace(in.Note)
	if longer(note, maxNote) {
		return invalid("note may have 500 characters at most")
	}
	id := r.PathValue("id")
	if err := a.opts.Store.Dismiss(r.Context(), id, a.opts.Now().UTC(), note); err != nil {
		return err
	}
	row, err := a.opts.Store.Webhook(r.Context(), id)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, success{Success: true, Message: "Webhook dismissed", Data: asRow(&row)})
	return nil
}
