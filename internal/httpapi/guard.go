package httpapi

import (
	"errors"
	"net/http"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/tracking"
)

// guarded lets those in who may call a route, and has the audit tell of it if
// the call is an act. Handlers find who asks in the request's context.
func (a *API) guarded(rt route) handler {
	if rt.who == nil {
		return rt.handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		actor, err := a.who(r)
		if err != nil {
			if errors.Is(err, errUnauthorized) {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			return err // counted, not recorded: anyone can bring this about
		}
		r = r.WithContext(a.begin(access.WithActor(r.Context(), actor), r, rt.pattern))
		if !actor.Role.May(rt.who...) {
			err = errForbidden
		} else {
			settle(r)
			err = rt.handle(w, r)
		}
		a.conclude(r, err)
		return err
	}
}

// who is the one who asks. While tokens cannot be looked up nobody is known,
// which is no fault of his.
func (a *API) who(r *http.Request) (access.Actor, error) {
	actor, err := a.opts.Guard.Who(r)
	switch {
	case errors.Is(err, access.ErrUnknown):
		return actor, errUnauthorized
	case err != nil:
		return actor, &tracking.Error{Code: tracking.Unavailable, Message: "tokens cannot be looked up now", Err: err}
	}
	return actor, nil
}
