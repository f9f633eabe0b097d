package httpapi

import (
	"net/http"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// address is one that pushes may come from.
type address struct {
	Address string        `json:"address"` // or a range
	Source  string        `json:"source"`  // settings or call
	AddedAt *time.Time    `json:"addedAt"`
	AddedBy tracking.Text `json:"addedBy"`
}

// addressWish is one to allow.
type addressWish struct {
	Address string `json:"address"`
}

// released is an address that was just allowed, and what that brought about.
type released struct {
	address
	Released  int  `json:"released"`  // rows that were rejected and are being worked off
	Releasing bool `json:"releasing"` // there are more, which follow
}

var listAddressesCall = call{
	tag: "addresses", id: "listAddresses", summary: "The addresses that pushes may come from", answers: []answered{giving([]address{})},
}

// GET /api/webhooks/addresses
//
// The addresses that pushes may come from: the settings', then those allowed by
// calls.
func (a *API) listAddresses(w http.ResponseWriter, r *http.Request) error {
	all, err := a.opts.Addresses.All(r.Context())
	if err != nil {
		return err
	}
	shown := make([]address, 0, len(all))
	for i := range all {
		shown = append(shown, asAddress(&all[i]))
	}
	return answer(w, shown)
}

var allowAddressCall = call{
	tag: "addresses", id: "allowAddress", summary: "Allow an address and release what was rejected from it",
	body: addressWish{}, needed: []string{"address"}, example: `{"address":"203.0.113.9"}`,
	answers: []answered{saying("Address allowed", released{})},
}

// POST /api/webhooks/addresses
//
// Allows an address or a range, and releases what was rejected from it.
func (a *API) allowAddress(w http.ResponseWriter, r *http.Request) error {
	var in addressWish
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	prefix, err := shiprocket.ParseAddress(in.Address)
	if err != nil {
		return err
	}
	concerning(r, shiprocket.AddressText(prefix), "")
	n, more, err := a.opts.Addresses.Allow(r.Context(), prefix, access.ActorOf(r.Context()).Name)
	if err != nil {
		return err
	}
	all, err := a.opts.Addresses.All(r.Context())
	if err != nil {
		return err
	}
	now := released{address: address{Address: shiprocket.AddressText(prefix)}, Released: n, Releasing: more}
	for i := range all {
		if all[i].Prefix == prefix {
			now.address = asAddress(&all[i])
			break
		}
	}
	writeJSON(w, http.StatusOK, success{Success: true, Message: "Address allowed", Data: now})
	return nil
}

var forgetAddressCall = call{
	tag: "addresses", id: "forgetAddress", summary: "Take back an address that was allowed by a call",
	subject: "as the list shows it; the slash of a range may be sent as it is",
	answers: []answered{giving(nil)}, fails: []tracking.Code{tracking.Invalid, tracking.NotFound},
}

// DELETE /api/webhooks/addresses/{address...}
//
// Takes back an address that was allowed by a call. What was released stays so.
func (a *API) forgetAddress(w http.ResponseWriter, r *http.Request) error {
	prefix, err := shiprocket.ParseAddress(r.PathValue("address"))
	if err != nil {
		return err
	}
	concerning(r, shiprocket.AddressText(prefix), "")
	if err := a.opts.Addresses.Forget(r.Context(), prefix); err != nil {
		return err
	}
	return answer(w, nil)
}

func asAddress(a *inbox.AllowedAddress) address {
	shown := address{Address: shiprocket.AddressText(a.Prefix), Source: "settings", AddedAt: timeOrNull(a.At), AddedBy: tracking.Text(a.By)}
	if !a.At.IsZero() {
		shown.Source = "call"
	}
	return shown
}
