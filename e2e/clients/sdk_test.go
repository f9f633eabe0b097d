package clients

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/pusher"
)

// listen connects pusher-js in Node, whose auth endpoints are the backend's: what
// the SDK signs is what our server checks.
func (b *backend) listen(port int, user string) *client {
	b.t.Helper()
	c := open(b.t, "pusher-js", nil)
	c.do("connect", args{"key": app.Key, "port": port, "endpoint": b.url, "user": user})
	return c
}

func TestSDKTriggers(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b := start(port, app.Secret)
		public, private := b.name+"-trigger", "private-"+b.name+"-trigger"
		alice, bob := b.listen(port, "alice"), b.listen(port, "bob")
		id := alice.connected()
		bob.connected()
		for _, channel := range []string{public, private} {
			alice.subscribe(channel)
			bob.subscribe(channel)
		}
		b.do("trigger", args{"channels": []string{public, private}, "event": "update", "data": args{"text": `रास्ते में "x"`, "n": []int{1, 2}}})
		for _, channel := range []string{public, private} {
			alice.event(channel, "update").has(t, `"text":"रास्ते में \"x\""`, `"n":[1,2]`)
		}

		// The sender is left out, and the publisher is told how many listen.
		b.do("trigger", args{"channels": []string{public, private}, "event": "others", "data": 1, "except": id, "info": "subscription_count"},
			`"`+public+`":{"subscription_count":2}`, `"`+private+`":{"subscription_count":2}`)
		bob.event(public, "others")
		b.do("trigger", args{"channels": []string{public}, "event": "all", "data": 1})
		if n := alice.next(); n.Event != "all" {
			t.Errorf("got %s", n)
		}
	})
}

func TestSDKTriggersBatch(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b := start(port, app.Secret)
		one, two := b.name+"-batch-1", b.name+"-batch-2"
		alice := b.listen(port, "alice")
		alice.connected()
		alice.subscribe(one)
		alice.subscribe(two)
		b.do("batch", []args{
			{"channel": one, "name": "a", "data": args{"n": 1}},
			{"channel": two, "name": "b", "data": args{"n": 2}},
			{"channel": one, "name": "c", "data": args{"n": 3}},
		})
		for i, want := range []string{"a", "b", "c"} {
			if n := alice.next(); n.Event != want {
				t.Errorf("event %d is %s", i, n)
			}
		}
		b.do("batch", []args{
			{"channel": one, "name": "a", "data": 1, "info": "subscription_count"},
			{"channel": two, "name": "b", "data": 1},
		}, `"batch":[{"subscription_count":1},{}]`)
	})
}

// What is refused reaches the caller as an error with the status.
func TestSDKHearsOfRefusals(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b, liar := start(port, app.Secret), start(port, "another secret")
		for _, c := range []struct {
			name    string
			backend *backend
			path    string
			body    args
			status  string
		}{
			{"forged", liar, "trigger", args{"channels": []string{"x"}, "event": "e", "data": 1}, "401"},
			{"forged read", liar, "channels", args{}, "401"},
			{"too large", b, "trigger", args{"channels": []string{"x"}, "event": "e", "data": strings.Repeat("x", 11<<10)}, "413"},
			{"users of a public channel", b, "users", args{"channel": "x"}, "400"},
			{"user counts of public channels", b, "channels", args{"prefix": "x", "info": "user_count"}, "400"},
		} {
			if answer, err := c.backend.call(c.path, c.body); err == nil || !strings.Contains(err.Error(), c.status) {
				t.Errorf("%s: %q, %v; want status %s", c.name, answer, err, c.status)
			}
		}
	})
}

func TestSDKReadsChannels(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b := start(port, app.Secret)
		room, public := "presence-"+b.name+"-read", b.name+"-read"
		alice, bob, again := b.listen(port, "alice"), b.listen(port, "bob"), b.listen(port, "bob")
		for _, c := range []*client{alice, bob, again} {
			c.connected()
			c.subscribe(room)
		}
		alice.subscribe(public)
		b.do("channels", args{}, `"`+public+`":{`, `"`+room+`":{`)
		b.do("channels", args{"prefix": room, "info": "user_count"}, `{"channels":{"`+room+`":{"user_count":2}}}`)
		b.do("channel", args{"channel": room, "info": "user_count,subscription_count"}, `"occupied":true`, `"user_count":2`, `"subscription_count":3`)
		b.do("users", args{"channel": room}, `{"id":"alice"}`, `{"id":"bob"}`)
		if answer, err := b.call("channel", args{"channel": "nobody-" + public}); err != nil || strings.Contains(answer, `"occupied":true`) {
			t.Errorf("an empty channel: %s, %v", answer, err)
		}
	})
}

func TestSDKSendsToUsersAndEndsThem(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b := start(port, app.Secret)
		user := b.name + "-alice"
		alice := b.listen(port, user)
		alice.connected()
		alice.do("signin", nil)
		alice.await("signed in", func(n news) bool { return n.SignedIn == user })
		alice.subscribe(b.name + "-after") // after the channel of her own, which she subscribes to by herself
		b.do("send", args{"user": user, "event": "hello", "data": args{"n": 1}})
		alice.event("user", "hello").has(t, `{"n":1}`)
		if b.name == "go" {
			return // the SDK for Go, 5.1.1, cannot end connections
		}
		b.do("terminate", args{"user": user})
		alice.error(4009)
		alice.await("the end", func(n news) bool { return n.State == "disconnected" })
	})
}

// The SDK encrypts and hands out the key, pusher-js decrypts.
func TestSDKEncrypts(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		port := waybill(t)
		b := start(port, app.Secret)
		channel := "private-encrypted-" + b.name
		alice := b.listen(port, "alice")
		alice.connected()
		alice.subscribe(channel)
		b.do("trigger", args{"channels": []string{channel}, "event": "update", "data": args{"secret": "shipped"}})
		alice.event(channel, "update").has(t, `{"secret":"shipped"}`)
	})
}

// The SDK believes what our server tells it, and nothing else.
func TestSDKReceivesWebhooks(t *testing.T) {
	eachSDK(t, func(t *testing.T, start func(int, string) *backend) {
		s := new(stand)
		s.listen(t)
		b := start(s.port, app.Secret)
		s.Server = s.replace(t, func(o *pusher.Options) { o.Webhooks = []pusher.WebhookTarget{{URL: b.url + "/webhook"}} })
		alice, bob := b.listen(s.port, "alice"), b.listen(s.port, "bob")
		id := alice.connected()
		bob.connected()
		alice.subscribe("presence-room")
		bob.subscribe("presence-room")
		alice.subscribe("cache-empty")
		alice.do("trigger", args{"channel": "presence-room", "event": "client-hello", "data": args{"n": 1}})
		b.awaitWebhooks(
			`{"name":"channel_occupied","channel":"presence-room"}`,
			`{"name":"member_added","channel":"presence-room","user_id":"alice"}`,
			`{"name":"member_added","channel":"presence-room","user_id":"bob"}`,
			`{"name":"cache_miss","channel":"cache-empty"}`,
			`{"name":"client_event","channel":"presence-room","event":"client-hello","data":"{\"n\":1}","socket_id":"`+id+`","user_id":"alice"}`,
		)
		bob.do("disconnect", nil)
		b.awaitWebhooks(`{"name":"member_removed","channel":"presence-room","user_id":"bob"}`)
		alice.do("unsubscribe", args{"channel": "presence-room"})
		b.awaitWebhooks(`{"name":"channel_vacated","channel":"presence-room"}`, `"forged":0`)

		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/webhook",
			bytes.NewReader([]byte(`{"time_ms":1,"events":[{"name":"channel_occupied","channel":"forged"}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Pusher-Key", app.Key)
		req.Header.Set("X-Pusher-Signature", strings.Repeat("0", 64))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		b.awaitWebhooks(`"forged":1`)
	})
}
