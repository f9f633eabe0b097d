package pusher

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Code is a WebSocket close code. What pusher-js does is decided by it: 4000
// switches to TLS, 4001-4099 never connects again, 4100-4199 connects after a
// second, 4200-4299 at once (pusher-js 8.6, protocol.ts).
type Code uint16

// The codes this server closes with (Pusher docs, and RFC 6455 below 4000).
const (
	CodeNormal       Code = 1000
	CodeProtocol     Code = 1002 // broken framing
	CodeBinary       Code = 1003 // a binary message
	CodeNoStatus     Code = 1005 // the client's close frame had no code; never sent
	CodeAbnormal     Code = 1006 // the socket broke; never sent
	CodeNotUTF8      Code = 1007
	CodeTooBig       Code = 1009 // over Options.MaxMessageBytes
	CodeTLSOnly      Code = 4000
	CodeUnknownApp   Code = 4001
	CodeDisabled     Code = 4003
	CodeOverQuota    Code = 4004
	CodeUnknownPath  Code = 4005
	CodeVersion      Code = 4006
	CodeUnsupported  Code = 4007
	CodeNoProtocol   Code = 4008
	CodeUnauthorized Code = 4009
	CodeOverCapacity Code = 4100
	CodeReconnect    Code = 4200
	CodePongMissing  Code = 4201

	// These close nothing.
	codeClientEvent Code = 4301 // a client event was rejected
	codeWatchlist   Code = 4302 // a watchlist was cut short
)

// Events of the protocol.
const (
	eventEstablished   = "pusher:connection_established"
	eventError         = "pusher:error"
	eventPing          = "pusher:ping"
	eventPong          = "pusher:pong"
	eventSignin        = "pusher:signin"
	eventSubscribe     = "pusher:subscribe"
	eventUnsubscribe   = "pusher:unsubscribe"
	eventSubscribeFail = "pusher:subscription_error"
	eventSubscribed    = "pusher_internal:subscription_succeeded"
	eventCount         = "pusher_internal:subscription_count"
	eventCacheMiss     = "pusher:cache_miss"
	eventMemberAdded   = "pusher_internal:member_added"
	eventMemberRemoved = "pusher_internal:member_removed"
	eventSignedIn      = "pusher:signin_success"
	eventWatchlist     = "pusher_internal:watchlist_events"

	// eventTerminate goes from node to node only: it ends all connections that sit in
	// the channel.
	eventTerminate = "pusher_internal:terminate"
)

// Frames that are the same for everyone.
var (
	pingFrame = textFrame(`{"event":"` + eventPing + `","data":{}}`)
	pongFrame = textFrame(`{"event":"` + eventPong + `","data":{}}`)
)

// headRoom is kept free in front of a payload, so that the header, whose length
// depends on the payload's, can be put there without copying.
const headRoom = 10

func newFrame(size int) []byte {
	return make([]byte, headRoom, headRoom+size)
}

// finish puts the header of an unmasked, unfragmented text frame before the
// payload that was appended to a newFrame.
func finish(b []byte) []byte {
	const finText = 0x80 | byte(ws.OpText)
	switch n := len(b) - headRoom; {
	case n < 126:
		b = b[headRoom-2:]
		b[1] = byte(n)
	case n <= 0xffff:
		b = b[headRoom-4:]
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(n))
	default:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
	}
	b[0] = finText
	return b
}

func textFrame(payload string) []byte {
	return finish(append(newFrame(len(payload)), payload...))
}

// eventFrame is an event on a channel, or on none; data goes out as a JSON string,
// whatever it holds.
func eventFrame(channel, event string, data []byte) []byte {
	return userEventFrame(channel, event, data, "")
}

// userEventFrame says which user the event comes from, if any.
func userEventFrame(channel, event string, data []byte, user string) []byte {
	// A quarter on top: JSON inside a JSON string escapes each of its quotes.
	b := newFrame(len(`{"event":"","channel":"","data":"","user_id":""}`) + len(channel) + len(event) + len(data) + len(data)/4 + len(user))
	b = append(b, `{"event":`...)
	b = appendQuoted(b, event)
	if channel != "" {
		b = append(b, `,"channel":`...)
		b = appendQuoted(b, channel)
	}
	b = append(b, `,"data":`...)
	b = appendQuoted(b, data)
	if user != "" {
		b = append(b, `,"user_id":`...)
		b = appendQuoted(b, user)
	}
	return finish(append(b, '}'))
}

// messageFrame is the message as watchers get it. What the server says of a member
// has his id in its data, and what it says of a watched user is on no channel.
func messageFrame(m Message) []byte {
	channel, user := m.Channel, m.User
	if reserved(m.Event) {
		user = ""
	}
	if m.Event == eventWatchlist {
		channel = ""
	}
	return userEventFrame(channel, m.Event, m.Data, user)
}

func cacheMissFrame(channel string) []byte {
	b := newFrame(64 + len(channel))
	b = append(b, `{"event":"`+eventCacheMiss+`","channel":`...)
	return finish(append(appendQuoted(b, channel), '}'))
}

func establishedFrame(socketID string, activityTimeout time.Duration) []byte {
	// Rounded up, because pusher-js takes 0 for a missing value.
	seconds := int64((activityTimeout + time.Second - 1) / time.Second)
	return textFrame(`{"event":"` + eventEstablished + `","data":"{\"socket_id\":\"` + socketID +
		`\",\"activity_timeout\":` + strconv.FormatInt(seconds, 10) + `}"}`)
}

func subscribedFrame(channel string) []byte {
	return eventFrame(channel, eventSubscribed, []byte("{}"))
}

// errorFrame is a pusher:error; code 0 is sent as null, for errors that end nothing.
func errorFrame(code Code, message string) []byte {
	b := newFrame(64 + len(message))
	b = append(b, `{"event":"`+eventError+`","data":{"code":`...)
	if code == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendUint(b, uint64(code), 10)
	}
	b = append(b, `,"message":`...)
	b = appendQuoted(b, message)
	return finish(append(b, "}}"...))
}

// subscriptionErrorFrame tells one channel of pusher-js why it was refused; its
// data is an object, as Soketi sends it and laravel-echo expects it.
func subscriptionErrorFrame(channel string, why subscriptionError) []byte {
	b := newFrame(96 + len(channel) + len(why.message))
	b = append(b, `{"event":"`+eventSubscribeFail+`","channel":`...)
	b = appendQuoted(b, channel)
	b = append(b, `,"data":{"type":`...)
	b = appendQuoted(b, why.kind)
	b = append(b, `,"error":`...)
	b = appendQuoted(b, why.message)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(why.status), 10)
	return finish(append(b, "}}"...))
}

func closeFrame(code Code, reason string) []byte {
	if code == CodeNoStatus {
		return ws.MustCompileFrame(ws.NewCloseFrame(nil))
	}
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), reason)))
}

// appendQuoted appends s as a JSON string. A text frame must be UTF-8 (a browser
// closes the connection otherwise), so a broken sequence becomes U+FFFD.
func appendQuoted[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[done:i]...)
				dst = append(dst, `\ufffd`...)
				done = i + n
			}
			i += n
			continue
		}
		dst = append(dst, s[done:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
		i++
		done = i
	}
	return append(append(dst, s[done:]...), '"')
}
