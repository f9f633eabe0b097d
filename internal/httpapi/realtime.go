package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/tracking"
)

// watchTokenLife is how long a browser may join with a token; who has joined
// stays.
const watchTokenLife = time.Hour

var socketID = regexp.MustCompile(`^\d{1,20}\.\d{1,20}$`)

// channelAuth is the answer of a Pusher channel authorization endpoint.
type channelAuth struct {
	Auth string `json:"auth"`
}

var authorizeChannelCall = call{
	tag: "tracking", id: "authorizeChannel", summary: "Pusher's channel authorization",
	detail: "A watch token opens private-order-{id}; an operator's bearer token opens private-shipments. Nothing else is signed.",
	query:  []param{{name: "token", about: "a watch token, where it is not in the form"}},
	form: []param{
		{name: "socket_id", about: "of the connection that asks", needed: true, schema: object{"type": "string", "pattern": socketID.String()}},
		{name: "channel_name", about: "the channel to join", needed: true},
		{name: "token", about: "a watch token"},
	},
	answers: []answered{bare(channelAuth{})}, fails: []tracking.Code{tracking.Forbidden},
}

// POST /api/realtime/auth
//
// Pusher's channel authorization: form fields socket_id and channel_name. A
// watch token (form field or query "token") opens its order's private channel;
// an operator's bearer token opens private-shipments. Nothing else is signed.
func (a *API) authorizeChannel(w http.ResponseWriter, r *http.Request) error {
	a.shopOrigin(w, r)
	body, err := readBody(w, r, 16<<10)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return invalid("the body must be a form with socket_id and channel_name")
	}
	socket, channel := form.Get("socket_id"), form.Get("channel_name")
	if !socketID.MatchString(socket) {
		return invalid("socket_id is not one")
	}
	token := form.Get("token")
	if token == "" {
		token = r.URL.Query().Get("token")
	}
	orderID, isOrder := strings.CutPrefix(channel, live.PrivateOrderChannel(""))
	switch {
	case isOrder && token != "" && a.opts.WatchTokens.Valid(token, orderID, a.opts.Now()):
	case channel == live.PrivateShipmentsChannel:
		actor, err := a.who(r)
		if errors.Is(err, errUnauthorized) || err == nil && !actor.Role.May(access.Viewer) {
			return errForbidden
		}
		if err != nil {
			return err
		}
	default:
		return errForbidden
	}
	auth, err := a.opts.Realtime.Authorize(socket, channel)
	if err != nil {
		return errForbidden
	}
	writeJSON(w, http.StatusOK, channelAuth{Auth: auth})
	return nil
}

// OPTIONS /api/realtime/auth
func (a *API) allowShopOrigin(w http.ResponseWriter, r *http.Request) error {
	a.shopOrigin(w, r)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// shopOrigin opens an answer to the shop's own pages.
func (a *API) shopOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" && slices.Contains(a.opts.AllowedOrigins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

func (a *API) watchToken(orderID string) watchToken {
	until := a.opts.Now().Add(watchTokenLife).UTC().Truncate(time.Second)
	return watchToken{
		Token: a.opts.WatchTokens.Make(orderID, until), Channel: live.PrivateOrderChannel(orderID), ExpiresAt: until,
	}
}
