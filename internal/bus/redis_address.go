package bus

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"
)

// redisAddress is where a Redis is, and how one gets in.
type redisAddress struct {
	network, address string
	options          []redis.DialOption
}

// parseRedisURL reads redis://, rediss:// and unix:// URLs. Its errors repeat
// nothing of what may be a password.
func parseRedisURL(text string) (a redisAddress, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return a, errors.New("it is no URL")
	}
	database := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "redis", "rediss":
		port := u.Port()
		if port == "" {
			port = "6379"
		}
		host := u.Hostname()
		if host == "" {
			host = "localhost"
		}
		a.network, a.address = "tcp", net.JoinHostPort(host, port)
		a.options = append(a.options, redis.DialUseTLS(u.Scheme == "rediss"))
	case "unix":
		a.network, a.address, database = "unix", u.Host+u.Path, ""
	default:
		return a, errors.New("it must begin with redis://, rediss:// or unix://")
	}
	for name, values := range u.Query() {
		switch {
		case name == "db" && database == "":
			database = values[0]
		case name == "skip_verify" && u.Scheme == "rediss":
			skip, err := strconv.ParseBool(values[0])
			if err != nil {
				return a, errors.New("its skip_verify must be true or false")
			}
			a.options = append(a.options, redis.DialTLSSkipVerify(skip))
		default:
			return a, errors.New("it may end with ?db= and, for rediss://, ?skip_verify=, each once")
		}
	}
	if database != "" {
		n, err := strconv.Atoi(database)
		if err != nil || n < 0 {
			return a, errors.New("the database in it must be a number")
		}
		a.options = append(a.options, redis.DialDatabase(n))
	}
	password, has := u.User.Password()
	if !has && u.User.Username() != "" {
		return a, errors.New("it names a user and no password; a password alone is written redis://:password@host")
	}
	a.options = append(a.options, redis.DialUsername(u.User.Username()), redis.DialPassword(password))
	return a, nil
}
