// Package process builds the program and runs it for tests, as its users do. It
// promises that the binary is built once for a test binary that wants it, and
// that a process that was started ends with Kill, Stop or by itself, after
// which nothing of it is left.
package process

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
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// build makes the binary, once.
var (
	build = sync.OnceValues(func() (string, error) {
		wanted.Store(true)
		dir, err := os.MkdirTemp("", "waybill-e2e-")
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "waybill")
		cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "github.com/webazaar/waybill/cmd/waybill")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build: %w\n%s", err, out)
		}
		return path, nil
	})
	wanted atomic.Bool
)

// Binary is the path of the built program.
func Binary() (string, error) { return build() }

// Forget deletes the built program, if there is one. It is the last thing a
// TestMain does.
func Forget() {
	if wanted.Load() {
		if path, err := build(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	}
}

// FreePort is a port of this machine that nobody listens on.
func FreePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil //nolint:forcetypeassert // "tcp" makes it
}

// Output collects what a process writes while it runs.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// A Server is one run of `waybill serve`.
type Server struct {
	URL    string
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	client *http.Client
}

// Start starts the program on a port of this machine, with nothing in its
// environment but the settings, behind a command to run it with. It does not
// wait until the server is ready.
func Start(port int, out *Output, settings []string, prefix ...string) (*Server, error) {
	path, err := Binary()
	if err != nil {
		return nil, err
	}
	command := slices.Concat(prefix, []string{path, "serve"})
	s := &Server{
		URL: "http://127.0.0.1:" + strconv.Itoa(port), done: make(chan struct{}),
		cmd:    exec.CommandContext(context.Background(), command[0], command[1:]...),
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOST=127.0.0.1", "PORT=" + strconv.Itoa(port)}, settings...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// Pid is the number of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Readiness is the status of /readyz, 0 if nothing answers.
func (s *Server) Readiness() int {
	res, err := s.client.Get(s.URL + "/readyz") //nolint:noctx // the client has a time limit
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// Ready waits until the server answers that it is ready.
func (s *Server) Ready(within time.Duration) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range within / pause {
		if s.Readiness() == http.StatusOK {
			return nil
		}
		select {
		case <-s.done:
			return errors.New("the server ended at its start")
		case <-tick.C:
		}
	}
	return fmt.Errorf("the server is not ready within %s", within)
}

// pause is between two looks at a process. Looks are counted, so that time in
// which the whole machine stands still does not count.
const pause = 10 * time.Millisecond

// Kill ends the process at once, as a crash does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Terminate asks the process to end, and does not wait for it.
func (s *Server) Terminate() error { return s.cmd.Process.Signal(syscall.SIGTERM) }

// ExitCode waits for the process to end, and returns its code.
func (s *Server) ExitCode(within time.Duration) (int, error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range within / pause {
		select {
		case <-s.done:
			return s.cmd.ProcessState.ExitCode(), nil
		case <-tick.C:
		}
	}
	return 0, fmt.Errorf("the server did not end within %s", within)
}
