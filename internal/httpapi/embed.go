package httpapi

import "net/http"

// GET /embed/track/{orderId}?theme=light|dark
//
// The tracking page for a frame on the shop's own pages: without head and foot,
// and only on the origins of ALLOWED_ORIGINS. It says its height to them when
// asked, which [web.FrameScriptPath] does.
func (a *API) framedPage(w http.ResponseWriter, r *http.Request) error {
	frame := a.frame(r)
	frame.Framed, frame.Framers = true, a.opts.AllowedOrigins
	frame.FrameTheme = r.URL.Query().Get("theme")
	return a.orderPage(w, r, frame)
}
