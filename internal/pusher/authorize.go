package pusher

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// masterKeyBytes is the length of App.EncryptionMasterKey.
const masterKeyBytes = 32

// Authorization is the answer of an application's auth endpoint to pusher-js, in
// JSON, after it has made sure that this watcher may. It is good for one socket.
type Authorization struct {
	Auth         string `json:"auth"`
	ChannelData  string `json:"channel_data,omitempty"`
	SharedSecret string `json:"shared_secret,omitempty"`
}

// Authentication is the answer of an application's user authentication endpoint
// to pusher-js, in JSON, for one socket.
type Authentication struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"`
}

// User is whom a connection may sign in as.
type User struct {
	ID        string   // 1 to 128 letters, digits and _-=@,.;
	Info      []byte   // JSON, or nil; his user_info in presence channels
	Watchlist []string // ids of up to 100 users whose coming and going he is told
}

// None of the methods below signs anything but a socket id with what its name
// says: an endpoint that passes on what it was sent could otherwise be made to sign
// a text that means something else.

// AuthorizeChannel returns the auth value with which the socket may subscribe to
// the private channel. The error is ErrInvalidSocketID or ErrInvalidChannel, which
// it is for every other kind of channel.
func (a App) AuthorizeChannel(socketID, channel string) (string, error) {
	return a.authorize(socketID, channel, private, "")
}

// AuthorizeEncrypted returns what the socket needs to subscribe to the encrypted
// channel and to read it. Errors are as of AuthorizeChannel.
func (a App) AuthorizeEncrypted(socketID, channel string) (Authorization, error) {
	auth, err := a.authorize(socketID, channel, encrypted, "")
	if err != nil {
		return Authorization{}, err
	}
	if len(a.EncryptionMasterKey) != masterKeyBytes {
		return Authorization{}, errors.New("the app has no encryption master key")
	}
	key := sha256.Sum256(append([]byte(channel), a.EncryptionMasterKey...))
	return Authorization{Auth: auth, SharedSecret: base64.StdEncoding.EncodeToString(key[:])}, nil
}

// AuthorizePresence returns what the socket needs to subscribe to the presence
// channel as the member. The error is ErrInvalidSocketID, ErrInvalidChannel, or
// ErrInvalidUser.
func (a App) AuthorizePresence(socketID, channel string, m Member) (Authorization, error) {
	if m.User == "" || len(m.User) > maxUserID {
		return Authorization{}, fmt.Errorf("%w: it must have 1 to %d bytes", ErrInvalidUser, maxUserID)
	}
	data, err := json.Marshal(struct {
		ID   string          `json:"user_id"`
		Info json.RawMessage `json:"user_info,omitempty"`
	}{m.User, m.Info})
	if err != nil {
		return Authorization{}, fmt.Errorf("%w: its info is no JSON", ErrInvalidUser)
	}
	auth, err := a.authorize(socketID, channel, presence, ":"+string(data))
	if err != nil {
		return Authorization{}, err
	}
	return Authorization{Auth: auth, ChannelData: string(data)}, nil
}

// AuthenticateUser returns what the socket needs to sign in as the user. The error
// is ErrInvalidSocketID or ErrInvalidUser.
func (a App) AuthenticateUser(socketID string, u User) (Authentication, error) {
	if err := checkSocketID(socketID); err != nil {
		return Authentication{}, err
	}
	if err := checkUser(u.ID); err != nil {
		return Authentication{}, err
	}
	data, err := json.Marshal(userData{u.ID, u.Info, u.Watchlist})
	if err != nil {
		return Authentication{}, fmt.Errorf("%w: its info is no JSON", ErrInvalidUser)
	}
	return Authentication{Auth: a.Key + ":" + a.sign(userText(socketID, string(data))), UserData: string(data)}, nil
}

// authorize signs for a channel of that kind; data is what the text ends with.
func (a App) authorize(socketID, channel string, g guard, data string) (string, error) {
	if err := checkSocketID(socketID); err != nil {
		return "", err
	}
	if err := checkChannel(channel); err != nil {
		return "", err
	}
	if k := kindOf(channel); k.guard != g {
		return "", fmt.Errorf("%w: %s channels take no such signature", ErrInvalidChannel, k)
	}
	return a.Key + ":" + a.sign(socketID+":"+channel+data), nil
}

// signedChannel says whether auth is the app's for this socket and channel.
func (a App) signedChannel(auth, socketID, channel string) bool {
	return equal(auth, a.Key+":"+a.sign(socketID+":"+channel))
}

func (a App) signedPresence(auth, socketID, channel, channelData string) bool {
	return equal(auth, a.Key+":"+a.sign(socketID+":"+channel+":"+channelData))
}

func (a App) signedUser(auth, socketID, userData string) bool {
	return equal(auth, a.Key+":"+a.sign(userText(socketID, userData)))
}

func userText(socketID, userData string) string { return socketID + "::user::" + userData }
