package config

import (
	"slices"
	"strings"
)

// Problem is something wrong with one setting, and how to mend it. Neither
// sentence ever holds a secret.
type Problem struct {
	Setting string
	What    string
	Mend    string
}

func (p Problem) String() string {
	if p.Mend == "" {
		return p.Setting + ": " + p.What
	}
	return p.Setting + ": " + p.What + "; " + p.Mend
}

// Problems is every problem found, in the order of Settings.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps))
	for _, p := range ps {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// add appends one problem.
func (ps *Problems) add(name, what, mend string) {
	*ps = append(*ps, Problem{Setting: name, What: what, Mend: mend})
}

// form appends a problem whose mend is the setting's own form.
func (ps *Problems) form(name, what string) {
	ps.add(name, what, "use "+setting(name).Form)
}

// Of returns the problems of the named settings alone.
func (ps Problems) Of(names ...string) Problems {
	var out Problems
	for _, p := range ps {
		if slices.Contains(names, p.Setting) {
			out = append(out, p)
		}
	}
	return out
}

// sorted returns the problems in the order of Settings.
func (ps Problems) sorted() Problems {
	var out Problems
	for _, s := range settings {
		for _, p := range ps {
			if p.Setting == s.Name {
				out = append(out, p)
			}
		}
	}
	return out
}
