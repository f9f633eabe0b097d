package durability

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// needStrace is the path of a strace that may trace. Without one the test is
// skipped, in CI it fails.
func needStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(path, "-f", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=fsync", "true").Run()
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true" && runtime.GOOS == "linux":
		t.Fatalf("strace is needed in CI, and leave to trace: %v (apt-get install strace)", err)
	default:
		t.Skipf("system calls are not watched, there is no strace that may: %v", err)
	}
	return path
}

// A recording is all that a server on a new SQLite database has written, synced
// and answered, from its start to its sudden end.
type recording struct {
	dir     string // the data folder
	calls   []*call
	pushes  []func() []byte
	answers []answered
}

// answered is a 200 on its way to a sender.
type answered struct {
	ack
	begun int // when it began to leave
}

// record runs the binary under strace while senders push a load at it, and
// kills it once most pushes are answered.
func record(t *testing.T, l load, senders, most int) *recording {
	t.Helper()
	strace := needStrace(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "trace")
	r := &recording{dir: filepath.Join(dir, "data")}
	c := newCampaign(t, l)
	s := start(t, database{Name: "sqlite", DataDir: r.dir},
		strace, "-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216", "-o", path, "-e", "trace="+traced)
	if !s.ready() || !c.run(t.Context(), s, senders, most) {
		t.Fatal("the server ended under strace")
	}
	// Two checkpoints' time, so that what was taken in is worked off and
	// carried over.
	<-time.After(200 * time.Millisecond)
	s.kill()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if r.calls, err = readTrace(file); err != nil {
		t.Fatalf("read what strace has recorded: %v", err)
	}
	r.pushes = c.pushes
	r.findAnswers(t, c.acks)
	return r
}

// findAnswers finds the answers to pushes among the writes to sockets. One that
// was acknowledged and is not found would mean that we do not see all answers.
func (r *recording) findAnswers(t *testing.T, acks map[int]ack) {
	t.Helper()
	byEvent := map[string][]ack{}
	for _, a := range acks {
		byEvent[a.eventID] = append(byEvent[a.eventID], a)
	}
	for _, c := range r.calls {
		if c.name != "write" || !strings.HasPrefix(c.file(0), "socket:") {
			continue
		}
		text := c.text(1)
		_, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
		var answer struct{ EventID, Message string }
		if !bytes.HasPrefix(text, []byte("HTTP/1.1 200 ")) || json.Unmarshal(body, &answer) != nil || answer.EventID == "" {
			continue
		}
		a := answered{ack{-1, answer.EventID, answer.Message != queued}, c.begun}
		for i, known := range byEvent[a.eventID] {
			if known.duplicate == a.duplicate {
				a.push = known.push
				byEvent[a.eventID] = append(byEvent[a.eventID][:i:i], byEvent[a.eventID][i+1:]...)
				break
			}
		}
		r.answers = append(r.answers, a)
	}
	if len(r.answers) < len(acks) {
		t.Fatalf("%d pushes were acknowledged, and only %d answers recorded", len(acks), len(r.answers))
	}
}
