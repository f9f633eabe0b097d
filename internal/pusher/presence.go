package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// membership is what a seat in a presence channel says of its watcher.
type membership struct {
	Member
	// counted is a seat in a channel of the member's own, so that the census knows
	// when he came and is gone for good; nil when no webhook tells of it.
	counted *seat
}

// identify reads who a watcher is from his channel_data. A user id may be a number,
// and is the same as the text of it.
func identify(channelData string) (Member, error) {
	var d struct {
		UserID json.RawMessage `json:"user_id"`
		Info   json.RawMessage `json:"user_info"`
	}
	if err := json.Unmarshal([]byte(channelData), &d); err != nil {
		return Member{}, errors.New("channel_data is not a JSON object")
	}
	m := Member{Info: infoKept(d.Info)}
	if err := json.Unmarshal(d.UserID, &m.User); err != nil {
		var n json.Number
		if err := json.Unmarshal(d.UserID, &n); err != nil {
			return m, errors.New("channel_data has no user_id that is a string or a number")
		}
		m.User = n.String()
	}
	if m.User == "" {
		return m, errors.New("channel_data has an empty user_id")
	}
	return m, nil
}

// infoKept is info as it is kept: a copy, because the message it came in is not
// kept, and nil for none.
func infoKept(info json.RawMessage) []byte {
	if len(info) == 0 || string(info) == "null" {
		return nil
	}
	return slices.Clone(info)
}

// membership says as whom the watcher may come, or why not. Without channel_data
// he comes as the user that he has signed in as.
func (c *conn) membership(sub subscription) (*membership, *subscriptionError) {
	o := &c.server.opts
	var m Member
	switch {
	case sub.ChannelData != "":
		if !o.App.signedPresence(sub.Auth, c.id, sub.Channel, sub.ChannelData) {
			return nil, unauthorizedFor(kindOf(sub.Channel))
		}
		var err error
		if m, err = identify(sub.ChannelData); err != nil {
			return nil, &subscriptionError{"InvalidData", err.Error(), http.StatusBadRequest}
		}
	case c.identity != nil && o.App.signedChannel(sub.Auth, c.id, sub.Channel):
		m = Member{User: c.identity.id, Info: c.identity.info}
	default:
		return nil, unauthorizedFor(kindOf(sub.Channel))
	}
	if len(m.User) > maxUserID || len(m.Info) > o.MaxMemberBytes {
		return nil, &subscriptionError{"LimitReached", fmt.Sprintf("A user_id may have %d bytes, and a user_info %d", maxUserID, o.MaxMemberBytes), int(CodeOverCapacity)}
	}
	return &membership{Member: m}, nil
}

// enter makes the watcher a member, tells him who is there, and the others of him.
// On an error his seat is gone.
func (s *Server) enter(ctx context.Context, st *seat, channel string, last []byte) error {
	m := st.member
	members, first, err := s.opts.Cluster.Enter(ctx, channel, m.Member, s.opts.MaxMembers)
	if err != nil {
		s.hub.leave(st)
		if !errors.Is(err, ErrFull) {
			s.keeper.doubt(place{channel, m.User}) // he may be in all the same
		}
		return err
	}
	s.keeper.entered(place{channel, m.User})
	if s.webhooks != nil {
		m.counted = &seat{conn: st.conn}
		s.hub.join(m.counted, memberPrefix+channel+"#"+m.User, nil)
	}
	// Told first: who comes after he has heard of his success is not told of him as
	// well as shown him.
	if first {
		added := memberMessage(eventMemberAdded, channel, m.Member)
		added.Except = st.conn.id
		s.tell(added)
	}
	s.hub.welcome(st, presenceFrame(channel, members), last)
	return nil
}

// leave frees a seat, and takes its member out.
func (s *Server) leave(st *seat) {
	if st.member == nil {
		s.hub.leave(st)
		return
	}
	s.keeper.anew.RLock()
	defer s.keeper.anew.RUnlock()
	s.hub.leave(st)
	if st.member.counted != nil {
		s.hub.leave(st.member.counted)
	}
	// With the server all of its members leave the cluster at once.
	if !s.stopping() {
		s.exit(st.channel.name, st.member.User)
	}
}

// exit takes one connection of the user out of the channel, and tells the others
// if it was his last. Where the cluster did not answer the keeper counts anew.
func (s *Server) exit(channel, user string) {
	ctx, cancel := s.bounded()
	defer cancel()
	last, err := s.opts.Cluster.Exit(ctx, channel, user)
	if err != nil {
		s.keeper.doubt(place{channel, user})
		return
	}
	if last {
		s.gone(channel, []Member{{User: user}})
	}
}

// gone tells the others that members are gone. One may have come back on another
// node since the census let him go, and his coming have been told before his going
// is: so the census is asked again after each telling, until it agrees with what
// was told last. Whoever tells after a later step of the census is right, or does
// the same.
func (s *Server) gone(channel string, members []Member) {
	told := make([]Message, len(members))
	for i, m := range members {
		told[i] = memberMessage(eventMemberRemoved, channel, m)
	}
	for again := told; len(again) > 0; {
		s.tell(again...)
		again = again[:0:0]
		ctx, cancel := s.telling()
		there, err := s.opts.Cluster.Members(ctx, channel)
		cancel()
		if err != nil {
			return
		}
		for i, m := range told {
			at := slices.IndexFunc(there, func(t Member) bool { return t.User == m.User })
			if (at >= 0) == (m.Event == eventMemberAdded) {
				continue
			}
			if at >= 0 {
				told[i] = memberMessage(eventMemberAdded, channel, there[at])
			} else {
				told[i] = memberMessage(eventMemberRemoved, channel, Member{User: m.User})
			}
			again = append(again, told[i])
		}
	}
}

// memberMessage says that a member came or went.
func memberMessage(event, channel string, m Member) Message {
	data := append([]byte(`{"user_id":`), quoted(m.User)...)
	if event == eventMemberAdded {
		data = append(append(data, `,"user_info":`...), infoOf(m)...)
	}
	return Message{Channel: channel, Event: event, Data: append(data, '}'), User: m.User}
}

// presenceFrame tells a watcher that he is in, and who else.
func presenceFrame(channel string, members []Member) []byte {
	data := append([]byte(`{"presence":{"count":`), strconv.Itoa(len(members))...)
	data = append(data, `,"ids":[`...)
	for i, m := range members {
		if i > 0 {
			data = append(data, ',')
		}
		data = appendQuoted(data, m.User)
	}
	data = append(data, `],"hash":{`...)
	for i, m := range members {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(append(appendQuoted(data, m.User), ':'), infoOf(m)...)
	}
	return eventFrame(channel, eventSubscribed, append(data, "}}}"...))
}

// infoOf is the member's info as JSON. One without gets an empty object, because
// pages read fields of it.
func infoOf(m Member) []byte {
	if m.Info == nil {
		return []byte("{}")
	}
	return m.Info
}

func quoted(s string) []byte { return appendQuoted(make([]byte, 0, len(s)+2), s) }
