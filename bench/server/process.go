// Package server builds servers under test and runs each as a process of its own.
// It promises that a server is ready when Start returns it, and gone when Stop
// returns; a server that does not get ready is stopped, and its last words are the
// error.
package server

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
)

const (
	readyWithin = 2 * time.Minute
	stopWithin  = 20 * time.Second
)

// A Command is how a server is started.
type Command struct {
	Program string
	Args    []string
	Env     []string // nothing else but PATH, HOME, HOST and PORT
	Dir     string   // its home, and where its log goes
}

// A Process is a server that runs.
type Process struct {
	Addr  string // 127.0.0.1 and its port
	URL   string
	Port  int
	Ready time.Duration // from its start until it said it was ready

	cmd     *exec.Cmd
	logFile string
	done    chan struct{}
	ended   time.Time
}

// RefusedError is a server that ended before it was ready, with its last words.
type RefusedError struct{ Words string }

func (e *RefusedError) Error() string { return e.Words }

// Start runs a server, and waits until /readyz answers 200.
func Start(ctx context.Context, c Command) (*Process, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(c.Dir, "log-")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p := &Process{Addr: addr, URL: "http://" + addr, Port: port, logFile: log.Name(), done: make(chan struct{})}
	p.cmd = exec.Command(c.Program, c.Args...) //nolint:noctx // it is stopped in order, not killed when ctx ends
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "HOST=127.0.0.1", "PORT=" + strconv.Itoa(port)}, c.Env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(c.Program), err)
	}
	go func() {
		_ = p.cmd.Wait()
		p.ended = time.Now()
		close(p.done)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.Stop()
		return nil, err
	}
	p.Ready = time.Since(began)
	return p, nil
}

// freePort is a port that nobody listens on, and that nobody is given so soon.
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

func (p *Process) awaitReady(ctx context.Context) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(readyWithin)
	defer limit.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/readyz", http.NoBody)
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
		case <-p.done:
			return &RefusedError{p.lastWords()}
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("a server was not ready within %s: %s", readyWithin, p.lastWords())
		case <-tick.C:
		}
	}
}

// lastWords are the last line of the log.
func (p *Process) lastWords() string {
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return lines[len(lines)-1]
}

// Log is what the server has printed so far.
func (p *Process) Log() string {
	raw, _ := os.ReadFile(p.logFile)
	return string(raw)
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends the server a signal, and does not wait for what it does then.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Done is closed when the server has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended is when the server ended, once Done is closed.
func (p *Process) Ended() time.Time { return p.ended }

// Stop ends the server and waits for it.
func (p *Process) Stop() {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
