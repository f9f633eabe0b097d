package httpapi

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/http-api.md names every call and every code that leaves the process.
func TestDocsNameEveryCallAndCode(t *testing.T) {
	t.Parallel()
	docs := httpDocs(t)
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
	for _, e := range httpFailures {
		if !strings.Contains(docs, "| `"+e.code+"` |") {
			t.Errorf("%s is not in the table of codes", e.code)
		}
	}
}

// The table of calls in docs/http-api.md is the description's, to the letter.
func TestDocsHaveTheDescribedCalls(t *testing.T) {
	t.Parallel()
	rows := []string{"| call | who | |", "|---|---|---|"}
	for _, rt := range (&API{}).routes() {
		if rt.call == nil {
			continue
		}
		who := "anyone"
		if rt.call.proof {
			who = "Shiprocket"
		}
		if rt.who != nil {
			roles := make([]string, 0, len(rt.who))
			for _, role := range rt.who {
				roles = append(roles, string(role))
			}
			who = strings.Join(roles, ", ")
		}
		rows = append(rows, "| `"+rt.pattern+"` | "+who+" | "+rt.call.summary+" |")
	}
	_, section, _ := strings.Cut(httpDocs(t), "\n## Calls\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var written []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "|") {
			written = append(written, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(written, rows) {
		t.Errorf("the table of calls should be\n%s", strings.Join(rows, "\n"))
	}
}

// What a call takes is told in its own part of docs/http-api.md, or in the one
// that this refers to.
func TestDocsNameEveryParameter(t *testing.T) {
	t.Parallel()
	docs := httpDocs(t)
	for _, rt := range (&API{}).routes() {
		if rt.call == nil {
			continue
		}
		_, part, _ := strings.Cut(docs, "\n### `"+rt.pattern)
		part, _, _ = strings.Cut(part, "\n### ")
		for _, p := range slices.Concat(rt.call.query, rt.call.form) {
			if !strings.Contains(part, p.name) {
				t.Errorf("%s: %s is not told of", rt.pattern, p.name)
			}
		}
	}
}

func httpDocs(t *testing.T) string {
	t.Helper()
	file, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}
