package httpapi

import (
	"strings"
	"testing"
)

// Every guarded call that changes something or hands something out is an act
// that the audit tells of. Who adds one adds it to acts.
func TestGuardedChangesAreActs(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, rt := range (&API{}).routes() {
		known[rt.pattern] = true
		method, _, _ := strings.Cut(rt.pattern, " ")
		if _, act := acts[rt.pattern]; rt.who != nil && method != "GET" && !act {
			t.Errorf("%s is done by operators and no act", rt.pattern)
		}
	}
	for pattern, act := range acts {
		if !known[pattern] {
			t.Errorf("%s (%s) is no route", pattern, act)
		}
	}
}
