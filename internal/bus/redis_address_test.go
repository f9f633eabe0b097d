package bus

import "testing"

func TestRedisURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"redis://":                               "tcp localhost:6379",
		"redis://cache":                          "tcp cache:6379",
		"redis://cache:6380/2":                   "tcp cache:6380",
		"rediss://u:p%40ss@cache?db=3":           "tcp cache:6379",
		"rediss://:p@[::1]:7000?skip_verify=yes": "",
		"rediss://:p@[::1]:7000?skip_verify=1":   "tcp [::1]:7000",
		"redis://cache?skip_verify=true":         "", // there is nothing to verify
		"unix:///run/redis.sock?db=1":            "unix /run/redis.sock",
		"redis://cache/one":                      "",
		"redis://cache/-1":                       "",
		"redis://cache/1?db=2":                   "", // which of them?
		"redis://cache?timeout=1s":               "",
		"redis://secret@cache":                   "", // a user, or a password?
		"redis:cache":                            "",
		"http://cache":                           "",
		"cache:6379":                             "",
		"":                                       "",
	} {
		a, err := parseRedisURL(text)
		if got := a.network + " " + a.address; (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %s, %v; want %q", text, got, err, want)
		}
	}
}
