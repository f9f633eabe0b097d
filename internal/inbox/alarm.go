package inbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AlarmCode says what an alarm is about. Codes are stable: dashboards and rules
// go by them.
type AlarmCode string

// Codes of alarms.
const (
	StoreUnavailable   AlarmCode = "store_unavailable"
	IntakeRefusing     AlarmCode = "intake_refusing"
	RejectedAddress    AlarmCode = "rejected_address"
	Silence            AlarmCode = "silence"
	WebhooksFailed     AlarmCode = "webhooks_failed"
	ParkedConflict     AlarmCode = "parked_conflict"
	RejectedNotJSON    AlarmCode = "rejected_not_json"
	UnknownStatusSeen  AlarmCode = "unknown_status"
	LabelDisagrees     AlarmCode = "label_id_disagree"
	ParkedUnknownOrder AlarmCode = "parked_unknown_order"
	ParkedPlaceholder  AlarmCode = "parked_placeholder"
)

// AlarmCodes are all of them, those to look at first before the others.
var AlarmCodes = []AlarmCode{
	StoreUnavailable, IntakeRefusing, RejectedAddress, Silence, WebhooksFailed, ParkedConflict,
	RejectedNotJSON, UnknownStatusSeen, LabelDisagrees, ParkedUnknownOrder, ParkedPlaceholder,
}

// Severity says how soon someone has to look.
type Severity string

// Severities: now, today, when there is time.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Notice   Severity = "info"
)

// Severity is that of every alarm with this code.
func (c AlarmCode) Severity() Severity {
	switch c {
	case StoreUnavailable, IntakeRefusing, RejectedAddress, Silence:
		return Critical
	case WebhooksFailed, ParkedConflict, RejectedNotJSON, UnknownStatusSeen:
		return Warning
	}
	return Notice
}

// Alarm is something that needs someone.
type Alarm struct {
	Code     AlarmCode
	Severity Severity
	Since    time.Time
	Count    int
	Exact    bool     // false: there are more than Count
	Message  string   // what it is, one sentence
	Mend     string   // what to do
	Values   []string // what it names: addresses, statuses
}

// valuesShown is how many addresses or statuses an alarm names.
const valuesShown = 10

func newAlarm(code AlarmCode, since time.Time, count int, message, mend string) Alarm {
	return Alarm{Code: code, Severity: code.Severity(), Since: since.UTC(), Count: count, Exact: true, Message: message, Mend: mend, Values: []string{}}
}

// name adds addresses to the alarm about them.
func (a *Alarm) name(peers []string) {
	a.Values = peers
	if len(peers) > 0 {
		a.Message += ": " + strings.Join(peers, ", ")
	}
}

func sortAlarms(all []Alarm) {
	slices.SortFunc(all, func(a, b Alarm) int {
		return cmp.Compare(slices.Index(AlarmCodes, a.Code), slices.Index(AlarmCodes, b.Code))
	})
}

// unresolvedAlarm is the alarm about rows that need someone.
func unresolvedAlarm(u Unresolved) (alarm Alarm, known bool) {
	rows := "1 webhook"
	switch {
	case !u.Exact:
		rows = fmt.Sprintf("more than %d webhooks", u.Count)
	case u.Count != 1:
		rows = fmt.Sprintf("%d webhooks", u.Count)
	}
	is := func(code AlarmCode, message, mend string) {
		alarm, known = newAlarm(code, u.Since, u.Count, rows+" "+message, mend), true
		alarm.Exact = u.Exact
	}
	switch {
	case u.Status == Failed:
		is(WebhooksFailed, "that could not be worked off, given up after the last try",
			"read the errors in the log (status=failed), mend the cause, then replay the webhooks or dismiss them")
	case u.Status == Parked && u.Reason == Conflict:
		is(ParkedConflict, "waiting, whose ids belong to different orders",
			"look whose they are (status=parked, reason=conflict); register the order with its right ids and retry them, or dismiss them")
	case u.Status == Parked && u.Reason == UnknownOrder:
		is(ParkedUnknownOrder, "waiting for orders that are not registered",
			"register the orders (POST /api/orders), and they are applied; set AUTO_CREATE_ORDERS=true to need no registration; or dismiss them")
	case u.Status == Parked && u.Reason == Placeholder:
		is(ParkedPlaceholder, "with the panel's sample, its blanks not filled in",
			"dismiss them: they name no real order")
	case u.Status == Rejected && u.Reason == Address:
		is(RejectedAddress, "with a good proof, from addresses that are not allowed",
			"if it is the carrier's, allow the address (POST /api/webhooks/addresses), which releases what it sent; if it is your proxy's, set TRUSTED_PROXIES; "+
				"if neither, change the webhook's token and dismiss them")
	case u.Status == Rejected && u.Reason == NotJSON:
		is(RejectedNotJSON, "with a good proof and no JSON object",
			"read a body (status=rejected, reason=not_json): it tells who sends it; mend the sender, then dismiss them")
	}
	return alarm, known
}

// For how long after it was last met something is an alarm.
const (
	sightedFor  = 24 * time.Hour
	refusingFor = 5 * time.Minute
)

// sightedAlarms are the alarms about what was met on the way.
func sightedAlarms(seen []Sighting, now time.Time) []Alarm {
	type sum struct {
		count       int
		first, last time.Time
		values      []string
	}
	sums := map[AlarmCode]*sum{}
	slices.SortStableFunc(seen, func(a, b Sighting) int { return b.Last.Compare(a.Last) })
	for _, s := range seen {
		of := sums[s.Code]
		if of == nil {
			of = &sum{first: s.First, values: []string{}}
			sums[s.Code] = of
		}
		of.count += s.Count
		if s.First.Before(of.first) {
			of.first = s.First
		}
		if s.Last.After(of.last) {
			of.last = s.Last
		}
		if s.Value != "" && len(of.values) < valuesShown {
			of.values = append(of.values, s.Value)
		}
	}
	var all []Alarm
	add := func(code AlarmCode, lasts time.Duration, message, mend string) {
		if of := sums[code]; of != nil && now.Sub(of.last) <= lasts {
			alarm := newAlarm(code, of.first, of.count, fmt.Sprintf(message, of.count), mend)
			alarm.Values = of.values
			all = append(all, alarm)
		}
	}
	add(IntakeRefusing, refusingFor, "pushes could not be kept, %d times until now: they were answered 503, or their sender no longer waited",
		"free space on the disk, or bring the database back; the carrier sends them again, and nothing has to be restarted")
	add(UnknownStatusSeen, sightedFor, "statuses that are in no table of the carrier's have come %d times until now",
		"they are shown to buyers as sent and move no parcel; ask the carrier what they mean, and tell us, so that the table gets them")
	add(LabelDisagrees, sightedFor, "the word and the number of a status disagreed %d times until now; the word was believed, of scans the number",
		"compare one such parcel with the carrier's panel; if the panel shows the other, tell the carrier")
	return all
}

func silenceAlarm(last time.Time, lasts time.Duration) Alarm {
	return newAlarm(Silence, last, 1, fmt.Sprintf("no push has come for %d hours, and parcels are on their way", int(lasts.Hours())),
		"look whether the webhook is switched on in the carrier's panel and its address and token are right, then press Test there; "+
			"`waybill doctor` checks this side; SILENCE_HOURS sets after how long this is an alarm")
}

func storeAlarm(since time.Time) Alarm {
	return newAlarm(StoreUnavailable, since, 1, "the database does not answer: nothing can be kept, and other alarms are unknown",
		"bring the database back, or free space on its disk; nothing has to be restarted, and the carrier sends again what was refused")
}
