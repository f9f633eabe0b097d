package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// FuzzLoad gives one text to every setting in turn: Load must neither panic
// nor return an error that is not a list of problems with known settings.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{"", " ", "true", "5000", "https://a.example", "10.0.0.0/8,,x", "postgres://u:p@h/d", "#0f766e", "\x00", "é,é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range Settings() {
			c, err := Load([]string{s.Name + "=" + text}, Production)
			var ps Problems
			if err != nil && !errors.As(err, &ps) {
				t.Fatalf("%s=%q: error is a %T", s.Name, text, err)
			}
			if rows := c.Summary(); len(rows) != len(settings) {
				t.Fatalf("%s=%q: summary has %d rows", s.Name, text, len(rows))
			}
		}
	})
}

// FuzzDSN puts a password into each place of a URL that can hold one.
func FuzzDSN(f *testing.F) {
	f.Add("p@ss/w:rd?")
	f.Add("%zz")
	f.Add("#&=;")
	f.Fuzz(func(t *testing.T, password string) {
		word := "hidden" + password + "hidden"
		for _, text := range []string{
			"postgres://u:" + word + "@h/d",
			"redis://" + url.QueryEscape(word) + "@h",
			"postgres://u:" + url.QueryEscape(word) + "@h/d?sslpassword=" + url.QueryEscape(word),
			"postgres://u@h/d?passw%6Frd=" + url.QueryEscape(word),
		} {
			if shown := fmt.Sprint(NewDSN(text)); strings.Contains(shown, "hidden") {
				t.Fatalf("%q shows as %q", text, shown)
			}
		}
	})
}
