package pusher

import (
	"context"
	"errors"
	"fmt"
)

// Why a publish was refused; the errors returned wrap one of them with the detail
// and are safe to show to the publisher.
var (
	ErrInvalidChannel  = errors.New("invalid channel name")
	ErrInvalidEvent    = errors.New("invalid event name")
	ErrInvalidSocketID = errors.New("invalid socket id")
	ErrInvalidUser     = errors.New("invalid user id")
	ErrTooLarge        = errors.New("the data content of this event exceeds the allowed maximum")
	ErrClosed          = errors.New("server is closed")
)

// ErrFull is Census.Enter's: the channel has as many members as it may.
var ErrFull = errors.New("channel has as many members as it may")

// Publish sends the event to all watchers of the channels, except the one with
// exceptSocketID if that is not empty. Data is usually JSON text; it must not be
// changed afterwards. Everything is checked before anything is sent: the error is
// ErrInvalidChannel, ErrInvalidEvent, ErrInvalidSocketID, ErrTooLarge, ErrClosed,
// or the cluster's. With the built-in cluster the event is queued for every watcher
// when Publish returns.
//
// An encrypted channel must be the only one, because its data can be read in no
// other; "#server-to-user-" and an id reach the user of that id wherever he has
// signed in and subscribed to his messages.
func (s *Server) Publish(ctx context.Context, channels []string, event string, data []byte, exceptSocketID string) error {
	messages := make([]Message, len(channels))
	for i, channel := range channels {
		messages[i] = Message{Channel: channel, Event: event, Data: data, Except: exceptSocketID}
	}
	if err := checkTogether(channels); err != nil {
		return err
	}
	return s.PublishMessages(ctx, messages)
}

// PublishMessages sends messages of any channels and events in their order, as
// Publish does. It is for publishers that count their messages: see
// Message.Sequence. A message's User must be empty.
func (s *Server) PublishMessages(ctx context.Context, messages []Message) error {
	for i := range messages {
		if err := s.check(&messages[i]); err != nil {
			return err
		}
	}
	// Remembered first: whoever subscribes meanwhile has at least one of both.
	for i := range messages {
		if m := &messages[i]; kindOf(m.Channel).cache {
			if err := s.opts.Cluster.Remember(ctx, *m, s.opts.CacheTTL); err != nil {
				return fmt.Errorf("remember last event: %w", err)
			}
		}
	}
	if err := s.opts.Cluster.Publish(ctx, messages); err != nil {
		return err
	}
	s.opts.Observer.Published(len(messages))
	return nil
}

// checkTogether says whether one event may go to all the channels.
func checkTogether(channels []string) error {
	if len(channels) < 2 {
		return nil
	}
	for _, channel := range channels {
		if kindOf(channel).guard == encrypted {
			return fmt.Errorf("%w: an event goes to one encrypted channel alone", ErrInvalidChannel)
		}
	}
	return nil
}

func (s *Server) check(m *Message) error {
	if err := checkChannel(m.Channel); err != nil {
		return err
	}
	if err := checkEvent(m.Event); err != nil {
		return err
	}
	if m.Except != "" {
		if err := checkSocketID(m.Except); err != nil {
			return err
		}
	}
	if m.User != "" {
		return fmt.Errorf("%w: only the server says whom a message is from", ErrInvalidUser)
	}
	if len(m.Data) > s.opts.MaxEventBytes {
		return fmt.Errorf("%w (%d bytes, %d are allowed)", ErrTooLarge, len(m.Data), s.opts.MaxEventBytes)
	}
	return nil
}

// tell publishes what the server itself has to say. A watcher who misses it is
// told by Gap like any other, so that there is no second try.
func (s *Server) tell(messages ...Message) {
	if len(messages) == 0 {
		return
	}
	ctx, cancel := s.telling()
	defer cancel()
	if err := s.opts.Cluster.Publish(ctx, messages); err != nil && !s.stopping() {
		s.log.Warn("cluster.not_told", "messages", len(messages), "error", err)
	}
}

// TerminateUser closes all connections in the cluster that are signed in as the
// user, with 4009, on which pusher-js does not come back. It is under way when
// TerminateUser returns. The error is ErrInvalidUser, or the cluster's.
func (s *Server) TerminateUser(ctx context.Context, id string) error {
	if err := checkUser(id); err != nil {
		return err
	}
	return s.opts.Cluster.Publish(ctx, []Message{{Channel: userPrefix + id, Event: eventTerminate}})
}
