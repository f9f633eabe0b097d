package pusher

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever shows no signature in time goes; any signature will do.
func TestAuthorizeWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.AuthorizeWithin = 30 * time.Second })
		start := time.Now()
		idle, public, private, presence, user := b.watcher(t), b.watcher(t), b.watcher(t), b.watcher(t), b.watcher(t)
		public.subscribe("x")
		private.ask("private-x", testApp.Key+":"+testApp.sign(private.id+":private-x"), "")
		private.want(eventSubscribed)
		presence.enter("presence-x", "a")
		user.signIn(User{ID: "7"})
		for _, c := range []*client{idle, public} {
			c.wantError(CodeUnauthorized, "not authorized within timeout")
			c.wantClose(CodeUnauthorized)
		}
		if d := time.Since(start); d < 30*time.Second || d > 32*time.Second {
			t.Errorf("closed after %v", d)
		}
		for _, c := range []*client{private, presence, user} {
			c.alive()
		}
	})
}

func TestPublishRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.PublishRate = 150 })
		post := func() int {
			status, _ := b.call(signed("POST", "/apps/3/events", `{"name":"e","data":"d","channels":[`+strings.Repeat(`"c",`, 99)+`"c"]}`))
			return status
		}
		if got := []int{post(), post()}; !slices.Equal(got, []int{200, 429}) {
			t.Errorf("answered %v", got)
		}
		time.Sleep(time.Second)
		if got := post(); got != 200 {
			t.Errorf("a second later: %d", got)
		}
	})
}
