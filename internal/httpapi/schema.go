package httpapi

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// object is a JSON object of the API's description.
type object = map[string]any

// schemas makes JSON schemas of the types that handlers encode, as encoding/json
// encodes them: a key is always there unless it is omitempty. Structs and
// enumerations get a name of their own among the components.
type schemas struct {
	named map[string]object
	types map[string]reflect.Type // who has a name: two types with one are refused
}

func newSchemas() *schemas {
	return &schemas{named: map[string]object{}, types: map[string]reflect.Type{}}
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// answer is the schema of a type in answers. It panics on a type that encodes
// itself and of which fields.go does not say how: a wrong description is worse
// than none, and a test builds them all.
func (s *schemas) answer(t reflect.Type) object {
	if t == nil {
		return object{"type": "null"}
	}
	if said, ok := scalars[t]; ok {
		return maps.Clone(said)
	}
	if values, ok := enums[t]; ok {
		return s.name(t, func() object { return values })
	}
	if !slices.Contains(asTheirFields, t) && (reflect.PointerTo(t).Implements(marshaler) || reflect.PointerTo(t).Implements(textMarshaler)) {
		panic(fmt.Sprintf("httpapi: %v encodes itself; say in fields.go how", t))
	}
	if t.Kind() == reflect.Struct {
		return s.name(t, func() object {
			properties, required := s.fields(t, s.answer)
			return structure(properties, required)
		})
	}
	return s.plain(t, s.answer)
}

// request is the schema of a type in what is sent: any field may be left out
// but for those that are needed. What it holds is written out in place, since
// in an answer the same types always have all their keys.
func (s *schemas) request(t reflect.Type, needed ...string) object {
	within := func(t reflect.Type) object { return s.request(t) }
	switch {
	case t == reflect.TypeFor[text]():
		return object{"type": []any{"string", "number"}, "maxLength": 100}
	case scalars[t] != nil:
		return maps.Clone(scalars[t])
	case enums[t] != nil:
		return s.answer(t)
	case t.Kind() != reflect.Struct:
		return s.plain(t, within)
	}
	properties, _ := s.fields(t, within)
	sent := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(needed) > 0 {
		sent["required"] = needed
	}
	return sent
}

// plain is the schema of what is no struct.
func (s *schemas) plain(t reflect.Type, within func(reflect.Type) object) object {
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Interface:
		return object{} // whatever JSON it is
	case reflect.Pointer:
		return orNull(within(t.Elem()))
	case reflect.Slice:
		return object{"type": "array", "items": within(t.Elem())}
	case reflect.Map:
		m := object{"type": "object", "additionalProperties": within(t.Elem())}
		if _, ok := enums[t.Key()]; ok {
			m["propertyNames"] = s.answer(t.Key())
		}
		return m
	}
	panic(fmt.Sprintf("httpapi: no schema is known for %v", t))
}

// fields are a struct's properties, and which of them are always there.
func (s *schemas) fields(t reflect.Type, within func(reflect.Type) object) (properties object, required []string) {
	properties, required = object{}, []string{}
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && tag == "": // its fields are this one's, whether it is exported or not
			inner, always := s.fields(f.Type, within)
			maps.Copy(properties, inner)
			required = append(required, always...)
			continue
		case !f.IsExported() || tag == "-":
			continue
		}
		property := within(f.Type)
		maps.Copy(property, notes[t][name])
		properties[name] = property
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	for name := range notes[t] {
		if properties[name] == nil {
			panic(fmt.Sprintf("httpapi: %v has no field %s to say something of", t, name))
		}
	}
	return properties, required
}

// name puts a type among the components and refers to it.
func (s *schemas) name(t reflect.Type, make func() object) object {
	name := names[t]
	if name == "" {
		name = strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	}
	switch s.types[name] {
	case nil:
		s.types[name] = t
		s.named[name] = make()
	case t:
	default:
		panic(fmt.Sprintf("httpapi: %v and %v are both called %s", t, s.types[name], name))
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// structure is an object in an answer. More keys may come some day, and whoever
// reads it has to bear that; the tests know that there are none now.
func structure(properties object, required []string) object {
	return object{"type": "object", "properties": properties, "required": required}
}

func orNull(of object) object {
	kind, ok := of["type"].(string)
	if !ok {
		return object{"oneOf": []any{of, object{"type": "null"}}}
	}
	of["type"] = []any{kind, "null"}
	return of
}

// utc is how all times are written.
var utc = object{"type": "string", "format": "date-time", "pattern": "Z$"}

// scalars are types that are encoded as no Go kind tells.
var scalars = map[reflect.Type]object{
	reflect.TypeFor[time.Time]():       utc,
	reflect.TypeFor[tracking.Text]():   {"type": []any{"string", "null"}},
	reflect.TypeFor[json.RawMessage](): {}, // whatever JSON it is
}
