package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
)

// good describes a call's good answer.
func (o *operations) good(c *call) object {
	kinds := make([]any, 0, len(c.answers))
	var example string
	for _, a := range c.answers {
		kinds = append(kinds, o.within(&a))
		example += a.example
	}
	schema, _ := kinds[0].(object)
	if len(kinds) > 1 {
		schema = object{"oneOf": kinds}
	}
	response := object{"description": "done"}
	if c.answers[0].in == inLines {
		response["content"] = object{"application/x-ndjson": object{"schema": schema}, "text/csv": object{"schema": textSchema}}
		return response
	}
	content := jsonContent(schema)
	if example != "" {
		media, _ := content["application/json"].(object)
		media["example"] = json.RawMessage(example)
	}
	response["content"] = content
	if c.etag {
		response["headers"] = object{"ETag": object{"description": "names what was answered", "schema": textSchema}}
	}
	return response
}

// within is the schema of an answer: its data in its envelope, whose type is the
// one that handlers encode too.
func (o *operations) within(a *answered) object {
	data := o.schemas.answer(reflect.TypeOf(a.data))
	var properties object
	var required []string
	switch a.in {
	case inNothing, inLines:
		return data
	case inPage:
		properties, required = o.schemas.fields(reflect.TypeFor[page](), o.schemas.answer)
	default:
		properties, required = o.schemas.fields(reflect.TypeFor[success](), o.schemas.answer)
		if a.message == "" {
			delete(properties, "message")
		} else {
			properties["message"] = object{"const": a.message}
			required = append(required, "message")
		}
	}
	properties["success"], properties["data"] = object{"const": true}, data
	return structure(properties, required)
}

// reasonsOf say in a few words when a status is answered.
var reasonsOf = map[int]string{
	http.StatusBadRequest:            "what was sent cannot be taken; the message says what is wrong",
	http.StatusUnauthorized:          "no token, or none that is known",
	http.StatusForbidden:             "a token that may not do this",
	http.StatusNotFound:              "there is no such thing",
	http.StatusRequestTimeout:        "the body took too long to come",
	http.StatusConflict:              "what was sent does not go with what there is",
	http.StatusRequestEntityTooLarge: "the body is larger than this call takes",
	http.StatusTooManyRequests:       "too many requests",
	http.StatusInternalServerError:   "a fault of ours; the log has the cause",
	http.StatusServiceUnavailable:    "the database does not answer, or too much is waiting",
}

// failure describes a failure, once for all calls that have it.
func (o *operations) failure(status int, codes []string) object {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if o.responses[name] == nil {
		properties, required := o.schemas.fields(reflect.TypeFor[failure](), o.schemas.answer)
		properties["success"], properties["code"] = object{"const": false}, object{"type": "string", "enum": codes}
		response := object{
			"description": reasonsOf[status],
			"content":     jsonContent(structure(properties, required)),
		}
		headers := object{}
		switch status {
		case http.StatusUnauthorized:
			headers["WWW-Authenticate"] = object{"description": "Bearer", "schema": textSchema}
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			headers["Retry-After"] = object{"description": "seconds to wait", "schema": object{"type": "integer"}}
		}
		if len(headers) > 0 {
			response["headers"] = headers
		}
		o.responses[name] = response
	}
	return object{"$ref": "#/components/responses/" + name}
}
