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
	ErrTooLarge        = errors.New("event data too large")
	ErrNotServed       = errors.New("not served by this app")
	ErrClosed          = errors.New("server is closed")
)

// ErrFull is Census.Enter's: the channel has as many members as it may.
var ErrFull = errors.New("channel has as many members as it may")

// publish is the one way of every event: checked here, carried by the cluster,
// delivered on each node.
func (s *Server) publish(ctx context.Context, messages []Message) error {
	for _, m := range messages {
		if err := s.check(m); err != nil {
			return err
		}
	}
	return s.opts.Cluster.Publish(ctx, messages)
}

func (s *Server) check(m Message) error {
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
	if k := kindOf(m.Channel); !k.served() {
		return fmt.Errorf("%w: %s channels", ErrNotServed, k)
	}
	if len(m.Data) > s.opts.MaxEventBytes {
		return fmt.Errorf("%w: %d bytes, %d are allowed", ErrTooLarge, len(m.Data), s.opts.MaxEventBytes)
	}
	return nil
}
