package config

import "maps"

// leastMisspelt is how long a setting's name is at least for others to be looked
// at as its misspelling: HOST and PORT are two letters apart.
const leastMisspelt = 8

// misspelt finds variables that are no setting and nearly one that is not given.
func misspelt(environ map[string]string, c *Config) map[string]string {
	known := make(map[string]bool, 2*len(settings))
	for _, s := range settings {
		known[s.Name], known[s.Name+"_FILE"] = true, true
	}
	others := maps.Clone(environ)
	maps.DeleteFunc(others, func(name, value string) bool { return known[name] || value == "" })
	found := map[string]string{}
	for _, s := range settings {
		if len(s.Name) < leastMisspelt || c.given(s.Name) {
			continue
		}
		for name := range others {
			if within(name, s.Name, 2) && name > found[s.Name] {
				found[s.Name] = name
			}
		}
	}
	return found
}

// within says whether one name becomes the other by so many letters added, left
// out or replaced.
func within(a, b string, most int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if a == "" || b == "" || most == 0 {
		return max(len(a), len(b)) <= most
	}
	return within(a[1:], b, most-1) || within(a, b[1:], most-1) || within(a[1:], b[1:], most-1)
}

func (c *Config) warnMisspelt(ps *Problems) {
	for name, like := range c.misspelt {
		ps.add(name, "it is not set, but "+like+" is, which is no setting", "correct the name, or take it out")
	}
}
