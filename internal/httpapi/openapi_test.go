package httpapi_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/webazaar/waybill/internal/httpapi"
)

// testdata/openapi-3.1.schema.json is the OpenAPI Initiative's schema of
// 2022-10-07, unchanged. It leaves the schemas within a document to JSON
// Schema's own, which the compiler holds them against.
func TestDescriptionIsOpenAPI(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://spec.openapis.org/oas/3.1/schema/2022-10-07", parsed(t, string(file))); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("https://spec.openapis.org/oas/3.1/schema/2022-10-07")
	if err != nil {
		t.Fatal(err)
	}
	a := setup(t).do("GET", "/api/openapi.json", "")
	if err := schema.Validate(parsed(t, a.body)); err != nil {
		t.Errorf("%v", err)
	}
}

func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a := h.do("GET", "/api/openapi.json", "")
	if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "*" ||
		a.header.Get("Content-Type") != "application/json; charset=utf-8" || a.header.Get("Cache-Control") != "public, max-age=3600" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	etag := a.header.Get("ETag")
	if b := h.do("GET", "/api/openapi.json", "", "If-None-Match", "W/"+etag); b.status != http.StatusNotModified || b.body != "" {
		t.Errorf("%d %q for the same tag", b.status, b.body)
	}
	if b := h.do("GET", "/api/openapi.json", "", "If-None-Match", `"another"`); b.status != http.StatusOK || b.body != a.body {
		t.Errorf("%d for another tag", b.status)
	}
	for _, secret := range []string{adminToken, webhookToken, appKey, appSecret, "a watch secret", h.dir} {
		if strings.Contains(a.body, secret) {
			t.Errorf("%s is in it", secret)
		}
	}
	servers := func(a answer) string {
		first, _ := a.json()["servers"].([]any)[0].(map[string]any)
		return first["url"].(string)
	}
	if url := servers(a); url != "https://track.shop.example" {
		t.Errorf("server %q", url)
	}
	elsewhere := setup(t, func(o *httpapi.Options) { o.PublicURL = "" }).do("GET", "/api/openapi.json", "")
	if url := servers(elsewhere); url != "/" || elsewhere.header.Get("ETag") == etag {
		t.Errorf("without PUBLIC_URL: server %q, tag %s", url, elsewhere.header.Get("ETag"))
	}
}

func parsed(t testing.TB, body string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return v
}

// What is shown as an example is what the schema beside it says.
func TestDescriptionsExamplesHold(t *testing.T) {
	t.Parallel()
	d, n := described(), 0
	var walk func(v any, place ...string)
	walk = func(v any, place ...string) {
		for key, inner := range dig(v) {
			if key == "example" {
				body, err := json.Marshal(inner)
				if err != nil {
					t.Fatal(err)
				}
				n++
				d.validate(t, "an example", pointer(append(slices.Clone(place), "schema")...), string(body))
				continue
			}
			walk(inner, append(slices.Clone(place), key)...)
		}
	}
	walk(d.paths, "paths")
	if n < 10 {
		t.Errorf("%d examples", n)
	}
}
