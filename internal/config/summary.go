package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
)

// Row is one setting as it may be shown: never a secret's value.
type Row struct {
	Setting
	Value  string
	Source Source
}

// Summary returns every setting in the order of Settings, with the value it
// has now. A secret is "set" or "not set", a list of secrets also says how
// many; URLs of databases come without their password.
func (c *Config) Summary() []Row {
	shown := make(map[string]string, len(settings))
	c.fields(func(name string, field reflect.Value) {
		shown[name] = "not set"
		if !field.IsZero() || setting(name).Default != "" {
			shown[name] = show(field.Interface())
		}
	})
	for _, p := range c.unread {
		shown[p.Setting] = "cannot be used"
	}
	rows := make([]Row, 0, len(settings))
	for _, s := range settings {
		source := c.sources[s.Name]
		if source == "" {
			source = FromDefault
		}
		rows = append(rows, Row{Setting: s, Value: shown[s.Name], Source: source})
	}
	return rows
}

// LogValue is the summary, so that a Config can be logged whole.
func (c *Config) LogValue() slog.Value {
	rows := c.Summary()
	attrs := make([]slog.Attr, 0, len(rows))
	for _, r := range rows {
		attrs = append(attrs, slog.String(r.Name, r.Value))
	}
	return slog.GroupValue(attrs...)
}

func show(v any) string {
	switch v := v.(type) {
	case *bool:
		return strconv.FormatBool(*v)
	case []string:
		return strings.Join(v, ", ")
	case []netip.Prefix:
		return showPrefixes(v)
	case []Secret:
		return fmt.Sprintf("set (%d)", len(v))
	default: // the others say it themselves, Secret and DSN with care
		return fmt.Sprint(v)
	}
}

// showPrefixes writes a range of one address as that address.
func showPrefixes(ps []netip.Prefix) string {
	words := make([]string, 0, len(ps))
	for _, p := range ps {
		if p.IsSingleIP() {
			words = append(words, p.Addr().String())
		} else {
			words = append(words, p.String())
		}
	}
	return strings.Join(words, ", ")
}
