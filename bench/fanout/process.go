package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/server"
)

// The app of the servers under test.
const (
	appID     = "bench"
	appKey    = "bench-key"
	appSecret = "bench-app-secret"
)

// A subject is a server to measure: how it is started.
type subject struct {
	name    string
	program string
	args    []string
}

// Names of what is measured; the keys of results.
const (
	waybill = "waybill"
	peer    = "node-ws"
)

// subjects builds and installs them. The peer is left out where there is no Node.js,
// which a note tells.
func (b *bench) subjects(ctx context.Context) ([]subject, error) {
	serve, err := server.Build(ctx, b.root, b.dir, "./bench/fanout/serve")
	if err != nil {
		return nil, err
	}
	args := []string{"-drain", b.drain.String()}
	if b.profiles != "" {
		args = append(args, "-profiles", b.profiles)
	}
	all := []subject{{waybill, serve, args}}
	folder := filepath.Join(b.root, "bench", "node-fanout")
	node, err := server.Node(ctx, folder)
	if err != nil {
		b.notes.Add("%s is left out: %v", peer, err)
		return all, nil
	}
	return append(all, subject{peer, node, []string{"--expose-gc", filepath.Join(folder, "server.mjs")}}), nil
}

// A process is a subject that runs.
type process struct{ *server.Process }

// start runs the subject, and waits until it is ready.
func (b *bench) start(ctx context.Context, s subject) (*process, error) {
	p, err := server.Start(ctx, server.Command{
		Program: s.program, Args: s.args, Dir: b.dir,
		Env: []string{"NODE_ENV=production", "APP_ID=" + appID, "APP_KEY=" + appKey, "APP_SECRET=" + appSecret},
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return &process{p}, nil
}

// memory is what the server has resident, in bytes, now and at its highest.
func (p *process) memory() (now, highest float64) {
	n, h, _ := load.Memory(p.Pid()) // it runs, or the measurement fails anyway
	return float64(n), float64(h)
}

// collect makes the server collect its garbage and give it back, and waits until
// it says that it has.
func (p *process) collect(ctx context.Context) error {
	before := p.collections()
	if err := p.Signal(syscall.SIGUSR2); err != nil {
		return fmt.Errorf("ask the server to collect: %w", err)
	}
	for began := time.Now(); p.collections() == before; {
		if time.Since(began) > answerWithin {
			return errors.New("the server does not collect")
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) collections() int { return strings.Count(p.Log(), "collected\n") }

// files is how many files the server has open.
func (p *process) files() int {
	names, _ := os.ReadDir("/proc/" + strconv.Itoa(p.Pid()) + "/fd")
	return len(names)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// raiseFiles lets this process and the servers it starts have as many files open
// as they may, and returns how many that is.
func raiseFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask for the limit of open files: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("raise the limit of open files: %w", err)
	}
	return int(min(limit.Cur, 1<<20)), nil
}

// A span is what was spent between two looks.
type span struct {
	server, generator, machine, took time.Duration
	began                            time.Time
	pid                              int
}

// look begins a span.
func look(p *process) span {
	s := span{began: time.Now(), pid: p.Pid()}
	s.server, s.generator, s.machine = s.read()
	return s
}

func (s span) read() (server, generator, machine time.Duration) {
	server, _ = load.CPU(s.pid)
	generator, _ = load.CPU(os.Getpid())
	machine, _ = load.Busy()
	return server, generator, machine
}

// end is what was spent since.
func (s span) end() span {
	server, generator, machine := s.read()
	return span{server: server - s.server, generator: generator - s.generator, machine: machine - s.machine, took: time.Since(s.began)}
}

// others is how many cores those took who have nothing to do with the bench.
func (s span) others() float64 {
	return max(0, (s.machine-s.server-s.generator).Seconds()/s.took.Seconds())
}
