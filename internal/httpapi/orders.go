package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/webazaar/waybill/internal/tracking"
)

// registration is what a shop sends about an order of its own.
type registration struct {
	ID        string            `json:"id"`
	Number    string            `json:"number"`
	SROrderID text              `json:"srOrderId"`
	AWBCodes  []text            `json:"awbCodes"`
	ChannelID text              `json:"channelId"`
	Contact   *tracking.Contact `json:"contact"`
}

// text takes a JSON string or number: ids are written either way.
type text string

// UnmarshalJSON keeps a number's digits as they were sent.
func (t *text) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err == nil {
		*t = text(n.String())
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = text(strings.TrimSpace(s))
	return nil
}

// order is the shop's view of an order.
type order struct {
	ID          string               `json:"id"`
	Number      tracking.Text        `json:"number"`
	ChannelID   tracking.Text        `json:"channelId"`
	Status      tracking.OrderStatus `json:"status"`
	Version     int64                `json:"version"`
	TrackingURL string               `json:"trackingUrl"`
	Contact     *tracking.Contact    `json:"contact"`
	Shipments   []tracking.Shipment  `json:"shipments"`
	CreatedAt   time.Time            `json:"createdAt"`
	UpdatedAt   time.Time            `json:"updatedAt"`
}

var broughtID = regexp.MustCompile(`^[A-Za-z0-9_-]{20,64}$`)

var registerOrderCall = call{
	tag: "orders", id: "registerOrder", summary: "Register an order, or add to what is known of it",
	detail: "Found by id, then srOrderId, then number, and made if there is none. What is left out stays as it was.",
	body:   registration{}, needed: []string{"number"},
	example: `{"number":"WB-1001","srOrderId":348456385,"awbCodes":["19041424751540"],` +
		`"contact":{"name":"Asha Rao","phone":"9000000000","email":"asha@shop.example"}}`,
	answers: []answered{giving(order{})}, fails: []tracking.Code{tracking.Conflict},
}

// POST /api/orders
//
// Registers an order or adds to what is known of it: found by id, then
// srOrderId, then number.
func (a *API) registerOrder(w http.ResponseWriter, r *http.Request) error {
	var in registration
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	reg, err := a.checkRegistration(in)
	if err != nil {
		return err
	}
	concerning(r, cmp.Or(reg.ID, reg.SR, reg.Number), "") // until its id is known
	o, _, err := a.opts.Store.Register(r.Context(), a.opts.Now().UTC(), reg)
	if err != nil {
		return err
	}
	a.opts.Inbox.Wake() // parked pushes may have been released
	return answer(w, a.asOrder(r, o))
}

func (a *API) checkRegistration(in registration) (tracking.Registration, error) {
	reg := tracking.Registration{
		ID: in.ID, Number: strings.TrimSpace(in.Number), SR: string(in.SROrderID), ChannelID: string(in.ChannelID), Contact: in.Contact,
	}
	switch {
	case reg.Number == "" || longer(reg.Number, 100):
		return reg, invalid("number must be the shop's order number, 1 to 100 characters")
	case reg.ID != "" && !a.opts.ShopOrderIDs:
		return reg, invalid("bringing an id of your own needs SHOP_ORDER_IDS=true; leave id out to have one made")
	case reg.ID != "" && !broughtID.MatchString(reg.ID):
		return reg, invalid("id must be 20 to 64 characters of A-Z, a-z, 0-9, _ and -, and hard to guess: who knows it may watch the order")
	case longer(reg.SR, 100) || longer(reg.ChannelID, 100):
		return reg, invalid("srOrderId and channelId may have 100 characters at most")
	case len(in.AWBCodes) > 50:
		return reg, invalid("awbCodes may name 50 AWBs at most")
	}
	for _, awb := range in.AWBCodes {
		if longer(awb, 100) {
			return reg, invalid("an AWB may have 100 characters at most")
		}
		if awb != "" {
			reg.AWBs = append(reg.AWBs, string(awb))
		}
	}
	if c := reg.Contact; c != nil {
		if longer(c.Name, 200) || longer(c.Phone, 40) || len(c.Email) > 254 {
			return reg, invalid("contact: name may have 200 characters, phone 40, email 254")
		}
		if c.Email != "" {
			if _, err := mail.ParseAddress(string(c.Email)); err != nil {
				return reg, invalid("contact.email is not an e-mail address")
			}
		}
	}
	return reg, nil
}

// longer reports whether s has more than n characters. Those of India's scripts
// take three bytes each.
func longer[T ~string](s T, n int) bool { return utf8.RuneCountInString(string(s)) > n }

var findOrdersCall = call{
	tag: "orders", id: "findOrders", summary: "Orders with a number, newest first",
	query:   []param{{name: "number", about: "the shop's order number, exact", needed: true}},
	answers: []answered{listing([]order{})},
	fails:   []tracking.Code{tracking.Invalid},
}

// GET /api/orders?number=…
//
// Orders with exactly this number, newest first.
func (a *API) findOrders(w http.ResponseWriter, r *http.Request) error {
	number := r.URL.Query().Get("number")
	if number == "" {
		return invalid("number is missing: GET /api/orders?number=…")
	}
	found, err := a.opts.Store.OrdersByNumber(r.Context(), number)
	if err != nil {
		return err
	}
	orders := make([]order, 0, len(found))
	for _, o := range found {
		orders = append(orders, a.asOrder(r, o))
	}
	writeJSON(w, http.StatusOK, page{
		Success: true, Data: orders, Total: len(orders), TotalIsExact: true, TotalPages: 1, CurrentPage: 1,
	})
	return nil
}

var showOrderCall = call{
	tag: "orders", id: "showOrder", summary: "One order", subject: "the order's id, or one it had before",
	answers: []answered{giving(order{})}, fails: []tracking.Code{tracking.NotFound},
}

// GET /api/orders/{id}
func (a *API) showOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := a.opts.Store.Order(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, a.asOrder(r, o))
}

var erasePersonalDataCall = call{
	tag: "orders", id: "erasePersonalData", summary: "Forget what is known of an order's buyer", subject: "the order's id",
	detail:  "The contact, and what bodies and courier texts say about people. What the buyer sees of the parcels stays.",
	answers: []answered{giving(nil)}, fails: []tracking.Code{tracking.NotFound},
}

// DELETE /api/orders/{id}/personal-data
//
// Forgets the contact, and what bodies and courier texts say about people.
func (a *API) erasePersonalData(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := a.opts.Store.ErasePersonalData(r.Context(), id); err != nil {
		return err
	}
	a.log.InfoContext(r.Context(), "order.erased", "order", id)
	return answer(w, nil)
}

// watchToken lets a browser listen to one order's private channel.
type watchToken struct {
	Token     string    `json:"token"`
	Channel   string    `json:"channel"`
	ExpiresAt time.Time `json:"expiresAt"`
}

var makeWatchTokenCall = call{
	tag: "orders", id: "makeWatchToken", summary: "A token to join an order's private channel with", subject: "the order's id",
	detail:  "Good for an hour; who has joined stays.",
	answers: []answered{giving(watchToken{})}, fails: []tracking.Code{tracking.NotFound},
}

// POST /api/orders/{id}/watch-token
func (a *API) makeWatchToken(w http.ResponseWriter, r *http.Request) error {
	o, err := a.opts.Store.Order(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	concerning(r, o.ID, "")
	if err := a.record(r); err != nil {
		return err
	}
	return answer(w, a.watchToken(o.ID))
}

func (a *API) asOrder(r *http.Request, o *tracking.Order) order {
	view := order{
		ID: o.ID, Number: tracking.Text(o.DisplayNumber()), ChannelID: tracking.Text(o.DisplayChannel()), Version: o.Version,
		TrackingURL: a.baseURL(r) + "/track/" + o.ID, Contact: o.Contact,
		Shipments: []tracking.Shipment{}, CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
	}
	if o.Snapshot != nil {
		view.Status, view.Shipments = o.Snapshot.OrderStatus, o.Snapshot.Shipments
	}
	return view
}

// maxJSONBytes is what a call of an admin or a shop may weigh.
const maxJSONBytes = 256 << 10

// readJSON decodes a body strictly: an unknown field is more often a typing
// error than a wish.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readBody(w, r, maxJSONBytes)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return &tracking.Error{Code: tracking.Invalid, Message: "the body is not the JSON this call takes: " + plain(err), Err: err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("the body goes on after its JSON")
	}
	return nil
}

// plain is what may be shown of a decoding error: it can quote field names,
// which the sender knows, and no values.
func plain(err error) string {
	s := strings.TrimPrefix(err.Error(), "json: ")
	if i := strings.Index(s, "Go "); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	return s[:min(len(s), 120)]
}
