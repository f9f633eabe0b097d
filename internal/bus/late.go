package bus

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// Late is a cluster that can be opened while what it is kept in does not answer:
// a service must not fail to start because of it. Until the cluster is reached
// every call returns an error; then the receiver is told that it was forgotten, so
// that it puts in what it has. What could not be followed meanwhile is the
// caller's to follow again.
func Late(c pusher.Cluster, log *slog.Logger) pusher.Cluster {
	return &late{Cluster: c, log: log.With("component", "bus")}
}

type late struct {
	pusher.Cluster
	log *slog.Logger

	mu      sync.Mutex
	opened  bool
	stop    context.CancelFunc // of the attempts; nil when there are none
	running sync.WaitGroup
}

// Open is as pusher.Cluster says, and returns nil also where it has to be tried
// again.
func (l *late) Open(ctx context.Context, node string, r pusher.Receiver) error {
	err := l.Cluster.Open(ctx, node, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.opened = true
		return nil
	}
	l.log.Error("bus.not_reached", "error", err,
		"what", "live updates wait, and watchers of other processes hear of nothing until it is",
		"mend", "bring it back, or mend its address; nothing has to be restarted")
	trying, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.running.Go(func() { l.try(trying, node, r) })
	return nil
}

func (l *late) try(ctx context.Context, node string, r pusher.Receiver) {
	began := time.Now()
	for wait := minBackoff; ; wait = min(2*wait, maxBackoff) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait/2+1)):
		}
		if l.Cluster.Open(ctx, node, r) != nil {
			continue
		}
		l.mu.Lock()
		l.opened = true
		l.mu.Unlock()
		l.log.Info("bus.reached", "after", time.Since(began))
		r.Forgotten()
		return
	}
}

// Close is as pusher.Cluster says.
func (l *late) Close() error {
	l.mu.Lock()
	stop := l.stop
	l.mu.Unlock()
	if stop != nil {
		stop()
	}
	l.running.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened {
		return nil
	}
	l.opened = false
	return l.Cluster.Close()
}
