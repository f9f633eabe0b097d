package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

// parsers reads every type of field. A text that cannot be read goes to bad
// and leaves the zero value, so that one pass finds all of them. The messages
// name a value only where it cannot be a secret.
func parsers(bad func(error)) map[reflect.Type]env.ParserFunc {
	m := map[reflect.Type]env.ParserFunc{}
	with(m, bad, func(text string) (string, error) { return strings.TrimSpace(text), nil })
	with(m, bad, parseInt)
	with(m, bad, parseBool)
	with(m, bad, parsePublicURL)
	with(m, bad, func(text string) (Secret, error) { return NewSecret(text), nil })
	with(m, bad, func(text string) (DSN, error) { return NewDSN(strings.TrimSpace(text)), nil })
	with(m, bad, func(text string) ([]Secret, error) { return list(text, parseSecret) })
	with(m, bad, func(text string) ([]string, error) { return list(text, parseOrigin) })
	with(m, bad, func(text string) ([]netip.Prefix, error) { return list(text, parsePrefix) })
	with(m, bad, enum(Production, Development))
	with(m, bad, enum(Enforce, Warn, Off))
	with(m, bad, enum(Embedded, External, Both))
	with(m, bad, enum(Info, Debug, Warning, ErrorOnly))
	with(m, bad, enum(Text, JSON))
	return m
}

func with[T any](m map[reflect.Type]env.ParserFunc, bad func(error), parse func(string) (T, error)) {
	m[reflect.TypeFor[T]()] = func(text string) (any, error) {
		v, err := parse(text)
		if err != nil {
			bad(err)
		}
		return v, nil
	}
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

// parseBool takes no "yes" or "on": a word that some tools read as true and
// others as false should not decide who may watch an order.
func parseBool(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

func enum[T ~string](allowed ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		for _, v := range allowed {
			if strings.EqualFold(strings.TrimSpace(text), string(v)) {
				return v, nil
			}
		}
		return allowed[0], fmt.Errorf("%q is not one of its values", text)
	}
}

// list splits at commas, trims, and leaves out empty places.
func list[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var out []T
	var errs []error
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		v, err := parse(item)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, v)
	}
	return out, join(errs)
}

// join puts several errors on one line.
func join(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	words := make([]string, 0, len(errs))
	for _, err := range errs {
		words = append(words, err.Error())
	}
	return errors.New(strings.Join(words, ", "))
}

func parseSecret(text string) (Secret, error) { return NewSecret(text), nil }

// mappedBits are those before an IPv4 address that is mapped into IPv6.
const mappedBits = 96

// parsePrefix reads an address as the range that holds it alone. IPv4 mapped
// into IPv6 is IPv4, which is how a peer's address is compared.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	mapped := err == nil && p.Addr().Is4In6()
	if err != nil || mapped && p.Bits() < mappedBits {
		return netip.Prefix{}, fmt.Errorf("%q is not an address or a range", text)
	}
	if mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p.Masked(), nil
}

// parseOrigin returns the origin in the form in which browsers send it.
func parseOrigin(text string) (string, error) {
	u, err := parseSite(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an origin", text)
	}
	return u.Scheme + "://" + u.Host, nil
}

func parsePublicURL(text string) (url.URL, error) {
	u, err := parseSite(text)
	if err != nil {
		return url.URL{}, errors.New("not the address of a site: " + err.Error())
	}
	return *u, nil
}

// parseSite reads scheme, host and port, and refuses anything after them. The
// port that the scheme implies is dropped. Errors do not repeat the text.
func parseSite(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("it does not begin with https:// or http://")
	case u.User != nil:
		return nil, errors.New("it holds a user name")
	case !isHost(u.Hostname()):
		return nil, errors.New("its host name is missing or odd")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "", u.ForceQuery:
		return nil, errors.New("something follows the host name")
	}
	port := u.Port()
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
		return nil, errors.New("its port is out of range")
	}
	if port == map[string]string{"https": "443", "http": "80"}[u.Scheme] || port == "" {
		u.Host = hostOnly(u.Hostname())
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// hostOnly puts the brackets back that url.Hostname takes off an IPv6 address.
func hostOnly(name string) string {
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// isHost reports whether s is an address or could be a host name: what may
// stand between slashes without changing what the URL means.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || len(s) > 253 || strings.HasPrefix(s, "-") || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
		default:
			return false
		}
	}
	return true
}
