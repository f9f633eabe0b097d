package pusher

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	sdk "github.com/pusher/pusher-http-go/v5"
)

func (l told) has(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(string(l.Data), part) {
			t.Errorf("%s on %s: %s has no %s", l.Event, l.Channel, l.Data, part)
		}
	}
}

// eachBuild runs the test with the builds of pusher-js for node and for the web.
func eachBuild(t *testing.T, test func(t *testing.T, build string)) {
	t.Parallel()
	needPusherJS(t)
	for _, build := range []string{"node", "worker"} {
		t.Run(build, func(t *testing.T) {
			t.Parallel()
			test(t, build)
		})
	}
}

func TestPusherJSPresence(t *testing.T) {
	eachBuild(t, func(t *testing.T, build string) {
		b := setup(t, func(o *Options) { o.ClientEvents = true })
		alice, bob := b.watch(t, build, testApp.Key, "alice"), b.watch(t, build, testApp.Key, "bob")
		alice.connected()
		bob.connected()
		alice.do("subscribe", "presence-room")
		alice.event("presence-room", "pusher:subscription_succeeded").has(t, `"count":1`, `"me":{"id":"alice","info":{"name":"alice"}}`)
		bob.do("subscribe", "presence-room")
		bob.event("presence-room", "pusher:subscription_succeeded").has(t, `"count":2`, `"alice":{"name":"alice"}`, `"myID":"bob"`)
		alice.event("presence-room", "pusher:member_added").has(t, `{"id":"bob","info":{"name":"bob"}}`)

		// They speak to each other, and it is said who does.
		alice.do("trigger", "presence-room")
		var got []string
		for range 2 {
			l := bob.await("hello", func(l told) bool { return l.Event == "client-hello" || l.Event == "from" })
			got = append(got, string(l.Data))
		}
		if !slices.Contains(got, `{"from":"alice"}`) || !slices.Contains(got, `"alice"`) {
			t.Errorf("got %s", got)
		}
		bob.do("unsubscribe", "presence-room")
		alice.event("presence-room", "pusher:member_removed").has(t, `"id":"bob"`)
	})
}

func TestPusherJSCacheChannel(t *testing.T) {
	eachBuild(t, func(t *testing.T, build string) {
		b := setup(t)
		w := b.watch(t, build, testApp.Key)
		w.connected()
		w.do("subscribe", "cache-x")
		w.event("cache-x", "pusher:subscription_succeeded")
		w.event("cache-x", "pusher:cache_miss")
		b.publish(t, "private-cache-mine", "update", `{"n":1}`)
		w.do("subscribe", "private-cache-mine")
		w.event("private-cache-mine", "pusher:subscription_succeeded")
		w.event("private-cache-mine", "update").has(t, `{"n":1}`)
		b.endAll(CodeReconnect)
		w.event("private-cache-mine", "update").has(t, `{"n":1}`)
	})
}

func TestPusherJSClientEventsOff(t *testing.T) {
	eachBuild(t, func(t *testing.T, build string) {
		b := setup(t)
		w := b.watch(t, build, testApp.Key)
		w.connected()
		w.do("subscribe", "private-mine")
		w.event("private-mine", "pusher:subscription_succeeded")
		w.do("trigger", "private-mine")
		w.await("error 4301", func(l told) bool { return l.Error != nil && *l.Error == int(codeClientEvent) })
	})
}

func TestPusherJSSubscriptionCount(t *testing.T) {
	eachBuild(t, func(t *testing.T, build string) {
		b := setup(t, func(o *Options) { o.SubscriptionCount = true })
		w := b.watch(t, build, testApp.Key)
		w.connected()
		w.do("subscribe", "x")
		w.event("x", "pusher:subscription_count").has(t, `{"subscription_count":1}`)
		b.connect(t).subscribe("x")
		w.event("x", "pusher:subscription_count").has(t, `{"subscription_count":2}`)
	})
}

// The official SDK encrypts, the client decrypts, and the server sees neither.
func TestPusherJSEncrypted(t *testing.T) {
	t.Parallel()
	needPusherJS(t)
	b := setup(t)
	w, spy := b.watch(t, "encrypted", testApp.Key), b.connect(t)
	w.connected()
	const channel = "private-encrypted-room"
	w.do("subscribe", channel)
	w.event(channel, "pusher:subscription_succeeded")
	spy.ask(channel, testApp.Key+":"+testApp.sign(spy.id+":"+channel), "")
	spy.want(eventSubscribed)
	publisher := sdk.Client{
		AppID: testApp.ID, Key: testApp.Key, Secret: testApp.Secret, Host: strings.TrimPrefix(b.http.URL, "http://"), HTTPClient: b.http.Client(),
		EncryptionMasterKeyBase64: base64.StdEncoding.EncodeToString(keyedApp.EncryptionMasterKey),
	}
	if err := publisher.Trigger(channel, "update", map[string]string{"secret": "shipped"}); err != nil {
		t.Fatal(err)
	}
	w.event(channel, "update").has(t, `{"secret":"shipped"}`)
	var sealed map[string]string
	if err := json.Unmarshal([]byte(spy.want("update").text(t)), &sealed); err != nil || len(sealed) != 2 || sealed["nonce"] == "" || sealed["ciphertext"] == "" {
		t.Errorf("on the wire: %v, %v", sealed, err)
	}
}

func TestPusherJSSignIn(t *testing.T) {
	eachBuild(t, func(t *testing.T, build string) {
		b := setup(t)
		alice := b.watch(t, build, testApp.Key, "alice")
		alice.connected()
		alice.do("signin", "now")
		b.awaitWatchers(t, "#server-to-user-alice", 1)
		alice.do("subscribe", "presence-signed-in")
		alice.event("presence-signed-in", "pusher:subscription_succeeded").has(t, `"me":{"id":"alice","info":{"name":"alice"}}`)

		// Messages to her, by the official SDK. Her client has subscribed to them by
		// itself, before it entered the channel.
		publisher := sdk.Client{AppID: testApp.ID, Key: testApp.Key, Secret: testApp.Secret, Host: strings.TrimPrefix(b.http.URL, "http://"), HTTPClient: b.http.Client()}
		if err := publisher.SendToUser("alice", "hello", map[string]int{"n": 1}); err != nil {
			t.Fatal(err)
		}
		alice.event("user", "hello").has(t, `{"n":1}`)

		// Her watchlist.
		bob := b.watch(t, build, testApp.Key, "bob")
		bob.connected()
		bob.do("signin", "now")
		l := alice.await("bob online", func(l told) bool {
			return l.Channel == "watchlist" && l.Event == "online" && strings.Contains(string(l.Data), "bob")
		})
		l.has(t, `"user_ids":["bob"]`)
		bob.await("alice online", func(l told) bool {
			return l.Channel == "watchlist" && l.Event == "online" && strings.Contains(string(l.Data), "alice")
		})

		// Sent away for good, Bob does not come back.
		if status, body := b.call(signed("POST", "/apps/3/users/bob/terminate_connections", "{}")); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		bob.await("error 4009", func(l told) bool { return l.Error != nil && *l.Error == int(CodeUnauthorized) })
		bob.await("the end", func(l told) bool { return l.State == "disconnected" || l.State == "failed" })
		alice.await("bob offline", func(l told) bool { return l.Channel == "watchlist" && l.Event == "offline" })
	})
}
