package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Source says where a value came from.
type Source string

// The places a value can come from.
const (
	FromDefault     Source = "default"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
)

// Load reads the settings of environ, in the form of os.Environ, with appEnv
// as the default of APP_ENV. A variable that is empty counts as not set.
//
// The Config is never nil, so that it can be shown beside its problems. The
// error is nil or a Problems that holds everything wrong, and then the service
// must not start.
func Load(environ []string, appEnv AppEnv) (*Config, error) {
	c := read(environ, appEnv)
	return c, c.Validate()
}

// Defaults returns what Load makes of an empty environment. It is not valid
// in production, where a token or secret is needed.
func Defaults(appEnv AppEnv) *Config { return read(nil, appEnv) }

func read(environ []string, appEnv AppEnv) *Config {
	c := &Config{sources: map[string]Source{}}
	given := env.ToMap(environ)
	values := c.gather(given, appEnv)
	c.misspelt = misspelt(given, c)

	var current string
	bad := func(err error) { c.unread.form(current, err.Error()) }
	err := env.ParseWithOptions(c, env.Options{
		Environment: values,
		OnSet:       func(name string, _ any, _ bool) { current = name },
		FuncMap:     parsers(bad),
	})
	if err != nil { // the parsers report and never fail: a field's type has none
		panic(fmt.Sprintf("config: %v", err))
	}
	if c.PublicURL != nil && c.PublicURL.Host == "" {
		c.PublicURL = nil // it could not be read
	}
	c.derive()
	return c
}

// gather finds each setting's text: the variable, else the file that NAME_FILE
// names, else the default.
func (c *Config) gather(environ map[string]string, appEnv AppEnv) map[string]string {
	values := make(map[string]string, len(settings))
	for _, s := range settings {
		text, path := environ[s.Name], environ[s.Name+"_FILE"]
		source := FromEnvironment
		switch {
		case text != "" && path != "":
			c.unread.add(s.Name, "both "+s.Name+" and "+s.Name+"_FILE are set", "keep one of them")
		case path != "":
			source = FromFile
			var err error
			if text, err = readValue(path); err != nil {
				c.unread.add(s.Name, "cannot read "+s.Name+"_FILE: "+err.Error(), "name a readable file that holds the value alone")
			}
		}
		if text == "" {
			text, source = s.Default, FromDefault
			if s.Name == "APP_ENV" {
				text = string(appEnv)
			}
		}
		values[s.Name], c.sources[s.Name] = text, source
	}
	return values
}

// readValue returns the content of a file without the newline that editors and
// `openssl rand > file` leave at its end.
func readValue(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" {
		return "", errors.New(path + " is empty")
	}
	return text, nil
}

// derive fills what depends on other settings and was not given.
func (c *Config) derive() {
	if c.Shiprocket.IPCheck == "" {
		c.Shiprocket.IPCheck = Enforce
		if !c.Production() {
			c.Shiprocket.IPCheck = Off
		}
	}
	if c.Production() && !c.given("DRAIN_SECONDS") {
		c.DrainSeconds = 6 // balancers ask every five
	}
	if c.Live == "" {
		c.Live = Embedded
		if c.Soketi.Host != "" {
			c.Live = External
		}
	}
	c.derivePusher()
}

// derivePusher lets the host name alone say all that hosted Pusher needs:
// its API is on api-<cluster>, its sockets are on ws-<cluster>, both over TLS
// (Pusher docs).
func (c *Config) derivePusher() {
	cluster, ok := strings.CutSuffix(strings.ToLower(c.Soketi.Host), ".pusher.com")
	if !ok {
		return
	}
	cluster, ok = strings.CutPrefix(cluster, "api-")
	if !ok {
		return
	}
	s := &c.Soketi
	if !c.given("SOKETI_PORT") {
		s.Port = 443
	}
	if !c.given("SOKETI_USE_TLS") {
		s.UseTLS = true
	}
	if s.Cluster == "" {
		s.Cluster = cluster
	}
	if s.PublicHost == "" && c.Live == External {
		s.PublicHost = "ws-" + cluster + ".pusher.com"
		s.PublicTLS = cmp.Or(s.PublicTLS, new(true))
	}
}

func (c *Config) given(name string) bool {
	return c.sources[name] != FromDefault && c.sources[name] != ""
}

// fields calls visit with every setting's name and field.
func (c *Config) fields(visit func(name string, field reflect.Value)) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("env"); name != "" {
				visit(name, v.Field(i))
			} else if v.Type().Field(i).IsExported() {
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(c).Elem())
}
