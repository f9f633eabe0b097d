package durability

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A campaign pushes a load at servers that come and go, until all of it is
// acknowledged. What got no answer is pushed again.
type campaign struct {
	pushes []func() []byte

	mu     sync.Mutex
	todo   []int
	acks   map[int]ack
	sent   int
	unsure int // sent, and no answer came
	deaths int
}

func newCampaign(t *testing.T, l load) *campaign {
	t.Helper()
	pushes, err := l.pushes()
	if err != nil {
		t.Fatal(err)
	}
	c := &campaign{pushes: pushes, acks: map[int]ack{}}
	for i := range pushes {
		c.todo = append(c.todo, i)
	}
	return c
}

// run pushes until most pushes are sent, none is left, or the server is gone,
// and reports whether it is still there.
func (c *campaign) run(ctx context.Context, s *server, senders, most int) (alive bool) {
	var all sync.WaitGroup
	var gone atomic.Bool
	left := most
	for range senders {
		all.Go(func() {
			for !gone.Load() {
				c.mu.Lock()
				if len(c.todo) == 0 || left == 0 {
					c.mu.Unlock()
					return
				}
				i := c.todo[0]
				c.todo = c.todo[1:]
				left--
				c.sent++
				c.mu.Unlock()
				a, err := s.push(ctx, i, c.pushes[i]())
				c.mu.Lock()
				if err == nil {
					c.acks[i] = a
				} else {
					c.unsure++
					c.todo = append(c.todo, i)
				}
				c.mu.Unlock()
				if err != nil {
					if errors.Is(err, errAnswer) {
						s.t.Error(err)
					}
					gone.Store(true)
				}
			}
		})
	}
	all.Wait()
	return !gone.Load()
}

// end lets one last server have what is left and work everything off, and
// verifies what is in its database then.
func (c *campaign) end(t *testing.T, db database) string {
	t.Helper()
	db.outlive(t)
	s := start(t, db)
	if !s.ready() {
		t.Fatalf("the server does not start after %d crashes", c.deaths)
	}
	if !c.run(t.Context(), s, 8, len(c.pushes)) {
		t.Fatalf("the server ends of itself after %d crashes", c.deaths)
	}
	s.settled()
	s.kill()
	found := verify(t, db.open(t), c.pushes, c.acks)
	return fmt.Sprintf("%d crashes, %d pushes sent, %d without an answer; %s", c.deaths, c.sent, c.unsure, found)
}

// TestCrash kills the binary under load at random moments, its start among
// them, again and again on one database.
func TestCrash(t *testing.T) {
	t.Parallel()
	crashes := setting(t, "CRASHES", 40)
	eachDatabase(t, func(t *testing.T, db database) {
		seed := rand.Uint64N(1_000_000)
		dice := rand.New(rand.NewPCG(seed, 2))
		c := newCampaign(t, load{Seed: seed, Parcels: 20 * crashes, Duplicates: 0.1, Shuffle: true, Moment: time.Now()})
		for c.deaths < crashes {
			s := start(t, db)
			limit := time.AfterFunc(time.Duration(dice.IntN(400))*time.Millisecond, func() { _ = s.cmd.Process.Kill() })
			if dice.IntN(8) > 0 { // it dies under load
				limit.Stop()
				if !s.ready() {
					t.Fatalf("the server does not start after %d crashes", c.deaths)
				}
				limit.Reset(time.Duration(1+dice.IntN(80)) * time.Millisecond)
			}
			if s.ready() {
				c.run(t.Context(), s, 8, 250)
			}
			<-s.done
			limit.Stop()
			s.http.CloseIdleConnections()
			c.deaths++
		}
		t.Logf("seed %d: %s", seed, c.end(t, db))
	})
}

// TestCrashAtSystemCalls kills the binary as it enters a system call that
// writes, cuts or syncs a file, or that sends an answer: the nth one.
func TestCrashAtSystemCalls(t *testing.T) {
	t.Parallel()
	strace := needStrace(t)
	crashes := max(setting(t, "CRASHES", 40)/4, 1)
	seed := rand.Uint64N(1_000_000)
	dice := rand.New(rand.NewPCG(seed, 3))
	db := database{Name: "sqlite", DataDir: t.TempDir()}
	c := newCampaign(t, load{Seed: seed, Parcels: 20 * crashes, Duplicates: 0.1, Shuffle: true, Moment: time.Now()})
	calls := []struct {
		name string
		most int
	}{{"pwrite64", 600}, {"fdatasync", 60}, {"write", 120}}
	met := 0
	for round := range crashes {
		call := calls[round%len(calls)]
		s := start(t, db, strace, "-f", "--seccomp-bpf", "-o", "/dev/null",
			"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call.name, 1+dice.IntN(call.most)))
		alive := s.ready() && c.run(t.Context(), s, 8, 250)
		if alive { // it has outlived its load
			s.kill()
		} else {
			<-s.done
			met++
		}
		c.deaths++
	}
	if met == 0 {
		t.Error("no crash happened at a system call")
	}
	t.Logf("seed %d, %d at a system call: %s", seed, met, c.end(t, db))
}
