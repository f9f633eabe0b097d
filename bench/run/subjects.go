package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/server"
)

// Names of what is measured; the keys of results.
const (
	ceiling   = "ceiling"
	intake    = "waybill-intake"
	sqlite    = "waybill-sqlite"
	postgres  = "waybill-postgres"
	reference = "node"
)

// A subject is a server under test with everything it needs.
type subject struct {
	name     string
	main     *server.Process
	live     *server.Process // the Pusher server, when it is another process
	database string          // in PostgreSQL
	watcher  *load.Watcher
	log      load.Log
}

func (s *subject) stop() {
	if s.watcher != nil {
		s.watcher.Close()
	}
	s.main.Stop()
	if s.live != nil {
		s.live.Stop()
	}
}

// waybillEnv is a shop's production server on loopback, with the operators'
// channel open so that the watcher needs no signature.
func (b *bench) waybillEnv(dir string, more ...string) []string {
	return append([]string{
		"APP_ENV=production", "DATA_DIR=" + dir, "SHIPROCKET_IP_CHECK=off", "SHIPROCKET_WEBHOOK_SECRET=" + secret, "ADMIN_TOKEN=" + adminToken,
		"SOKETI_APP_ID=bench", "SOKETI_APP_KEY=" + appKey, "SOKETI_APP_SECRET=" + appSecret, "PUBLIC_SHIPMENTS_CHANNEL=true",
	}, more...)
}

func (b *bench) dataDir() (string, error) { return os.MkdirTemp(b.dir, "data-") }

// open starts a subject; nil when this machine cannot have it, which a note
// tells.
func (b *bench) open(ctx context.Context, name string) (*subject, error) {
	s := &subject{name: name}
	var err error
	switch name {
	case ceiling:
		s.main, err = b.start(ctx, []string{"SHIPROCKET_WEBHOOK_SECRET=" + secret}, b.ceiling)
		return s, err
	case intake:
		err = b.openWaybill(ctx, s, b.serve, "-intake")
	case sqlite:
		err = b.openWaybill(ctx, s, b.waybill, "serve")
	case postgres:
		err = b.openPostgres(ctx, s)
	case reference:
		err = b.openReference(ctx, s)
	}
	var skip *skipped
	if errors.As(err, &skip) {
		b.notes.Add("%s is left out: %s", name, skip.why)
		return nil, nil //nolint:nilnil // left out is no failure
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s.log = load.Log{URL: s.main.URL, AdminToken: adminToken}
	if name == intake {
		return s, nil
	}
	live := s.main.URL
	if s.live != nil {
		live = s.live.URL
	}
	s.watcher, err = load.Watch(ctx, load.WatchOptions{URL: live, Key: appKey, Channel: "shipments"})
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("watch %s: %w", name, err)
	}
	return s, nil
}

type skipped struct{ why string }

func (s *skipped) Error() string { return s.why }

func (b *bench) openWaybill(ctx context.Context, s *subject, program string, args ...string) error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	s.main, err = b.start(ctx, b.waybillEnv(dir), program, args...)
	return err
}

func (b *bench) openPostgres(ctx context.Context, s *subject) error {
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	address, database, err := b.makeDatabase(ctx, "waybill")
	if err != nil {
		return &skipped{err.Error()}
	}
	s.database = database
	s.main, err = b.start(ctx, b.waybillEnv(dir, "DATABASE_URL="+address), b.waybill, "serve")
	if refused, ok := errors.AsType[*server.RefusedError](err); ok {
		return &skipped{"serve refuses DATABASE_URL: " + refused.Words}
	}
	return err
}

// openReference starts the Node.js service, and a Waybill that is nothing but
// its Pusher server.
func (b *bench) openReference(ctx context.Context, s *subject) error {
	folder := filepath.Join(b.root, "bench", "node-reference")
	node, err := server.Node(ctx, folder)
	if err != nil {
		return &skipped{err.Error()}
	}
	address, database, err := b.makeDatabase(ctx, "node")
	if err != nil {
		return &skipped{err.Error()}
	}
	s.database = database
	dir, err := b.dataDir()
	if err != nil {
		return err
	}
	if s.live, err = b.start(ctx, b.waybillEnv(dir), b.waybill, "serve"); err != nil {
		return err
	}
	s.main, err = b.start(ctx, []string{
		"NODE_ENV=production", "DATABASE_URL=" + address, "ADMIN_TOKEN=" + adminToken, "SHIPROCKET_WEBHOOK_SECRET=" + secret,
		"SOKETI_APP_ID=bench", "SOKETI_APP_KEY=" + appKey, "SOKETI_APP_SECRET=" + appSecret,
		"SOKETI_HOST=127.0.0.1", "SOKETI_PORT=" + strconv.Itoa(s.live.Port),
	}, node, filepath.Join(folder, "server.mjs"))
	if err != nil {
		s.live.Stop()
	}
	return err
}

// spent is the CPU that a subject has taken so far.
type spent struct {
	main, live time.Duration
	backends   map[int]time.Duration
	generator  time.Duration
	machine    time.Duration // everyone
	took       time.Duration // of a difference: by the clock
}

func (b *bench) spent(ctx context.Context, s *subject) (t spent) {
	t.main, _ = load.CPU(s.main.Pid())
	if s.live != nil {
		t.live, _ = load.CPU(s.live.Pid())
	}
	if s.database != "" {
		t.backends = b.backends(ctx, s.database)
	}
	t.generator, _ = load.CPU(os.Getpid())
	t.machine, _ = load.Busy()
	return t
}

// since is what was spent after an earlier look.
func (t spent) since(before spent) spent {
	d := spent{
		main: t.main - before.main, live: t.live - before.live, generator: t.generator - before.generator,
		machine: t.machine - before.machine, backends: map[int]time.Duration{},
	}
	for pid, spent := range t.backends {
		d.backends[pid] = spent - before.backends[pid]
	}
	return d
}

// others is how many cores those took who have nothing to do with the bench.
func (t spent) others() float64 {
	return max(0, (t.machine-t.main-t.live-t.generator-t.database()).Seconds()/t.took.Seconds())
}

func (t spent) database() (sum time.Duration) {
	for _, d := range t.backends {
		sum += d
	}
	return sum
}
