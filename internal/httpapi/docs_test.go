package httpapi

import (
	"os"
	"strings"
	"testing"
)

// docs/http-api.md names every call and every code that leaves the process.
func TestDocsNameEveryCallAndCode(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := string(file)
	a := &API{}
	for _, rt := range a.routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		if method == "OPTIONS" || path == "/{$}" {
			continue
		}
		if !strings.Contains(docs, "`"+method+" "+path) {
			t.Errorf("%s %s is not described", method, path)
		}
	}
	for code, n := range status {
		if row := "| `" + string(code) + "` |"; !strings.Contains(docs, row) {
			t.Errorf("%s (%d) is not in the table of codes", code, n)
		}
	}
	for _, e := range []*httpError{errTooLarge, errTooMany, errUnauthorized, errForbidden, errNoSuchPath} {
		if !strings.Contains(docs, "| `"+e.code+"` |") {
			t.Errorf("%s is not in the table of codes", e.code)
		}
	}
}
