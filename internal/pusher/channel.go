package pusher

import (
	"fmt"
	"strings"
)

// Longest names. Pusher documents 164 for channels, but its SDKs check for 200.
const (
	maxChannelName = 200
	maxEventName   = 200
)

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
		{"#server-to-user-", user},
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

// served says whether this server can do what the kind promises.
func (k kind) served() bool {
	return (k.guard == open || k.guard == private) && !k.cache
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
	rest := strings.TrimPrefix(name, "#server-to-user-")
	if rest == "" || len(name) > maxChannelName {
		return fmt.Errorf("%w: it must have 1 to %d characters", ErrInvalidChannel, maxChannelName)
	}
	for i := range len(rest) {
		switch b := rest[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte("_-=@,.;", b) >= 0:
		default:
			return fmt.Errorf("%w: only letters, digits and _-=@,.; are allowed", ErrInvalidChannel)
		}
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
