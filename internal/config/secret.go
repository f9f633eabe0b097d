package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Secret is a value that must not be printed. Its text comes out of Reveal
// only; every verb of fmt, slog, encoding/json and encoding.TextMarshaler see
// "set" or "not set". The zero value is not set.
type Secret struct{ text string }

// NewSecret keeps text as a Secret.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text itself, for the one place that needs it.
func (s Secret) Reveal() string { return s.text }

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.text != "" }

func (s Secret) String() string {
	if s.IsSet() {
		return "set"
	}
	return "not set"
}

// Format answers every verb alike: %d or %#v on a struct would otherwise print
// the fields behind String's back.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// GoString is String: %#v has nothing to add.
func (s Secret) GoString() string { return s.String() }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for encoding/json and every other encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// DSN is the URL of a database or of Redis. Reveal gives it whole; printing it
// in any way gives it without its password. The zero value is not set.
type DSN struct{ text string }

// NewDSN keeps text as a DSN.
func NewDSN(text string) DSN { return DSN{text: text} }

// Reveal returns the URL with its password, for the driver.
func (d DSN) Reveal() string { return d.text }

// IsSet reports whether there is a URL.
func (d DSN) IsSet() bool { return d.text != "" }

func (d DSN) String() string {
	if !d.IsSet() {
		return "not set"
	}
	u, err := d.parse()
	if err != nil {
		return "set, not a URL" // no telling where its password is
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	// In redis://word@host the word may be meant as the password.
	if _, both := u.User.Password(); both || strings.HasPrefix(u.Scheme, "postgres") {
		if name := u.User.Username(); name != "" {
			shown.User = url.User(name)
		}
	}
	return shown.String() // without the query: drivers take passwords there too
}

// parse reads the URL. A password that holds /, ? or # as it is ends the host
// too early; the @ that is then left over gives it away. The error repeats
// nothing of the text.
func (d DSN) parse() (*url.URL, error) {
	u, err := url.Parse(d.text)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return nil, errors.New("it is not a URL")
	}
	_, rest, _ := strings.Cut(d.text, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		return nil, errors.New("its password is not escaped")
	}
	return u, nil
}

// Format answers every verb with String.
func (d DSN) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.String())) }

// GoString is String.
func (d DSN) GoString() string { return d.String() }

// LogValue is String, for slog.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is String, for encoding/json and every other encoder.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
