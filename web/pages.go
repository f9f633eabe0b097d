package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Shop is what a page shows of the shop it speaks for. Every field may be empty.
type Shop struct {
	Name string
	// LogoURL is an https: or data: picture.
	LogoURL string
	// Color is six hexadecimal digits, with or without "#". It is made darker or
	// lighter where it could not be read.
	Color string
	// SupportURL is an http:, https:, mailto: or tel: link; any other is left out.
	SupportURL string
}

// Frame is what every page needs.
type Frame struct {
	Shop Shop
	// Language is a tag such as "en" or "hi-IN": see [Language].
	Language string
	// Nonce is the one of [ContentSecurityPolicy] in the same answer: new and
	// unguessable in every one.
	Nonce string
	// Framed makes of an order's page one that stands in a frame on pages of the
	// origins in Framers: see [FrameScriptPath].
	Framed  bool
	Framers []string
	// FrameTheme of a framed page is "light" or "dark", for a shop that is only one of
	// them; any other is as the buyer prefers.
	FrameTheme string
}

// PageData is what the tracking page of one order shows.
type PageData struct {
	Frame
	OrderID string
	// Snapshot is the JSON of the order's public snapshot, as
	// GET /api/track/{orderId} has it in data.
	Snapshot []byte
	// Realtime is where the page listens.
	Realtime Realtime
	// WatchToken opens the order's private channel where its public one is not
	// spoken on; "" otherwise.
	WatchToken string
	// Now is the moment at which the page is read; zero means the present.
	Now time.Time
}

// ContentSecurityPolicy is the header under which all pages of this package
// work.
func ContentSecurityPolicy(frame Frame) string {
	return "default-src 'none'; script-src 'self' 'nonce-" + frame.Nonce + "'; style-src 'self'; " +
		"connect-src 'self' ws: wss:; img-src 'self' https: data:; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors " + frame.ancestors()
}

var pages = parsePages()

// parsePages reads the templates without their ends of lines: the tracker takes
// over the elements of a page one after the other, and has to move each that
// comes after a text it does not know. What was moved is painted again, and
// counts as painted then.
func parsePages() *template.Template {
	files, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	all := template.New("")
	for _, name := range files {
		template.Must(all.Parse(strings.ReplaceAll(string(mustRead(name)), "\n", "")))
	}
	return all
}

// TrackingPage writes the page of one order, complete without JavaScript, its
// times in India's zone until the script puts them into the viewer's. An error
// means that the snapshot could not be read, and then nothing was written, or
// that writing broke off.
func TrackingPage(w io.Writer, data PageData) error {
	var order snapshot
	if err := json.Unmarshal(data.Snapshot, &order); err != nil {
		return fmt.Errorf("decode snapshot of the tracking page: %w", err)
	}
	now := data.Now
	if now.IsZero() {
		now = time.Now()
	}
	settings := data.Realtime.settings()
	settings["orderId"] = data.OrderID
	settings["apiUrl"] = ""
	settings["snapshot"] = json.RawMessage(data.Snapshot)

	if data.WatchToken != "" {
		settings["watchToken"] = data.WatchToken
	}

	frame := newFrameView(data.Frame)
	settings["lang"] = frame.Language
	settings["theme"] = frame.Look()
	number := order.OrderNumber
	if number == "" {
		number = data.OrderID
	}
	view := trackingView{
		frameView: frame,
		Heading:   fill(frame.Page["order"], "number", number),
		Label:     fill(frame.Labels["tracking"], "number", number),
		Settings:  settings,
		Parcels:   parcelViews(order.Shipments, frame.words, now),
	}
	view.Title = view.Heading
	if name := data.Shop.Name; name != "" {
		view.Title += " · " + name
	}
	if order.UpdatedAt != nil {
		view.Updated = fill(frame.Labels["updated"], "ago", agoInWords(*order.UpdatedAt, now, frame.words))
	}
	return render(w, data.template("tracking"), view)
}

// render writes a page whole, or nothing of it.
func render(w io.Writer, name string, view any) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		return fmt.Errorf("draw page %s: %w", name, err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}

// frameView is what the templates of all pages share.
type frameView struct {
	Frame
	Language             string
	Title                string
	Script, Style, Theme string
	Logo                 string
	Support              template.URL
	Contact              string
	Labels, Page         map[string]string
	Languages            []languageView

	words *messages
}

// languageView is one way to read the page: in its own words.
type languageView struct {
	Tag, Name string
	Current   bool
}

// languageViews are the languages a page can be read in, always in one order.
func languageViews(current *messages) []languageView {
	views := make([]languageView, 0, len(languages))
	for _, tag := range slices.Sorted(maps.Keys(languages)) {
		views = append(views, languageView{tag, languages[tag].Page["name"], tag == current.Language})
	}
	return views
}

func newFrameView(frame Frame) frameView {
	words := wordsOf(frame.Language)
	contact := words.Page["contactShop"]
	if frame.Shop.Name != "" {
		contact = fill(words.Page["contact"], "shop", frame.Shop.Name)
	}
	return frameView{
		Frame:     frame,
		Language:  words.Language,
		Script:    script,
		Style:     style,
		Theme:     themeFile(frame.Shop.Color),
		Logo:      frame.Shop.LogoURL,
		Support:   supportLink(frame.Shop.SupportURL),
		Contact:   contact,
		Labels:    words.Labels,
		Page:      words.Page,
		Languages: languageViews(words),
		words:     words,
	}
}

// supportLink lets through the schemes that a buyer can follow to a shop, tel:
// among them, which templates do not know as safe.
func supportLink(link string) template.URL {
	parsed, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		return ""
	}
	switch parsed.Scheme {
	case "http", "https", "mailto", "tel":
		return template.URL(parsed.String()) //nolint:gosec // the scheme is one of four, and the parser wrote the text
	}
	return ""
}
