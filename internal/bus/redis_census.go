package bus

import (
	"context"
	"embed"
	"errors"
	"strconv"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/webazaar/waybill/internal/pusher"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script is one of the files, behind the prelude that all have in common.
func script(name string) *redis.Script {
	text := ""
	for _, file := range []string{"prelude", name} {
		b, err := luaFiles.ReadFile("lua/" + file + ".lua")
		if err != nil {
			panic(err) // it is embedded
		}
		text += string(b)
	}
	return redis.NewScript(1, text)
}

var (
	joinScript, renewScript, touchScript    = script("join"), script("renew"), script("touch")
	leaveScript, reapScript                 = script("leave"), script("reap")
	seatsScript, settleScript, countsScript = script("seats"), script("settle"), script("counts")
	channelsScript, enterScript, exitScript = script("channels"), script("enter"), script("exit")
	membersScript                           = script("members")
	rememberScript, recallScript            = script("remember"), script("recall")
)

// keysKept is how long keys outlive the last renewal: longer than any outage from
// which the nodes come back as they were, and not for ever.
func (r *Redis) keysKept() time.Duration { return max(time.Hour, 100*r.lease) }

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// run runs a script; what it answers is errForgotten if the node has no lease.
func (r *Redis) run(ctx context.Context, s *redis.Script, args ...string) (any, error) {
	c, err := r.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	keysAndArgs := make([]any, 0, 1+len(args))
	keysAndArgs = append(keysAndArgs, r.base)
	for _, arg := range args {
		keysAndArgs = append(keysAndArgs, arg)
	}
	answer, err := s.DoContext(ctx, c, keysAndArgs...)
	if err == nil && answer == nil {
		err = errForgotten
	}
	return answer, err
}

func (r *Redis) join(ctx context.Context, id string) error {
	_, err := r.run(ctx, joinScript, id, millis(r.lease), millis(r.keysKept()))
	return err
}

func (r *Redis) renew(ctx context.Context, id string) error {
	if _, err := r.run(ctx, renewScript, id, millis(r.lease), millis(r.keysKept())); err != nil {
		return err
	}
	if time.Since(r.touched) < r.keysKept()/4 {
		return nil
	}
	for cursor := "0"; ; {
		var err error
		if cursor, err = redis.String(r.run(ctx, touchScript, id, millis(r.keysKept()), cursor)); err != nil {
			return err
		}
		if cursor == "0" {
			r.touched = time.Now()
			return nil
		}
	}
}

func (r *Redis) leave(ctx context.Context, id string) error {
	if _, err := r.run(ctx, leaveScript, id); err != nil {
		return err
	}
	return r.send(ctx, 0, []pusher.Message{{Channel: control}})
}

func (r *Redis) reap(ctx context.Context, id string, late bool) (*pusher.Departure, error) {
	flag := "0"
	if late {
		flag = "1"
	}
	answer, err := r.run(ctx, reapScript, id, millis(r.keysKept()), flag)
	if errors.Is(err, errForgotten) {
		return nil, nil // nobody
	}
	emptied, gone, err := pair(answer, err)
	if err != nil {
		return nil, err
	}
	d := pusher.Departure{Emptied: emptied, Members: make(map[string][]pusher.Member)}
	for ; len(gone) >= 3; gone = gone[3:] {
		d.Members[gone[0]] = append(d.Members[gone[0]], member(gone[1], gone[2]))
	}
	return &d, nil
}

// pair takes apart an answer of two lists.
func pair(answer any, err error) (first, second []string, _ error) {
	lists, err := redis.Values(answer, err)
	if err != nil {
		return nil, nil, err
	}
	if len(lists) != 2 {
		return nil, nil, errAnswer
	}
	if first, err = redis.Strings(lists[0], nil); err != nil {
		return nil, nil, err
	}
	second, err = redis.Strings(lists[1], nil)
	return first, second, err
}

var errAnswer = errors.New("redis answered something else than was asked")

func member(user, info string) pusher.Member {
	m := pusher.Member{User: user}
	if info != "" {
		m.Info = []byte(info)
	}
	return m
}

func membersOf(turns []string) []pusher.Member {
	all := make([]pusher.Member, 0, len(turns)/2)
	for ; len(turns) >= 2; turns = turns[2:] {
		all = append(all, member(turns[0], turns[1]))
	}
	return sorted(all)
}

// Seats is as pusher.Census says.
func (r *Redis) Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	err = r.as(ctx, "seats", func(ctx context.Context, id string) error {
		args := make([]string, 0, 2+2*len(seats))
		args = append(args, id, millis(r.keysKept()))
		for channel, n := range seats {
			args = append(args, channel, strconv.Itoa(n))
		}
		occupied, emptied, err = pair(r.run(ctx, seatsScript, args...))
		return err
	})
	return occupied, emptied, err
}

// Settle is as pusher.Census says.
func (r *Redis) Settle(ctx context.Context, channels []string) (vacated []string, err error) {
	err = r.as(ctx, "settle", func(ctx context.Context, id string) error {
		vacated, err = redis.Strings(r.run(ctx, settleScript, append([]string{id}, channels...)...))
		return err
	})
	return vacated, err
}

// Counts is as pusher.Census says.
func (r *Redis) Counts(ctx context.Context, channels []string) (counts []int, err error) {
	err = r.as(ctx, "counts", func(ctx context.Context, id string) error {
		counts, err = redis.Ints(r.run(ctx, countsScript, append([]string{id}, channels...)...))
		return err
	})
	return counts, err
}

// Channels is as pusher.Census says.
func (r *Redis) Channels(ctx context.Context, prefix string) (all map[string]int, err error) {
	err = r.as(ctx, "channels", func(ctx context.Context, id string) error {
		turns, err := redis.Strings(r.run(ctx, channelsScript, id, prefix))
		if err != nil {
			return err
		}
		all = make(map[string]int, len(turns)/2)
		for ; len(turns) >= 2; turns = turns[2:] {
			if all[turns[0]], err = strconv.Atoi(turns[1]); err != nil {
				return errAnswer
			}
		}
		return nil
	})
	return all, err
}

// Enter is as pusher.Census says.
func (r *Redis) Enter(ctx context.Context, channel string, m pusher.Member, limit int) (members []pusher.Member, first bool, err error) {
	err = r.as(ctx, "enter", func(ctx context.Context, id string) error {
		parts, err := redis.Values(r.run(ctx, enterScript, id, millis(r.keysKept()), channel, m.User, string(m.Info), strconv.Itoa(limit)))
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			return pusher.ErrFull
		}
		if len(parts) != 2 {
			return errAnswer
		}
		if first, err = redis.Bool(parts[0], nil); err != nil {
			return err
		}
		turns, err := redis.Strings(parts[1], nil)
		members = membersOf(turns)
		return err
	})
	return members, first, err
}

// Exit is as pusher.Census says.
func (r *Redis) Exit(ctx context.Context, channel, user string) (last bool, err error) {
	err = r.as(ctx, "exit", func(ctx context.Context, id string) error {
		last, err = redis.Bool(r.run(ctx, exitScript, id, channel, user))
		return err
	})
	return last, err
}

// Members is as pusher.Census says.
func (r *Redis) Members(ctx context.Context, channel string) (members []pusher.Member, err error) {
	err = r.as(ctx, "members", func(ctx context.Context, id string) error {
		turns, err := redis.Strings(r.run(ctx, membersScript, id, channel))
		members = membersOf(turns)
		return err
	})
	return members, err
}

// Remember is as pusher.Census says.
func (r *Redis) Remember(ctx context.Context, m pusher.Message, ttl time.Duration) error {
	ttl = max(ttl, time.Millisecond)
	return r.as(ctx, "remember", func(ctx context.Context, id string) error {
		_, err := r.run(ctx, rememberScript, id, m.Channel, string(encode(m)), millis(ttl))
		return err
	})
}

// Recall is as pusher.Census says.
func (r *Redis) Recall(ctx context.Context, channel string) (m pusher.Message, ttl time.Duration, ok bool, err error) {
	err = r.as(ctx, "recall", func(ctx context.Context, id string) error {
		parts, err := redis.Values(r.run(ctx, recallScript, id, channel))
		if err != nil || len(parts) == 0 {
			return err
		}
		if len(parts) != 2 {
			return errAnswer
		}
		kept, err := redis.Bytes(parts[0], nil)
		if err != nil {
			return err
		}
		left, err := redis.Int64(parts[1], nil)
		if err != nil {
			return err
		}
		if m, err = decode(kept); err != nil {
			return err
		}
		ttl, ok = time.Duration(left)*time.Millisecond, true
		return nil
	})
	return m, ttl, ok, err
}
