package httpapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unspoken are the routes that speak no JSON, or only to machines that look
// whether the service is well.
var unspoken = []string{
	"OPTIONS /api/track/{orderId}", "OPTIONS /api/realtime/auth",
	"GET /track/{orderId}", "GET /embed/track/{orderId}", "GET /track", "POST /track", "GET /{$}",
	"GET /healthz", "GET /readyz", "GET /metrics",
}

// Every route that speaks JSON is described, and nothing else is.
func TestDescriptionHasEveryRoute(t *testing.T) {
	t.Parallel()
	a := &API{}
	var routed []string
	for _, rt := range a.routes() {
		switch known := slices.Contains(unspoken, rt.pattern); {
		case rt.call == nil && !known:
			t.Errorf("%s: the route has no call that describes it", rt.pattern)
		case rt.call != nil && known:
			t.Errorf("%s is described, and is among those that are not", rt.pattern)
		case rt.call != nil:
			routed = append(routed, strings.ReplaceAll(rt.pattern, "...}", "}"))
		}
	}
	doc := a.document()
	var described []string
	ids := map[any]string{}
	for path, item := range doc.Paths {
		for method, op := range item {
			name := strings.ToUpper(method) + " " + path
			described = append(described, name)
			o := op.(object)
			if other, taken := ids[o["operationId"]]; taken {
				t.Errorf("%s and %s are both called %v", name, other, o["operationId"])
			}
			ids[o["operationId"]] = name
			if tag := o["tags"].([]string)[0]; !slices.ContainsFunc(tags, func(t [2]string) bool { return t[0] == tag }) {
				t.Errorf("%s: no tag %s", name, tag)
			}
			parameters, _ := o["parameters"].([]object)
			for _, p := range parameters {
				if p["description"] == "" {
					t.Errorf("%s: nothing is said of %v", name, p["name"])
				}
			}
		}
	}
	slices.Sort(routed)
	slices.Sort(described)
	if !slices.Equal(routed, described) {
		t.Errorf("routes\n%s\ndescribed\n%s", strings.Join(routed, "\n"), strings.Join(described, "\n"))
	}
}

// An enumeration has all the constants of its type. A milestone that is not
// known and a webhook without a reason have none.
func TestDescriptionHasEveryWord(t *testing.T) {
	t.Parallel()
	for kind, schema := range enums {
		room := kind.PkgPath()[strings.LastIndex(kind.PkgPath(), "/")+1:]
		var described []string
		for _, word := range schema["enum"].([]any) {
			if word != nil {
				described = append(described, word.(string))
			}
		}
		slices.Sort(described)
		if known := constants(t, "../"+room, kind.Name()); !slices.Equal(known, described) {
			t.Errorf("%v is\n%v\ndescribed as\n%v", kind, known, described)
		}
		encodesNull := kind.Implements(reflect.TypeFor[interface{ MarshalJSON() ([]byte, error) }]())
		if encodesNull != slices.Contains(schema["enum"].([]any), nil) {
			t.Errorf("%v: null is encoded: %v", kind, encodesNull)
		}
	}
	var listed []string
	for _, r := range reasons {
		listed = append(listed, string(r))
	}
	slices.Sort(listed)
	if known := constants(t, "../inbox", "Reason"); !slices.Equal(known, listed) {
		t.Errorf("reasons are\n%v\ndescribed as\n%v", known, listed)
	}
}

// constants are the values of a package's constants of one string type, but "".
func constants(t *testing.T, dir, kind string) []string {
	t.Helper()
	values := map[string]bool{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != kind {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					if s, err := strconv.Unquote(lit.Value); err == nil && s != "" {
						values[s] = true
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(values))
}
