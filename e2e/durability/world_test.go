package durability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A world is a database and what the lives on it have left behind.
type world struct {
	life   life // what all lives have in common
	pushes []func() []byte
	lives  int
	deaths int
}

func newWorld(t *testing.T, db database, l load) *world {
	t.Helper()
	if l.Moment.IsZero() {
		l.Moment = moment
	}
	dir := t.TempDir()
	w := &world{life: life{
		Database: db, Load: l, Acks: filepath.Join(dir, "acks"), Told: filepath.Join(dir, "told"),
		Ahead: time.Until(l.Moment), Senders: 8, Workers: 1, Batch: 64,
	}}
	var err error
	if w.pushes, err = l.pushes(); err != nil {
		t.Fatal(err)
	}
	return w
}

// live runs one life in a process of its own and reports whether it ended in a
// crash. A positive limit kills it from outside.
func (w *world) live(t *testing.T, l life, limit time.Duration) (crashed bool) {
	t.Helper()
	encoded, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s", lifeVariable, encoded))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if limit > 0 {
		defer time.AfterFunc(limit, func() { _ = cmd.Process.Kill() }).Stop()
	}
	err = cmd.Wait()
	w.lives++
	switch {
	case err == nil && stdout.String() == ended:
		return false
	case err == nil || stderr.Len() > 0:
		t.Fatalf("life %d: %v\n%s", w.lives, err, tail(stderr.String(), 4000))
	}
	w.deaths++
	return true
}

// end lives to the end of the load and verifies what is there then.
func (w *world) end(t *testing.T) tally {
	t.Helper()
	w.live(t, w.life, 0)
	acks, err := readAcks(w.life.Acks)
	if err != nil {
		t.Fatal(err)
	}
	if len(acks) != len(w.pushes) {
		t.Errorf("%d pushes of %d were acknowledged in the end", len(acks), len(w.pushes))
	}
	s := w.life.Database.open(t)
	if done, err := told(t.Context(), s); err != nil || !done {
		t.Errorf("effects are left that nobody was told of, %v", err)
	}
	found := verify(t, s, w.pushes, acks)
	found.versions = verifyTold(t, s, w.life.Told)
	return found
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}
