package pusher

import (
	"fmt"
	"strings"
)

// Longest names. Pusher documents 164 for channels, but its SDKs check for 200; 128
// is its limit for user ids.
const (
	maxChannelName = 200
	maxEventName   = 200
	maxUserID      = 128
)

// Names that no client may use but for the first, which is his own when he has
// signed in. What the nodes of a cluster have to tell each other about users they
// tell in channels too, so that it takes the same ways.
const (
	userPrefix   = "#server-to-user-" // everyone signed in as that user sits there
	watchPrefix  = "#watchlist-"      // everyone who watches whether that user is online
	memberPrefix = "#member-"         // and channel#user: each of a member's seats; nothing is published there
)

// internal says that a channel is not one of the clients' own.
func internal(channel string) bool { return channel[0] == '#' }

// carried says that messages may come in the channel, so that it is followed.
func carried(channel string) bool { return !strings.HasPrefix(channel, memberPrefix) }

// counted says that it matters who sits in the channel.
func counted(channel string) bool { return !strings.HasPrefix(channel, watchPrefix) }

// guard is what a watcher must show to subscribe.
type guard uint8

const (
	open      guard = iota // nothing
	private                // a signature
	encrypted              // a signature; and the data is sealed end to end
	presence               // a signature over who he is
	user                   // having signed in as that user
)

// kind is what a channel's name makes of it.
type kind struct {
	guard guard
	cache bool // the last event is kept and sent to new subscribers
}

// kindOf reads the kind off the beginning of the name, longest prefix first.
// Only the beginning counts: "my-cache-x" is an ordinary public channel.
func kindOf(channel string) kind {
	rest, k := channel, kind{}
	for _, p := range [...]struct {
		prefix string
		guard  guard
	}{
		{userPrefix, user},
		{"private-encrypted-", encrypted},
		{"private-", private},
		{"presence-", presence},
	} {
		if after, ok := strings.CutPrefix(channel, p.prefix); ok {
			rest, k.guard = after, p.guard
			break
		}
	}
	k.cache = k.guard != user && strings.HasPrefix(rest, "cache-")
	return k
}

func (k kind) String() string {
	s := [...]string{open: "public", private: "private", encrypted: "encrypted", presence: "presence", user: "server-to-user"}[k.guard]
	if k.cache {
		s += " cache"
	}
	return s
}

// checkChannel says whether name is a channel's name (Pusher docs: letters,
// digits and _-=@,.; and, for the messages to one user, a leading #).
func checkChannel(name string) error {
	rest := strings.TrimPrefix(name, userPrefix)
	if rest == "" || len(name) > maxChannelName {
		return fmt.Errorf("%w: it must have 1 to %d characters", ErrInvalidChannel, maxChannelName)
	}
	if !plain(rest) {
		return fmt.Errorf("%w: only letters, digits and _-=@,.; are allowed", ErrInvalidChannel)
	}
	return nil
}

func plain(name string) bool {
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte("_-=@,.;", b) >= 0:
		default:
			return false
		}
	}
	return true
}

// checkUser says whether id can be signed in: its channel must be a channel.
func checkUser(id string) error {
	if id == "" || len(id) > maxUserID || !plain(id) {
		return fmt.Errorf("%w: it must have 1 to %d letters, digits and _-=@,.;", ErrInvalidUser, maxUserID)
	}
	return nil
}

// checkEvent says whether a publisher may use name; the protocol's own prefixes
// are not for publishers.
func checkEvent(name string) error {
	switch {
	case name == "" || len(name) > maxEventName:
		return fmt.Errorf("%w: it must have 1 to %d characters", ErrInvalidEvent, maxEventName)
	case reserved(name):
		return fmt.Errorf("%w: pusher: and pusher_internal: are reserved", ErrInvalidEvent)
	}
	return nil
}

func reserved(event string) bool {
	return strings.HasPrefix(event, "pusher:") || strings.HasPrefix(event, "pusher_internal:")
}

// published says that the event is a publisher's, and neither the server's own nor
// a client's.
func published(event string) bool {
	return !reserved(event) && !strings.HasPrefix(event, clientPrefix)
}

// clientPrefix begins the names of the events that clients send.
const clientPrefix = "client-"

// checkSocketID says whether id looks like one of ours: two numbers and a dot.
// What is not must not be signed either, or "1.1:presence-x" would get a
// signature that means something else.
func checkSocketID(id string) error {
	left, right, ok := strings.Cut(id, ".")
	if !ok || !digits(left) || !digits(right) || len(id) > 64 {
		return fmt.Errorf("%w: it must be two numbers with a dot between", ErrInvalidSocketID)
	}
	return nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
