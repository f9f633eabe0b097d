package durability

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const adminToken = "an-admin-token-of-the-tests-0123456789abcd"

// built is the path of the binary, built once for all tests that want it.
var (
	built = sync.OnceValues(func() (string, error) {
		wanted.Store(true)
		dir, err := os.MkdirTemp("", "waybill-durability-")
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "waybill")
		if out, err := exec.Command("go", "build", "-o", path, "github.com/webazaar/waybill/cmd/waybill").CombinedOutput(); err != nil {
			return "", fmt.Errorf("build: %w\n%s", err, out)
		}
		return path, nil
	})
	wanted atomic.Bool
)

func forgetBinary() {
	if wanted.Load() {
		if path, err := built(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	}
}

// A server is one run of `waybill serve`.
type server struct {
	t    *testing.T
	url  string
	cmd  *exec.Cmd
	log  *bytes.Buffer // to be read when the process has ended
	done chan struct{}
	http *http.Client

	prefixed bool
}

// start starts the binary on a database, behind a command to run it with. It
// does not wait until the server is ready.
func start(t *testing.T, db database, prefix ...string) *server {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	command := slices.Concat(prefix, []string{path, "serve"})
	s := &server{
		t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port), log: &bytes.Buffer{}, done: make(chan struct{}),
		cmd:      exec.Command(command[0], command[1:]...),
		prefixed: len(prefix) > 0,
		http:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second},
	}
	s.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "HOST=127.0.0.1", "PORT=" + strconv.Itoa(port), "APP_ENV=production",
		"SHIPROCKET_IP_CHECK=off", "SHIPROCKET_WEBHOOK_TOKEN=" + token, "ADMIN_TOKEN=" + adminToken, "LOG_LEVEL=warn",
	}, db.settings()...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.kill()
		if said := s.log.String(); strings.Contains(said, "level=ERROR") || strings.Contains(said, "panic") {
			t.Logf("log of the server:\n%s", tail(said, 2000))
		}
	})
	return s
}

// kill ends the process at once, as a crash does.
func (s *server) kill() {
	process := s.cmd.Process
	if s.prefixed { // strace ends when what it watches has ended, and then its record is whole
		if p, err := s.watched(); err == nil {
			process = p
		}
	}
	_ = process.Kill()
	<-s.done
	s.http.CloseIdleConnections()
}

// watched is the server itself behind the command that runs it.
func (s *server) watched() (*os.Process, error) {
	parent := s.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	return os.FindProcess(pid)
}

// ready waits until the server answers; false if the process ended before.
func (s *server) ready() bool {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := s.http.Get(s.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case <-s.done:
			return false
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the server is not ready within 30 s")
		}
	}
}

// push posts one webhook. An error is no answer, or another one than 200.
func (s *server) push(ctx context.Context, n int, body []byte) (ack, error) {
	a := ack{push: n}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/webhooks/courier", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("x-api-key", token)
	res, err := s.http.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return a, err
	}
	var answer struct {
		EventID string
		Message string
	}
	if res.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil || answer.EventID == "" {
		return a, fmt.Errorf("%w: %d %s", errAnswer, res.StatusCode, text)
	}
	a.eventID = answer.EventID
	a.duplicate = answer.Message != queued
	return a, nil
}

var errAnswer = errors.New("the server's answer is not that of a push")

const queued = "Webhook received and queued for processing"

// settled waits until nothing is pending.
func (s *server) settled() {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/webhooks/logs?status=pending&limit=1", http.NoBody)
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := s.http.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		page := struct{ Total int }{-1}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err == nil && page.Total == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d webhooks are pending after a minute, %v", page.Total, err)
		}
		<-tick.C
	}
}
