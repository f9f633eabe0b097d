package shiprocket

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/webazaar/waybill/internal/tracking"
)

// OrderStatusID is a number of Shiprocket's ORDER table: current_status_id of a
// push, status_code of the order and NDR calls (Shiprocket docs).
type OrderStatusID int

// ShipmentStatusID is a number of Shiprocket's SHIPMENT table:
// shipment_status_id of a push, sr-status of a scan (Shiprocket docs). The two
// tables share 59 numbers, of which 6 and 7 alone mean the same in both.
type ShipmentStatusID int

// Status is what a status word or number of Shiprocket means.
type Status struct {
	// Label is the word as we show it: upper case, as the ORDER table spells
	// it where both tables have it.
	Label     string
	Milestone tracking.Milestone
}

// Status is what the number means in the ORDER table.
func (id OrderStatusID) Status() (Status, bool) {
	s, ok := statuses.orders[id]
	return s, ok
}

// Status is what the number means in the SHIPMENT table.
func (id ShipmentStatusID) Status() (Status, bool) {
	s, ok := statuses.shipments[id]
	return s, ok
}

// Lookup is what a status word means, in either table: a label means the same
// in both. Case and punctuation do not matter; beyond that the word must be a
// label or a known alias as a whole, because UNDELIVERED and RTO DELIVERED
// both contain DELIVERED.
func Lookup(word string) (Status, bool) {
	if s, ok := statuses.words[word]; ok { // spelt as most pushes spell it
		return s, true
	}
	w := normal(word)
	if s, ok := statuses.words[w]; ok {
		return s, true
	}
	if strings.HasPrefix(w, "IN TRANSIT ") {
		return statuses.words["IN TRANSIT"], true
	}
	if _, ok := attempt(w); ok {
		return statuses.words["UNDELIVERED"], true
	}
	return Status{}, false
}

// aliases lead from words met in pushes, scans and other writings to the label
// they mean, both normalised.
var aliases = map[string]string{
	"PICKUP GENERATED":           "PICKUP SCHEDULED",
	"PICKUP SCHEDULED GENERATED": "PICKUP SCHEDULED", // two words in one row of the SHIPMENT table
	"PICKUP AWAITED":             "PICKUP SCHEDULED",
	"PICKUP CANCELLED":           "PICKUP ERROR",
	"PICKUP CANCELED":            "PICKUP ERROR",

	"INTRANSIT":                      "IN TRANSIT",
	"REACHED AT DESTINATION HUB":     "REACHED DESTINATION HUB",
	"REAACHED AT DESTINATION HUB":    "REACHED DESTINATION HUB", // spelt so in the docs
	"REACHED AT DESTICATION HUB":     "REACHED DESTINATION HUB", // and so
	"UNDELIVERED AT DESTINATION HUB": "UNDELIVERED",
	"PARTIALLY DELIVERED":            "PARTIAL DELIVERED",
	"SELF FULFILED":                  "SELF FULFILLED", //nolint:misspell // spelt so by couriers

	"RTO IN INTRANSIT":    "RTO IN TRANSIT",
	"RETURN ACKNOWLEDGED": "RETURN ACKNOWLEGED", // the docs' table has the misspelling

	"AWB GENERATED":   "AWB ASSIGNED",
	"ORDER PLACED":    "NEW",
	"FAILED DELIVERY": "UNDELIVERED",
	"RTO":             "RTO INITIATED",
}

// normal is a word in upper case, every run of other characters than letters
// and digits one space.
func normal(word string) string {
	if len(word) > 4*maxID {
		return ""
	}
	return strings.Join(strings.FieldsFunc(strings.ToUpper(word), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// attempt is n of "UNDELIVERED <n>TH ATTEMPT", normalised.
func attempt(w string) (n int, ok bool) {
	w, ok = strings.CutPrefix(w, "UNDELIVERED ")
	if !ok {
		return 0, false
	}
	if w, ok = strings.CutSuffix(w, " ATTEMPT"); !ok {
		return 0, false
	}
	for _, suffix := range []string{"ST", "ND", "RD", "TH"} {
		w = strings.TrimSuffix(w, suffix)
	}
	n, err := strconv.Atoi(w)
	return n, err == nil && n >= 1 && n <= maxAttempts
}

//go:embed data/statuses.csv
var statusTable string

// statuses are both tables, read once.
var statuses = mustReadStatuses(statusTable)

type statusTables struct {
	orders    map[OrderStatusID]Status
	shipments map[ShipmentStatusID]Status
	words     map[string]Status
}

func mustReadStatuses(table string) statusTables {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("shiprocket: embedded status table: %v", err))
	}
	t := statusTables{
		orders: map[OrderStatusID]Status{}, shipments: map[ShipmentStatusID]Status{}, words: map[string]Status{},
	}
	for _, row := range rows[1:] { // the ORDER table first: its spelling stands
		word := normal(row[2])
		if _, known := t.words[word]; !known {
			t.words[word] = Status{Label: strings.ToUpper(row[2]), Milestone: tracking.Milestone(row[3])}
		}
	}
	for alias, label := range aliases {
		s, known := t.words[label]
		if !known {
			panic("shiprocket: alias " + alias + " leads to no label")
		}
		t.words[alias] = s
	}
	for _, row := range rows[1:] {
		id, err := strconv.Atoi(row[1])
		if err != nil {
			panic(fmt.Sprintf("shiprocket: embedded status table: %v", err))
		}
		s := t.words[normal(row[2])]
		if row[0] == "order" {
			t.orders[OrderStatusID(id)] = s
		} else {
			t.shipments[ShipmentStatusID(id)] = s
		}
	}
	return t
}
