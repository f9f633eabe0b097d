package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/webazaar/waybill/bench/load"
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
	serve := filepath.Join(b.dir, "serve")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", serve, "./bench/fanout/serve")
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the server: %w\n%s", err, out)
	}
	args := []string{"-drain", b.drain.String()}
	if b.profiles != "" {
		args = append(args, "-profiles", b.profiles)
	}
	all := []subject{{waybill, serve, args}}
	node, err := exec.LookPath("node")
	if err != nil {
		b.note("%s is left out: no Node.js found", peer)
		return all, nil //nolint:nilerr // left out is no failure
	}
	folder := filepath.Join(b.root, "bench", "node-fanout")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
		install.Dir = folder
		if out, err := install.CombinedOutput(); err != nil {
			b.note("%s is left out: npm ci: %v: %s", peer, err, out)
			return all, nil
		}
	}
	return append(all, subject{peer, node, []string{"--expose-gc", filepath.Join(folder, "server.mjs")}}), nil
}

// A process is a subject that runs.
type process struct {
	cmd    *exec.Cmd
	addr   string
	log    string
	exited chan struct{}
	ended  time.Time // when it exited
}

// start runs the subject, and waits until /readyz answers.
func (b *bench) start(ctx context.Context, s subject) (*process, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close() // the port is free again, and nobody is given it so soon
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(b.dir, "log-")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{addr: addr, log: log.Name(), exited: make(chan struct{})}
	p.cmd = exec.Command(s.program, s.args...) //nolint:noctx // it is stopped in order, not killed when ctx ends
	p.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "NODE_ENV=production", "HOST=127.0.0.1", "PORT=" + port,
		"APP_ID=" + appID, "APP_KEY=" + appKey, "APP_SECRET=" + appSecret,
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		p.ended = time.Now()
		close(p.exited)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return p, nil
}

func (p *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.exited:
			return errors.New(p.lastWords())
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait until it is ready: %w", ctx.Err())
		}
	}
}

// lastWords are the last line of the log.
func (p *process) lastWords() string {
	raw, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}

// stop ends the server, whose watchers have left.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// memory is what the server has resident, in bytes, now and at its highest.
func (p *process) memory() (now, highest float64) {
	n, h, _ := load.Memory(p.pid()) // it runs, or the measurement fails anyway
	return float64(n), float64(h)
}

// collect makes the server collect its garbage and give it back, and waits until
// it says that it has.
func (p *process) collect(ctx context.Context) error {
	before := p.collections()
	if err := p.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
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

func (p *process) collections() int {
	raw, _ := os.ReadFile(p.log)
	return strings.Count(string(raw), "collected\n")
}

// files is how many files the server has open.
func (p *process) files() int {
	names, _ := os.ReadDir("/proc/" + strconv.Itoa(p.pid()) + "/fd")
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
	s := span{began: time.Now(), pid: p.pid()}
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
