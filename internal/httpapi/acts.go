package httpapi

import "net/http"

// acted tells of what an operator has done, after it is done: act is noun.verb,
// about are names and values, none of them a secret or a person's.
func (a *API) acted(r *http.Request, act string, about ...any) {
	a.log.InfoContext(r.Context(), "operator.acted", append([]any{"act", act, "by", a.actor(r)}, about...)...)
}

// actor is who makes a request, as it is kept with what he does.
func (a *API) actor(r *http.Request) string {
	role, _ := a.opts.Guard.Role(r)
	return string(role)
}
