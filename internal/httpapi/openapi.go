package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// apiVersion rises when something that clients rely on is renamed or taken
// away, which is not meant to happen; additions leave it.
const apiVersion = "1"

// describedFor is how long a description may be used without asking whether it
// still holds: it changes with an upgrade only.
const describedFor = "public, max-age=3600"

// A description is the OpenAPI document as it is sent.
type description struct {
	body []byte
	etag string
}

var describeCall = call{
	tag: "description", id: "describe", summary: "This description", detail: "From any origin; it has an ETag.", still: true, etag: true,
	answers: []answered{bare(openAPI{})},
}

// GET /api/openapi.json
//
// The description of all calls that speak JSON, as OpenAPI 3.1.
func (a *API) describe(w http.ResponseWriter, r *http.Request) error {
	d := a.described()
	anyOrigin(w)
	h := w.Header()
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", describedFor)
	if matches(r.Header.Values("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, json.RawMessage(d.body))
	return nil
}

// openAPI is the document. Its parts are plain objects: the shape of them is
// OpenAPI's, and a test holds them against its schema.
type openAPI struct {
	OpenAPI    string            `json:"openapi"`
	Info       map[string]string `json:"info"`
	Servers    []object          `json:"servers"`
	Tags       []object          `json:"tags"`
	Paths      map[string]object `json:"paths"`
	Components map[string]object `json:"components"`
}

// tags are the parts of the description, in the order of docs/http-api.md.
var tags = [][2]string{
	{"webhooks", "Where Shiprocket pushes to"},
	{"log", "What was pushed, and what became of it"},
	{"replays", "Many rows of the log, worked off again"},
	{"addresses", "Where pushes may come from"},
	{"alarms", "What needs someone"},
	{"orders", "For the shop's server"},
	{"tokens", "Who may call"},
	{"audit", "What operators did"},
	{"tracking", "For buyers' browsers"},
	{"description", "This document"},
}

// document describes every route of the table that has a call.
func (a *API) document() *openAPI {
	doc := &openAPI{
		OpenAPI: "3.1.0",
		Info: map[string]string{
			"title": "Waybill", "version": apiVersion,
			"summary": "Live order tracking from Shiprocket webhooks",
			"description": "Keys are always there, null when unknown. Times are RFC 3339 in UTC. Fields may be added, never renamed or taken away: " +
				"a reader should pass over those it does not know.",
		},
		Servers: []object{{"url": "/"}},
		Paths:   map[string]object{},
	}
	if a.opts.PublicURL != "" {
		doc.Servers[0]["url"] = strings.TrimRight(a.opts.PublicURL, "/")
	}
	for _, tag := range tags {
		doc.Tags = append(doc.Tags, object{"name": tag[0], "description": tag[1]})
	}
	made := newOperations()
	for _, rt := range a.routes() {
		if rt.call == nil {
			continue
		}
		method, pattern, _ := strings.Cut(rt.pattern, " ")
		path := strings.ReplaceAll(pattern, "...}", "}")
		if doc.Paths[path] == nil {
			doc.Paths[path] = object{}
		}
		doc.Paths[path][strings.ToLower(method)] = made.operation(&rt, path)
	}
	doc.Components = map[string]object{
		"schemas": made.components(), "responses": made.responses, "securitySchemes": securitySchemes(),
	}
	return doc
}

func securitySchemes() object {
	return object{
		"bearer": object{"type": "http", "scheme": "bearer", "description": "ADMIN_TOKEN, or a token that was made for a role"},
		"webhookToken": object{
			"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The webhook's token; Authorization takes it too",
		},
		"webhookSignature": object{
			"type": "apiKey", "in": "header", "name": "X-Shiprocket-Signature",
			"description": "HMAC-SHA256 of the raw body, in hex or base64, if a secret is configured; the header's name is a setting",
		},
	}
}

// makeDescription encodes the document, and names it by what it says.
func (a *API) makeDescription() description {
	body, err := json.Marshal(a.document())
	if err != nil {
		panic(err) // it is made of maps and strings
	}
	sum := sha256.Sum256(body)
	return description{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}
