package pusher

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

// The vectors of Pusher's documentation.
func TestChannelVectors(t *testing.T) {
	t.Parallel()
	auth, err := testApp.AuthorizeChannel("1234.1234", "private-foobar")
	if err != nil || auth != testApp.Key+":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4" {
		t.Errorf("private-foobar: %s, %v", auth, err)
	}
	for text, want := range map[string]string{
		`1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Channels"}}`: "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
		`1234.1234::user::{"id":"12345"}`:                                              "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba",
	} {
		if got := testApp.sign(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// What the helpers sign is what the vectors say, and what a client shows with it is
// accepted.
func TestAuthorizations(t *testing.T) {
	t.Parallel()
	p, err := testApp.AuthorizePresence("1234.1234", "presence-foobar", Member{User: "10", Info: []byte(`{"name":"Mr. Channels"}`)})
	if want := `{"user_id":"10","user_info":{"name":"Mr. Channels"}}`; err != nil || p.ChannelData != want || !testApp.signedPresence(p.Auth, "1234.1234", "presence-foobar", want) {
		t.Errorf("%+v, %v", p, err)
	}
	u, err := testApp.AuthenticateUser("1234.1234", User{ID: "12345"})
	if want := testApp.Key + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"; err != nil || u.Auth != want || u.UserData != `{"id":"12345"}` {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := testApp.AuthenticateUser("1.1", User{ID: "7", Info: []byte(`{"a":1}`), Watchlist: []string{"8"}}); err != nil || u.UserData != `{"id":"7","user_info":{"a":1},"watchlist":["8"]}` {
		t.Errorf("%+v, %v", u, err)
	}
	// The key of a channel is the SHA-256 of its name and the master key.
	e, err := keyedApp.AuthorizeEncrypted("1234.1234", "private-encrypted-x")
	sum := sha256.Sum256([]byte("private-encrypted-x" + string(keyedApp.EncryptionMasterKey)))
	if err != nil || e.SharedSecret != base64.StdEncoding.EncodeToString(sum[:]) || !testApp.signedChannel(e.Auth, "1234.1234", "private-encrypted-x") {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := testApp.AuthorizeEncrypted("1.1", "private-encrypted-x"); err == nil {
		t.Error("encrypted without a key")
	}
	if s, err := New(Options{App: App{ID: "1", Key: "k", Secret: "s", EncryptionMasterKey: make([]byte, 31)}}); err == nil {
		_ = s.Close()
		t.Error("a key of 31 bytes was accepted")
	}
}

func TestHelpersSignNothingElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, socketID, channel, user, info string
		want                                error
	}{
		{"socket id", "1.1:presence-x", "presence-x", "7", "", ErrInvalidSocketID},
		{"private channel", "1.1", "private-x", "7", "", ErrInvalidChannel},
		{"public channel", "1.1", "x", "7", "", ErrInvalidChannel},
		{"user's channel", "1.1", "#server-to-user-7", "7", "", ErrInvalidChannel},
		{"more than a channel", "1.1", "presence-x:{}", "7", "", ErrInvalidChannel},
		{"no user", "1.1", "presence-x", "", "", ErrInvalidUser},
		{"long user", "1.1", "presence-x", strings.Repeat("7", 129), "", ErrInvalidUser},
		{"info", "1.1", "presence-x", "7", "{", ErrInvalidUser},
	} {
		var info []byte
		if tt.info != "" {
			info = []byte(tt.info)
		}
		if a, err := testApp.AuthorizePresence(tt.socketID, tt.channel, Member{User: tt.user, Info: info}); !errors.Is(err, tt.want) || a != (Authorization{}) {
			t.Errorf("presence, %s: %+v, %v", tt.name, a, err)
		}
		if a, err := keyedApp.AuthorizeEncrypted(tt.socketID, tt.channel); err == nil || a != (Authorization{}) {
			t.Errorf("encrypted, %s: %+v, %v", tt.name, a, err)
		}
		if errors.Is(tt.want, ErrInvalidChannel) { // which a user has none of
			continue
		}
		if a, err := testApp.AuthenticateUser(tt.socketID, User{ID: tt.user, Info: info}); !errors.Is(err, tt.want) || a != (Authentication{}) {
			t.Errorf("user, %s: %+v, %v", tt.name, a, err)
		}
	}
	if _, err := testApp.AuthenticateUser("1.1", User{ID: "7::user::8"}); !errors.Is(err, ErrInvalidUser) {
		t.Errorf("a user id that means more: %v", err)
	}
}

func TestAuthorizeSignsNothingElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		socketID, channel string
		want              error
	}{
		{"1.1:presence-x", "private-x", ErrInvalidSocketID},
		{"", "private-x", ErrInvalidSocketID},
		{"1.1", "public", ErrInvalidChannel},
		{"1.1", "presence-x", ErrInvalidChannel},
		{"1.1", "private-encrypted-x", ErrInvalidChannel},
		{"1.1", "private-x:{}", ErrInvalidChannel},
		{"1.1", ":user::{}", ErrInvalidChannel},
	} {
		if auth, err := testApp.AuthorizeChannel(tt.socketID, tt.channel); !errors.Is(err, tt.want) || auth != "" {
			t.Errorf("%+v: %q, %v", tt, auth, err)
		}
	}
}

const (
	docsBody  = `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	docsMD5   = "ec365a775a4cd0599faeb73354201b6f"
	docsQuery = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5=" + docsMD5 +
		"&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
)

func TestRequestVector(t *testing.T) {
	t.Parallel()
	at := time.Unix(1353088179, 0)
	for _, tt := range []struct {
		name, method, path, query string
		now                       time.Time
		good                      bool
	}{
		{"as documented", "POST", "/apps/3/events", docsQuery, at, true},
		{"600 s late", "POST", "/apps/3/events", docsQuery, at.Add(600 * time.Second), true},
		{"600 s early", "POST", "/apps/3/events", docsQuery, at.Add(-600 * time.Second), true},
		{"601 s late", "POST", "/apps/3/events", docsQuery, at.Add(601 * time.Second), false},
		{"601 s early", "POST", "/apps/3/events", docsQuery, at.Add(-601 * time.Second), false},
		{"other method", "GET", "/apps/3/events", docsQuery, at, false},
		{"other path", "POST", "/apps/3/batch_events", docsQuery, at, false},
		{"one more parameter", "POST", "/apps/3/events", docsQuery + "&info=x", at, false},
		{"order and case of keys do not count", "POST", "/apps/3/events", "BODY_MD5=" + docsMD5 + "&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c&auth_version=1.0&auth_timestamp=1353088179&Auth_Key=278d425bdf160c739803", at, true},
		{"nothing", "POST", "/apps/3/events", "", at, false},
		{"no signature", "POST", "/apps/3/events", docsQuery[:len(docsQuery)-len("&auth_signature=")-64], at, false},
		{"time is no number", "POST", "/apps/3/events", "auth_key=278d425bdf160c739803&auth_version=1.0&auth_timestamp=soon", at, false},
		{"time far off", "POST", "/apps/3/events", "auth_key=278d425bdf160c739803&auth_version=1.0&auth_timestamp=-9223372036854775808", at, false},
	} {
		md5, err := testApp.verify(tt.method, []string{tt.path}, tt.query, tt.now)
		if (err == nil) != tt.good || tt.good && md5 != docsMD5 {
			t.Errorf("%s: %q, %v", tt.name, md5, err)
		}
	}
	if err := checkBody([]byte(docsBody), docsMD5); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct{ body, md5 string }{
		"other body":   {docsBody + " ", docsMD5},
		"no md5":       {docsBody, ""},
		"no body":      {"", docsMD5},
		"md5 cut off":  {docsBody, docsMD5[:31]},
		"md5 of other": {"x", docsMD5},
	} {
		if checkBody([]byte(tt.body), tt.md5) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Values are signed as they are meant: escaped and unescaped requests alike.
func TestSignedQuery(t *testing.T) {
	t.Parallel()
	want := "auth_key=k&filter_by_prefix=a;b@c,d&info=user_count,subscription_count"
	for _, raw := range []string{
		"filter_by_prefix=a;b@c,d&info=user_count,subscription_count&auth_key=k&auth_signature=x",
		"filter_by_prefix=a%3Bb%40c%2Cd&info=user_count%2Csubscription_count&auth_key=k&auth_signature=x",
	} {
		if got := parseQuery(raw).signed(); got != want {
			t.Errorf("%s\n got %s", raw, got)
		}
	}
	if got := parseQuery("b=%zz&&a").signed(); got != "a=&b=%zz" {
		t.Errorf("got %s", got)
	}
}
