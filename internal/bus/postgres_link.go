package bus

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgLink is a connection that waits for notifications, and is woken to change what
// it listens to.
type pgLink struct {
	postgres *Postgres
	conn     *pgx.Conn
	deliver  func([]byte)
	gone     chan error
	asked    chan pgChange
	stop     context.CancelFunc
	done     chan struct{}

	mu        sync.Mutex
	interrupt context.CancelFunc // of the wait that is under way
}

type pgChange struct {
	ctx       context.Context // it travels to another goroutine, and not further
	add, drop []string
	answer    chan error
}

func (p *Postgres) dial(ctx context.Context, deliver func([]byte)) (link, error) {
	p.pool.Reset() // where a link broke, the others have, too
	conn, err := pgx.ConnectConfig(ctx, p.config.ConnConfig.Copy())
	if err != nil {
		p.cutIfSilent(ctx)
		return nil, err
	}
	// Sessions that ended have left their topics behind, one perhaps under this number.
	if _, err := conn.Exec(ctx, `
		DELETE FROM live_topics
		WHERE pid = pg_backend_pid() OR pid NOT IN (SELECT pid FROM pg_stat_activity)`); err != nil {
		p.cutIfSilent(ctx)
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &pgLink{
		postgres: p, conn: conn, deliver: deliver, gone: make(chan error, 1),
		asked: make(chan pgChange, 1), stop: stop, done: make(chan struct{}), interrupt: func() {},
	}
	go func() {
		defer close(l.done)
		l.gone <- l.run(run)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(run), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	return l, nil
}

// cutIfSilent is called when something failed: because time was up, or not.
func (p *Postgres) cutIfSilent(ctx context.Context) {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		p.wires.cut()
	}
}

// run owns the connection.
func (l *pgLink) run(ctx context.Context) error {
	var (
		channels = make(map[string]struct{})
		counts   = make(map[string]int) // of channels, by what is listened to
		joined   joiner
	)
	for {
		wait, cancel := context.WithCancel(ctx)
		l.mu.Lock()
		l.interrupt = cancel
		l.mu.Unlock()
		select {
		case c := <-l.asked: // whoever asks later interrupts the wait
			cancel()
			err := l.listen(c, channels, counts)
			if err != nil {
				l.postgres.cutIfSilent(c.ctx)
			}
			c.answer <- err
			if err != nil {
				return err
			}
			continue
		default:
		}
		n, err := l.conn.WaitForNotification(wait)
		interrupted := wait.Err() != nil
		cancel()
		if n != nil {
			if message := joined.add(n.Payload); message != nil {
				l.deliver(message)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && (!interrupted || l.conn.IsClosed()) {
			return err
		}
	}
}

// listen changes what is listened to by the names that become needed or useless.
func (l *pgLink) listen(c pgChange, channels map[string]struct{}, counts map[string]int) error {
	touched := make(map[string]int) // and how many channels it had before
	count := func(channel string, by int) {
		name := l.postgres.topic(channel)
		if _, seen := touched[name]; !seen {
			touched[name] = counts[name]
		}
		if counts[name] += by; counts[name] == 0 {
			delete(counts, name)
		}
	}
	for _, channel := range c.add {
		if _, has := channels[channel]; !has {
			channels[channel] = struct{}{}
			count(channel, 1)
		}
	}
	for _, channel := range c.drop {
		if _, has := channels[channel]; has {
			delete(channels, channel)
			count(channel, -1)
		}
	}
	// One string is one transaction. The names are hexadecimal.
	text := "SELECT 1;"
	var begun, ended []string
	for name, before := range touched {
		switch after := counts[name]; {
		case before == 0 && after > 0:
			text += "LISTEN " + name + ";"
			begun = append(begun, "('"+name+"', pg_backend_pid())")
		case before > 0 && after == 0:
			text += "UNLISTEN " + name + ";"
			ended = append(ended, "'"+name+"'")
		}
	}
	if len(begun) > 0 {
		text += "INSERT INTO live_topics (topic, pid) VALUES " + strings.Join(begun, ", ") + " ON CONFLICT DO NOTHING;"
	}
	if len(ended) > 0 {
		text += "DELETE FROM live_topics WHERE pid = pg_backend_pid() AND topic IN (" + strings.Join(ended, ", ") + ");"
	}
	return l.conn.PgConn().Exec(c.ctx, text).Close()
}

func (l *pgLink) change(ctx context.Context, add, drop []string) error {
	c := pgChange{ctx: ctx, add: add, drop: drop, answer: make(chan error, 1)}
	select {
	case l.asked <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	l.interrupt()
	l.mu.Unlock()
	select {
	case err := <-c.answer:
		return err
	case <-l.done:
		return errors.New("the listening connection broke")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *pgLink) lost() <-chan error { return l.gone }

func (l *pgLink) close() {
	l.stop()
	<-l.done
}
