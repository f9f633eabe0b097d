package pusher

import (
	"context"
	"strings"
	"time"
)

// channelInfo is what a publisher may ask to know about a channel, in the whole
// cluster.
type channelInfo struct {
	UserCount         *int `json:"user_count,omitempty"`
	SubscriptionCount *int `json:"subscription_count,omitempty"`
}

// counts returns how many connections of the cluster sit in each channel. What
// happened on this node before is counted.
func (s *Server) counts(ctx context.Context, channels []string) ([]int, error) {
	if err := s.keeper.flush(ctx); err != nil {
		return nil, err
	}
	return s.opts.Cluster.Counts(ctx, channels)
}

// infos returns what is asked about each of the channels.
func (s *Server) infos(ctx context.Context, channels, asked []string) ([]channelInfo, error) {
	infos := make([]channelInfo, len(channels))
	var counted []string
	var at []int
	for i, channel := range channels {
		if asks(asked[i], "user_count") && kindOf(channel).guard == presence {
			n, err := s.users(ctx, channel)
			if err != nil {
				return nil, err
			}
			infos[i].UserCount = &n
		}
		if asks(asked[i], "subscription_count") {
			counted, at = append(counted, channel), append(at, i)
		}
	}
	if len(counted) == 0 {
		return infos, nil
	}
	counts, err := s.counts(ctx, counted)
	if err != nil {
		return nil, away(err)
	}
	for j, i := range at {
		infos[i].SubscriptionCount = &counts[j]
	}
	return infos, nil
}

func (s *Server) users(ctx context.Context, channel string) (int, error) {
	members, err := s.opts.Cluster.Members(ctx, channel)
	if err != nil {
		return 0, away(err)
	}
	return len(members), nil
}

func asks(info, attribute string) bool {
	for a := range strings.SplitSeq(info, ",") {
		if strings.TrimSpace(a) == attribute {
			return true
		}
	}
	return false
}

// getChannels: GET /apps/{id}/channels?filter_by_prefix&info
func (s *Server) getChannels(c call) (any, error) {
	prefix, info := c.query.get("filter_by_prefix"), c.query.get("info")
	usersAsked, seatsAsked := asks(info, "user_count"), asks(info, "subscription_count")
	if usersAsked && kindOf(prefix).guard != presence {
		return nil, badRequest("user_count is for presence channels: filter_by_prefix must begin with presence-")
	}
	ctx := c.Context()
	if err := s.keeper.flush(ctx); err != nil {
		return nil, away(err)
	}
	occupied, err := s.opts.Cluster.Channels(ctx, prefix)
	if err != nil {
		return nil, away(err)
	}
	infos := make(map[string]channelInfo, len(occupied))
	for name, seats := range occupied {
		if internal(name) {
			continue
		}
		var i channelInfo
		if seatsAsked {
			i.SubscriptionCount = &seats
		}
		if usersAsked {
			n, err := s.users(ctx, name)
			if err != nil {
				return nil, err
			}
			i.UserCount = &n
		}
		infos[name] = i
	}
	return map[string]any{"channels": infos}, nil
}

// lastEvent is a cache channel's, and for how many seconds it is still kept.
type lastEvent struct {
	Data string `json:"data"`
	TTL  int    `json:"ttl"`
}

// getChannel: GET /apps/{id}/channels/{channel}?info
func (s *Server) getChannel(c call) (any, error) {
	name, info := c.PathValue("channel"), c.query.get("info")
	if err := checkChannel(name); err != nil {
		return nil, badRequest(err.Error())
	}
	k := kindOf(name)
	switch {
	case asks(info, "user_count") && k.guard != presence:
		return nil, badRequest("user_count is for presence channels")
	case asks(info, "cache") && !k.cache:
		return nil, badRequest("cache is for cache channels")
	}
	ctx := c.Context()
	infos, err := s.infos(ctx, []string{name}, []string{info + ",subscription_count"})
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"occupied": *infos[0].SubscriptionCount > 0}
	if asks(info, "subscription_count") {
		answer["subscription_count"] = infos[0].SubscriptionCount
	}
	if asks(info, "user_count") {
		answer["user_count"] = infos[0].UserCount
	}
	if asks(info, "cache") {
		m, ttl, ok, err := s.opts.Cluster.Recall(ctx, name)
		if err != nil {
			return nil, away(err)
		}
		answer["cache"] = nil
		if ok {
			answer["cache"] = lastEvent{string(m.Data), int((ttl + time.Second - 1) / time.Second)}
		}
	}
	return answer, nil
}

// getUsers: GET /apps/{id}/channels/{channel}/users
func (s *Server) getUsers(c call) (any, error) {
	name := c.PathValue("channel")
	if err := checkChannel(name); err != nil {
		return nil, badRequest(err.Error())
	}
	if kindOf(name).guard != presence {
		return nil, badRequest("only presence channels have users")
	}
	members, err := s.opts.Cluster.Members(c.Context(), name)
	if err != nil {
		return nil, away(err)
	}
	type user struct {
		ID string `json:"id"`
	}
	users := make([]user, len(members))
	for i, m := range members {
		users[i].ID = m.User
	}
	return map[string]any{"users": users}, nil
}
