package web

import "io"

// A Fault is why a look-up led nowhere.
type Fault string

// Faults.
const (
	NothingFound Fault = "nothing" // no order has this number and contact
	NoSuchCode   Fault = "code"    // no order has this id
	TooManyTries Fault = "often"
)

// LookupData is what the page for looking up an order shows.
type LookupData struct {
	Frame
	// Query is "" or "?lang=…": it goes along with the forms.
	Query string
	// Number or Code is what was looked for, "" at first. Of the contact nothing
	// is shown again.
	Number, Code string
	Fault        Fault
}

// LookupPage writes the forms that lead to an order's page. They come back as
// POST /track with number and contact, or with order.
func LookupPage(w io.Writer, data LookupData) error {
	view := newFrameView(data.Frame)
	view.Title = view.Page["title"]
	fault := ""
	switch data.Fault {
	case NothingFound:
		fault = view.Page["lookUpWrong"]
	case NoSuchCode:
		fault = view.Page["lookUpMissing"]
	case TooManyTries:
		fault = view.Page["lookUpOften"]
	}
	if fault != "" {
		view.Title = fault + " · " + view.Title // what is read out first
	}
	return render(w, "lookup", struct {
		frameView
		Query, Number, Code, Fault string
		ByCode, Wrong              bool
	}{view, data.Query, data.Number, data.Code, fault, data.Fault == NoSuchCode, data.Fault == NothingFound})
}
