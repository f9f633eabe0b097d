package httpapi_test

import (
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/webazaar/waybill/internal/httpapi"
)

// description is the API's description, with the schemas in it by their place.
// Every answer to a house is held against it.
type description struct {
	paths, responses map[string]any

	mu       sync.Mutex // a compiler is nobody's to share
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const descriptionURL = "https://waybill.example/openapi.json"

var described = sync.OnceValue(func() *description {
	w := httptest.NewRecorder()
	httpapi.New(httpapi.Options{Logger: slog.New(slog.DiscardHandler)}).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/openapi.json", http.NoBody))
	doc, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		panic(err)
	}
	closed(doc)
	d := &description{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(descriptionURL, doc); err != nil {
		panic(err)
	}
	d.paths, d.responses = dig(doc, "paths"), dig(doc, "components", "responses")
	return d
})

// closed lets no object have keys that are not described. Clients have to bear
// such, since they may come some day; these tests have to see them.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; dig(v, "properties") != nil && v["type"] == "object" && !open {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closed(inner)
		}
	case []any:
		for _, inner := range v {
			closed(inner)
		}
	}
}

// dig goes down into an object; nil where there is no such thing.
func dig(v any, keys ...string) map[string]any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	m, _ := v.(map[string]any)
	return m
}

func pointer(keys ...string) string {
	for i, key := range keys {
		keys[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return "#/" + strings.Join(keys, "/")
}

// find is the described path that a request's is one of; "" for none.
func (d *description) find(method, path string) string {
	path, method = strings.SplitN(path, "?", 2)[0], strings.ToLower(method)
	if dig(d.paths, path, method) != nil {
		return path
	}
	for pattern := range d.paths {
		if dig(d.paths, pattern, method) == nil || !strings.Contains(pattern, "{") {
			continue
		}
		expr := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(strings.ReplaceAll(pattern, "{address}", ".+"), "[^/]+")
		if regexp.MustCompile("^" + expr + "$").MatchString(path) {
			return pattern
		}
	}
	return ""
}

// validate holds JSON against the schema in one place of the document.
func (d *description) validate(t testing.TB, what, place, body string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	schema := d.compiled[place]
	if schema == nil {
		var err error
		if schema, err = d.compiler.Compile(descriptionURL + place); err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		d.compiled[place] = schema
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("%s is not as described: %v\n%.2000s", what, err, body)
	}
}

// conforms checks an answer, and what was sent if it was taken, against the
// description. It returns which call that was, "" for none that is described.
func (d *description) conforms(t testing.TB, method, path, sent string, a answer) string {
	t.Helper()
	pattern := d.find(method, path)
	if pattern == "" {
		return ""
	}
	call, n := method+" "+pattern, strconv.Itoa(a.status)
	what := call + " " + n
	op := dig(d.paths, pattern, strings.ToLower(method))
	response := dig(op, "responses", n)
	place := []string{"paths", pattern, strings.ToLower(method), "responses", n}
	if ref, ok := response["$ref"].(string); ok {
		name := ref[strings.LastIndex(ref, "/")+1:]
		response, place = dig(d.responses, name), []string{"components", "responses", name}
	}
	if response == nil {
		t.Errorf("%s: the status is not described: %.500s", what, a.body)
		return call
	}
	for name := range dig(response, "headers") {
		if a.header.Get(name) == "" {
			t.Errorf("%s has no %s", what, name)
		}
	}
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	content := dig(response, "content")
	schema := pointer(slices.Concat(place, []string{"content", media, "schema"})...)
	switch {
	case content == nil && a.body == "" || content["text/csv"] != nil && media == "text/csv":
	case content[media] == nil:
		t.Errorf("%s: %q is not described", what, media)
	case media == "application/x-ndjson":
		for line := range strings.Lines(a.body) {
			d.validate(t, what, schema, line)
		}
	default:
		d.validate(t, what, schema, a.body)
	}
	if a.status == http.StatusOK {
		d.taken(t, what, op, pattern, method, path, sent)
	}
	return call
}

// taken checks that what a call took is described too.
func (d *description) taken(t testing.TB, what string, op map[string]any, pattern, method, path, sent string) {
	t.Helper()
	if u, err := url.Parse(path); err == nil {
		known := map[string]bool{}
		parameters, _ := op["parameters"].([]any)
		for _, p := range parameters {
			known[dig(p)["name"].(string)] = true
		}
		for name := range u.Query() {
			if !known[name] {
				t.Errorf("%s: the parameter %s is not described", what, name)
			}
		}
	}
	body := dig(op, "requestBody")
	switch {
	case sent == "" && body["required"] == true || sent != "" && body == nil:
		t.Errorf("%s: was sent %q", what, sent)
	case sent != "" && dig(body, "content", "application/json") != nil:
		d.validate(t, what+": what was sent", pointer("paths", pattern, strings.ToLower(method), "requestBody", "content", "application/json", "schema"), sent)
	}
}
