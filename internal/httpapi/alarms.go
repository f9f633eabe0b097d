package httpapi

import (
	"net/http"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// alarm is something that needs someone.
type alarm struct {
	Code         inbox.AlarmCode `json:"code"`
	Severity     inbox.Severity  `json:"severity"`
	Since        time.Time       `json:"since"`
	Count        int             `json:"count"`
	CountIsExact bool            `json:"countIsExact"`
	Message      string          `json:"message"`
	Mend         string          `json:"mend"`
	Values       []string        `json:"values"` // the addresses or statuses it names
}

var listAlarmsCall = call{
	tag: "alarms", id: "listAlarms", summary: "What needs someone now, the most urgent first", answers: []answered{giving([]alarm{})},
}

// GET /api/alarms
//
// What needs someone now, the most urgent first; at most a few seconds old.
func (a *API) listAlarms(w http.ResponseWriter, r *http.Request) error {
	on := a.opts.Alarms.Current(r.Context())
	shown := make([]alarm, 0, len(on))
	for _, o := range on {
		shown = append(shown, alarm{
			Code: o.Code, Severity: o.Severity, Since: o.Since, Count: o.Count, CountIsExact: o.Exact, Message: o.Message, Mend: o.Mend, Values: o.Values,
		})
	}
	return answer(w, shown)
}
