package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Without its database a server still tells how it is: that is when someone
// looks, and an alarm goes by it.
func TestMetricsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	if err := a.Stop(); err != nil { // it closes the database
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	metricsHandler(newRegistry(a)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	says(t, w.Body.String(), "\nwaybill_watchers 0\n", `waybill_alarm{code="store_unavailable",severity="critical"} 1`)
}
