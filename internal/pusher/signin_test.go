package pusher

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.signIn(User{ID: "7"})
	c.signIn(User{ID: "7"}) // the same again
	other, err := testApp.AuthenticateUser(c.id, User{ID: "8"})
	if err != nil {
		t.Fatal(err)
	}
	c.say("pusher:signin", "", other)
	c.wantError(0, "signed in as another user")
	c.alive()
}

// What is no sign-in ends the connection for good.
func TestFalseSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, data := range map[string]func(id string) any{
		"nothing":      func(string) any { return nil },
		"no user data": func(string) any { return map[string]string{"auth": "x"} },
		"no signature": func(string) any { return map[string]string{"user_data": `{"id":"7"}`} },
		"other socket": func(string) any { return authenticate(t, "1.1", `{"id":"7"}`) },
		"no id":        func(id string) any { return authenticate(t, id, `{}`) },
		"number":       func(id string) any { return authenticate(t, id, `{"id":7}`) },
		"empty id":     func(id string) any { return authenticate(t, id, `{"id":""}`) },
		"id's letters": func(id string) any { return authenticate(t, id, `{"id":"a b"}`) },
		"long id":      func(id string) any { return authenticate(t, id, `{"id":"`+strings.Repeat("7", 129)+`"}`) },
		"not JSON":     func(id string) any { return authenticate(t, id, `{`) },
		"a channel's auth": func(id string) any {
			return map[string]string{"auth": testApp.Key + ":" + testApp.sign(id+":private-x"), "user_data": "private-x"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := b.connect(t)
			c.say("pusher:signin", "", data(c.id))
			c.wantError(CodeUnauthorized, "")
			c.wantClose(CodeUnauthorized)
		})
	}
}

// authenticate signs any user data, as an application with the secret could.
func authenticate(t *testing.T, socketID, userData string) Authentication {
	t.Helper()
	return Authentication{testApp.Key + ":" + testApp.sign(socketID+"::user::"+userData), userData}
}

func TestSignInWithoutTheCluster(t *testing.T) {
	t.Parallel()
	cluster := &fakeCluster{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	c := b.connect(t)
	cluster.fail(errors.New("away"), nil)
	a, err := testApp.AuthenticateUser(c.id, User{ID: "7"})
	if err != nil {
		t.Fatal(err)
	}
	c.say("pusher:signin", "", a)
	c.wantError(0, "not possible at the moment")
	cluster.fail(nil, nil)
	c.signIn(User{ID: "7"})
}

// Who could not sign in, or whose watchlist could not be watched, is sent away when
// that is possible again, like one who was refused a channel.
func TestWhoCouldNotSignInIsSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f := setupFollowing(t)
		refused, halfway, other := b.watcher(t), b.watcher(t), b.watcher(t)
		a, err := testApp.AuthenticateUser(refused.id, User{ID: "7"})
		if err != nil {
			t.Fatal(err)
		}
		other.signIn(User{ID: "8"}) // its channel is followed, so the next needs nobody
		f.set(0, errors.New("away"))
		refused.say("pusher:signin", "", a)
		refused.wantError(0, "not possible at the moment")
		halfway.signIn(User{ID: "8", Watchlist: []string{"9"}})
		halfway.wantError(0, "watchlist cannot be watched")
		time.Sleep(time.Minute)
		refused.alive()
		halfway.alive()
		f.set(0, nil)
		time.Sleep(2 * time.Second)
		refused.wantClose(CodeReconnect)
		halfway.wantClose(CodeReconnect)
		other.alive()
	})
}

// A terminated user stays away also where he reads so slowly that nothing more
// can wait for him.
func TestTerminateSlowUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.QueueMessages = 3 })
		c := b.watcher(t)
		c.signIn(User{ID: "7"})
		c.subscribe("x")
		synctest.Wait() // nothing waits for him
		for range 3 {
			b.publish(t, "x", "e", "1")
		}
		if err := b.TerminateUser(t.Context(), "7"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c.want("e")
		}
		c.wantError(CodeUnauthorized, "terminated")
		c.wantClose(CodeUnauthorized)
	})
}

// Messages to a user reach him on every node, where he has subscribed to them, and
// nobody else can.
func TestMessagesToUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		one, two, stranger := nodes[0].watcher(t), nodes[1].watcher(t), nodes[1].watcher(t)
		one.signIn(User{ID: "7"})
		two.signIn(User{ID: "7"})
		stranger.signIn(User{ID: "8"})
		stranger.ask("#server-to-user-7", "", "")
		stranger.wantRefusal("#server-to-user-7", "AuthError", 401)
		nodes[0].watcher(t).ask("#server-to-user-7", "", "")

		one.subscribe("#server-to-user-7")
		send := func() { nodes[1].publish(t, "#server-to-user-7", "hello", "1") }
		send()
		one.want("hello")
		two.alive() // has not subscribed
		two.subscribe("#server-to-user-7")
		send()
		one.want("hello")
		if f := two.want("hello"); f.Channel != "#server-to-user-7" {
			t.Errorf("on %s", f.Channel)
		}
		two.unsubscribe("#server-to-user-7")
		two.alive()
		send()
		one.want("hello")
		two.alive()
		stranger.alive()
	})
}

// All of a user's connections, subscribed to anything or not, on every node.
func TestTerminateUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		one, two, other := nodes[0].watcher(t), nodes[1].watcher(t), nodes[1].watcher(t)
		one.signIn(User{ID: "7"})
		two.signIn(User{ID: "7"})
		two.subscribe("#server-to-user-7")
		other.signIn(User{ID: "8"})
		if status, body := nodes[0].call(signed("POST", "/apps/3/users/7/terminate_connections", "{}")); status != 200 || body != "{}" {
			t.Errorf("%d %s", status, body)
		}
		for _, c := range []*client{one, two} {
			c.wantError(CodeUnauthorized, "terminated")
			c.wantClose(CodeUnauthorized)
		}
		other.alive()
	})
}

func TestWatchlist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		eight := nodes[1].watcher(t)
		eight.signIn(User{ID: "8"})
		time.Sleep(time.Second)

		c := nodes[0].watcher(t)
		c.signIn(User{ID: "7", Watchlist: []string{"8", "9", "8", "a b"}})
		online := func(what, users string) {
			t.Helper()
			f := c.want(eventWatchlist)
			if f.Channel != "" || f.text(t) != `{"events":[{"name":"`+what+`","user_ids":[`+users+`]}]}` {
				t.Errorf("on %q: %s", f.Channel, f.Data)
			}
		}
		online("online", `"8"`)
		nine := nodes[0].watcher(t)
		nine.signIn(User{ID: "9"})
		online("online", `"9"`)
		again := nodes[1].watcher(t)
		again.signIn(User{ID: "9"})
		nine.leave()
		time.Sleep(10 * time.Second)
		c.alive() // 9 is still there

		// A page loaded anew is no going and coming.
		eight.leave()
		time.Sleep(time.Second)
		eight = nodes[0].watcher(t)
		eight.signIn(User{ID: "8"})
		time.Sleep(10 * time.Second)
		c.alive()
		eight.leave()
		online("offline", `"8"`)
		nodes[1].crash()
		online("offline", `"9"`)
		c.alive()
	})
}

func TestWatchlistIsCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		var list []string
		for i := range 101 {
			list = append(list, fmt.Sprint("u", i))
		}
		c := b.watcher(t)
		c.signIn(User{ID: "7", Watchlist: list})
		c.wantError(codeWatchlist, "100 users")
		c.alive() // and watches by now
		b.watcher(t).signIn(User{ID: "u99"})
		c.want(eventWatchlist)
		b.watcher(t).signIn(User{ID: "u100"})
		time.Sleep(time.Second)
		c.alive()
	})
}
