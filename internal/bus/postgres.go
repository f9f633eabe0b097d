package bus

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/webazaar/waybill/internal/pusher"
)

// PostgresOptions are the settings of a Postgres. Only URL is required.
type PostgresOptions struct {
	// URL is that of the database, whose schema is migrated to version 5 or later.
	// Nodes with the same schema are one cluster. It must reach the server itself,
	// or through a pooler that leaves a session to its client: others lose LISTEN.
	URL    string
	Lease  time.Duration // after which a silent node counts as dead; default 10 s
	Logger *slog.Logger  // nil: nothing is logged
}

// Postgres is a pusher.Cluster kept in PostgreSQL, for some hundred messages a
// second. Messages go by NOTIFY; all publishers of the process share a statement.
type Postgres struct {
	*node
	config *pgxpool.Config
	pool   *pgxpool.Pool // nil until Open
	schema string
	outbox *outbox
	wires  *wires
}

var _ pusher.Cluster = (*Postgres)(nil)

// poolConns is for the steps of the census and for the sender; there is one more
// connection that listens.
const poolConns = 4

// NewPostgres checks the options. Open connects.
func NewPostgres(o PostgresOptions) (*Postgres, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err) // it tells no password
	}
	c := config.ConnConfig
	c.ConnectTimeout = patience
	wires := newWires()
	c.DialFunc = wires.dial
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "waybill-bus"
	}
	// A node that stops in the middle must not stand in the way of the others.
	c.RuntimeParams["statement_timeout"] = strconv.FormatInt((2 * patience).Milliseconds(), 10)
	c.RuntimeParams["idle_in_transaction_session_timeout"] = c.RuntimeParams["statement_timeout"]
	// Nothing here outlives a crash of the server, so nothing waits for its disk.
	c.RuntimeParams["synchronous_commit"] = "off"
	config.MinConns, config.MaxConns = 0, poolConns
	config.MaxConnIdleTime = 5 * time.Minute
	p := &Postgres{config: config, wires: wires}
	p.node = newNode(p, o.Logger, o.Lease)
	return p, nil
}

// Open is as pusher.Cluster says. It fails if PostgreSQL does not answer, or has
// no tables for it.
func (p *Postgres) Open(ctx context.Context, node string, receiver pusher.Receiver) error {
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), p.config)
	if err != nil {
		return fmt.Errorf("bus: open PostgreSQL: %w", err)
	}
	p.pool = pool
	p.outbox = newOutbox()
	if err := p.open(ctx, node, receiver); err != nil {
		p.hangUp()
		return fmt.Errorf("bus: open PostgreSQL: %w", err)
	}
	p.outbox.start(p.notify)
	return nil
}

func (p *Postgres) open(ctx context.Context, node string, receiver pusher.Receiver) error {
	err := p.bounded(ctx, func(ctx context.Context) error {
		return p.pool.QueryRow(ctx, `SELECT COALESCE(current_schema(), '')`).Scan(&p.schema)
	})
	if err != nil {
		return err
	}
	return p.begin(ctx, node, receiver)
}

// Close is as pusher.Cluster says. On an error the lease is left to run out.
func (p *Postgres) Close() error {
	if p.pool == nil {
		return nil
	}
	err := p.end() // until then the receiver may have to tell of a departure
	p.outbox.close()
	p.hangUp()
	return err
}

// hangUp closes the pool, which waits for nobody for long.
func (p *Postgres) hangUp() {
	impatient := time.AfterFunc(patience/4, p.wires.close)
	defer impatient.Stop()
	p.pool.Close()
}

// topics is how many names there are to LISTEN to. PostgreSQL compares each
// notification with every name that a connection listens to, one by one, so there
// must not be as many as there may be channels. A node hears a few channels of
// others as well, and drops what comes on them.
const topics = 4096

// topic is what a channel's messages are notified on. Names belong to the database
// and are shown to whoever may look at it: they tell nothing of the channel.
func (p *Postgres) topic(channel string) string {
	return fmt.Sprintf("waybill_%08x_%03x", hash(p.schema), hash(channel)%topics)
}

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = io.WriteString(h, s)
	return h.Sum32()
}

// Publish is as pusher.Bus says.
func (p *Postgres) Publish(ctx context.Context, messages []pusher.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if !p.isOpen() {
		return errClosed
	}
	return p.bounded(ctx, func(ctx context.Context) error {
		if err := p.outbox.send(ctx, messages); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	})
}

// notify is one statement and so one transaction: the parts of its messages come
// together, in their order, with nobody else's between them. What nobody listens to
// is left out: then most transactions notify of nothing, and need not wait for each
// other at their end. Whoever listens says so in the transaction with which he
// begins, so every later statement sees it.
func (p *Postgres) notify(ctx context.Context, number uint64, messages []pusher.Message) error {
	var names, payloads []string
	for i, m := range messages {
		name := p.topic(m.Channel)
		for _, part := range split(p.outbox.sender, number+uint64(i), encode(m)) { //nolint:gosec // an index
			names, payloads = append(names, name), append(payloads, part)
		}
	}
	_, err := p.pool.Exec(ctx, `
		SELECT pg_notify(name, payload)
		FROM unnest($1::text[], $2::text[]) AS t (name, payload)
		WHERE name = ANY (ARRAY(SELECT topic FROM live_topics WHERE topic = ANY ($1::text[])))`, names, payloads)
	return err
}
