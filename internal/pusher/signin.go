package pusher

import (
	"encoding/json"
	"fmt"
)

// maxWatchlist is how many users one connection may watch (Pusher docs).
const maxWatchlist = 100

// identity is the user that a connection has signed in as.
type identity struct {
	id       string
	info     []byte  // JSON, or nil
	seat     *seat   // among all that are signed in as him; muted until he subscribes
	watching []*seat // one for each user of his watchlist
}

// userData is what an application says of a user, and signs.
type userData struct {
	ID        string          `json:"id"`
	Info      json.RawMessage `json:"user_info,omitempty"`
	Watchlist []string        `json:"watchlist,omitempty"`
}

// signIn makes the connection that of a user. Whoever shows a signature that is
// none, or for no user, is closed; it is no mistake that a client can mend.
func (c *conn) signIn(data json.RawMessage) {
	var in struct {
		Auth     string `json:"auth"`
		UserData string `json:"user_data"`
	}
	if err := decode(data, &in); err != nil || in.UserData == "" {
		c.dismiss("Invalid sign-in: data must be an object with auth and user_data")
		return
	}
	if !c.server.opts.App.signedUser(in.Auth, c.id, in.UserData) {
		c.dismiss("Invalid signature for this user_data")
		return
	}
	var u userData
	if err := json.Unmarshal([]byte(in.UserData), &u); err != nil {
		c.dismiss("Invalid sign-in: user_data must be a JSON object with an id")
		return
	}
	if err := checkUser(u.ID); err != nil {
		c.dismiss(err.Error())
		return
	}
	if c.identity != nil {
		if c.identity.id != u.ID {
			c.complain(0, "The connection is signed in as another user")
			return
		}
		c.push(signedInFrame(in.UserData))
		return
	}
	s := &seat{conn: c, muted: true}
	if err := c.server.sit(s, userPrefix+u.ID, nil); err != nil {
		c.complain(0, "Sign-in is not possible at the moment")
		c.owe()
		return
	}
	c.identity = &identity{id: u.ID, info: infoKept(u.Info), seat: s}
	c.authorized.Store(true)
	c.push(signedInFrame(in.UserData))
	c.watch(u.Watchlist)
}

// dismiss closes the connection for good.
func (c *conn) dismiss(message string) { c.refuse(CodeUnauthorized, message) }

// terminate dismisses all that sit in the channel, which is that of a user.
func (ch *channel) terminate() {
	for _, s := range ch.seats {
		s.conn.dismiss("The user's connections were terminated")
	}
}

func signedInFrame(userData string) []byte {
	data := append([]byte(`{"user_data":`), quoted(userData)...)
	return eventFrame("", eventSignedIn, append(data, '}'))
}

// watch tells the connection which of the users are online, and from then on when
// one comes or goes.
func (c *conn) watch(users []string) {
	if len(users) > maxWatchlist {
		c.complain(codeWatchlist, fmt.Sprintf("A watchlist may have %d users; the rest is not watched", maxWatchlist))
		users = users[:maxWatchlist]
	}
	var watched, channels []string
	seen := make(map[string]struct{}, len(users))
	for _, id := range users {
		if _, twice := seen[id]; twice || checkUser(id) != nil {
			continue
		}
		seen[id] = struct{}{}
		s := &seat{conn: c, pending: new(pending)}
		if err := c.server.sit(s, watchPrefix+id, nil); err != nil {
			c.unwatch()
			return
		}
		c.identity.watching = append(c.identity.watching, s)
		watched, channels = append(watched, id), append(channels, userPrefix+id)
	}
	if len(watched) == 0 {
		return
	}
	ctx, cancel := c.server.bounded()
	defer cancel()
	counts, err := c.server.counts(ctx, channels)
	if err != nil {
		c.unwatch()
		return
	}
	var online []string
	for i, id := range watched {
		// What came meanwhile is newer, and says the same or more.
		if counts[i] > 0 && !c.server.hub.waits(c.identity.watching[i]) {
			online = append(online, id)
		}
	}
	if len(online) > 0 {
		c.push(messageFrame(watchlistMessage("", "online", online...)))
	}
	for _, s := range c.identity.watching {
		c.server.hub.welcome(s, nil, nil)
	}
}

// unwatch is for when the cluster could not be asked.
func (c *conn) unwatch() {
	c.complain(0, "The watchlist cannot be watched at the moment")
	c.owe()
	for _, s := range c.identity.watching {
		c.server.hub.leave(s)
	}
	c.identity.watching = nil
}

// watchlistMessage tells those who watch the user that he, or all of the users,
// came online or went offline.
func watchlistMessage(user, what string, users ...string) Message {
	if len(users) == 0 {
		users = []string{user}
	}
	type event struct {
		Name  string   `json:"name"`
		Users []string `json:"user_ids"`
	}
	data, _ := json.Marshal(struct { // cannot fail
		Events []event `json:"events"`
	}{[]event{{what, users}}})
	return Message{Channel: watchPrefix + user, Event: eventWatchlist, Data: data}
}
