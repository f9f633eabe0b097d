package main

import (
	"bytes"
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
)

// Secrets of the servers under test.
const (
	secret     = "bench-secret-0123456789abcdef0123456789abcdef"
	adminToken = "bench-admin-0123456789abcdef0123456789abcdef"
	appKey     = "bench-key"
	appSecret  = "bench-app-secret"
)

// bench is one run of this command.
type bench struct {
	settings
	root, dir string // of the module; for everything temporary
	waybill   string // the stripped binary
	ceiling   string
	serve     string
	notes     []string
	noted     map[string]bool
	databases []string
	plans     int // numbers given out
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build makes the binaries, as `make build` does.
func build(ctx context.Context, root, dir string) (*bench, error) {
	b := &bench{root: root, dir: dir, noted: map[string]bool{}}
	for _, program := range []struct {
		into *string
		path string
	}{{&b.waybill, "./cmd/waybill"}, {&b.ceiling, "./bench/ceiling"}, {&b.serve, "./bench/serve"}} {
		*program.into = filepath.Join(dir, filepath.Base(program.path))
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", *program.into, program.path)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", program.path, err, out)
		}
	}
	return b, nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// note says something that the result has to tell too, once.
func (b *bench) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if b.noted[text] {
		return
	}
	b.noted[text] = true
	b.notes = append(b.notes, text)
	b.say("note: %s", text)
}

// A process is a server under test.
type process struct {
	cmd     *exec.Cmd
	url     string
	port    int
	logFile string
	ready   time.Duration // from its start until it said it was ready
	exited  chan struct{}
	err     error
}

// errRefused is a server that ended before it was ready, with its last words.
type errRefused struct{ words string }

func (e *errRefused) Error() string { return e.words }

// start runs a server with nothing but the given environment, and waits until
// /readyz answers 200.
func (b *bench) start(ctx context.Context, env []string, program string, args ...string) (*process, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{port: port, url: fmt.Sprintf("http://127.0.0.1:%d", port), exited: make(chan struct{})}
	log, err := os.CreateTemp(b.dir, "log-")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.logFile = log.Name()
	p.cmd = exec.Command(program, args...) //nolint:noctx // it is stopped in order, not killed when ctx ends
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "HOST=127.0.0.1", "PORT=" + strconv.Itoa(port)}, env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.stop()
		return nil, err
	}
	p.ready = time.Since(began)
	return p, nil
}

func (p *process) awaitReady(ctx context.Context) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", http.NoBody)
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
			return &errRefused{p.lastWords()}
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return errors.New("a server was not ready within two minutes: " + p.lastWords())
		case <-tick.C:
		}
	}
}

// lastWords are the last line of the log, without its time.
func (p *process) lastWords() string {
	raw, _ := os.ReadFile(p.logFile)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}

// stop ends the server and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("a TCP listener without a port")
	}
	return addr.Port, nil
}

// output runs a command and returns the first line it prints; empty if it
// cannot.
func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(bytes.TrimSpace(line))
}
