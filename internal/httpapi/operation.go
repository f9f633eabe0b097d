package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// operations makes the description's operations and gathers what they share.
type operations struct {
	schemas   *schemas
	responses object // of failures, by their names
	ids       map[string]bool
}

func newOperations() *operations {
	return &operations{schemas: newSchemas(), responses: object{}, ids: map[string]bool{}}
}

func (o *operations) components() object {
	all := object{}
	for name, schema := range o.schemas.named {
		all[name] = schema
	}
	return all
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

// operation describes one route.
func (o *operations) operation(rt *route, path string) object {
	c := rt.call
	id := c.id
	if o.ids[id] { // one handler under two paths
		last := path[strings.LastIndex(path, "/")+1:]
		id += "At" + strings.ToUpper(last[:1]) + last[1:]
	}
	o.ids[id] = true
	op := object{"operationId": id, "tags": []string{c.tag}, "summary": c.summary, "responses": o.answers(rt)}
	if said := strings.TrimSpace(sentence(rt) + " " + c.detail); said != "" {
		op["description"] = said
	}
	switch {
	case rt.who != nil:
		op["security"] = []object{{"bearer": []string{}}}
	case c.proof:
		op["security"] = []object{{"webhookToken": []string{}}, {"webhookSignature": []string{}}}
	case slices.Contains(c.fails, tracking.Forbidden): // a token may be there, and need not
		op["security"] = []object{{}, {"bearer": []string{}}}
	}
	var parameters []object
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "description": c.subject, "schema": textSchema})
	}
	for _, p := range c.query {
		parameters = append(parameters, object{"name": p.name, "in": "query", "required": p.needed, "description": p.about, "schema": p.of()})
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if body := o.body(c); body != nil {
		op["requestBody"] = body
	}
	return op
}

// sentence says who may call a route that not everyone may.
func sentence(rt *route) string {
	if rt.who == nil {
		return ""
	}
	roles := make([]string, 0, len(rt.who))
	for _, role := range rt.who {
		roles = append(roles, string(role)+"s")
	}
	said := strings.Join(roles, " and ")
	return strings.ToUpper(said[:1]) + said[1:] + "."
}

// body is what a call takes, nil for none.
func (o *operations) body(c *call) object {
	media := "application/json"
	var schema object
	switch {
	case c.form != nil:
		media = "application/x-www-form-urlencoded"
		properties, needed := object{}, []string{}
		for _, p := range c.form {
			property := p.of()
			property["description"] = p.about
			properties[p.name] = property
			if p.needed {
				needed = append(needed, p.name)
			}
		}
		schema = object{"type": "object", "properties": properties, "required": needed}
	case c.proof:
		schema = object{"type": "object"} // the carrier's, and not ours to describe
	case c.body != nil:
		schema = o.schemas.request(reflect.TypeOf(c.body), c.needed...)
	default:
		return nil
	}
	content := object{"schema": schema}
	if c.example != "" {
		content["example"] = json.RawMessage(c.example)
	}
	return object{"required": c.form != nil || len(c.needed) > 0, "content": object{media: content}}
}

// answers are what a route answers, by status.
func (o *operations) answers(rt *route) object {
	all := object{"200": o.good(rt.call)}
	codes := map[int][]string{}
	for _, code := range failures(rt) {
		n := statusOf(code)
		if rt.call.proof && (n == http.StatusUnauthorized || n == http.StatusForbidden) {
			all[strconv.Itoa(n)] = object{
				"description": "the sender is not proved, or not from an allowed address",
				"content":     jsonContent(o.schemas.answer(reflect.TypeFor[refused]())),
			}
			continue
		}
		codes[n] = append(codes[n], string(code))
	}
	for n, of := range codes {
		all[strconv.Itoa(n)] = o.failure(n, of)
	}
	if rt.call.etag {
		all["304"] = object{"description": "what If-None-Match names still holds"}
	}
	return all
}

// failures are the codes that a call may answer: those it says, and those of
// all calls of its kind.
func failures(rt *route) []tracking.Code {
	c := rt.call
	all := append([]tracking.Code{tracking.Internal}, c.fails...)
	if !c.still {
		all = append(all, tracking.Unavailable)
	}
	if rt.who != nil || c.proof {
		all = append(all, tracking.Unauthorized, tracking.Forbidden)
	}
	if c.body != nil || c.form != nil {
		all = append(all, tracking.Invalid, "too_slow", "too_large")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p param) of() object {
	if p.schema == nil {
		return object{"type": "string"}
	}
	schema := object{}
	for key, value := range p.schema {
		schema[key] = value
	}
	return schema
}

var textSchema = object{"type": "string"}

func jsonContent(schema object) object { return object{"application/json": object{"schema": schema}} }
