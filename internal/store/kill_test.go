package store_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// These name the database to a process that is there to be killed.
const (
	victimDir = "WAYBILL_TEST_VICTIM_DIR"
	victimURL = "WAYBILL_TEST_VICTIM_URL"
)

// appendUntilKilled appends as fast as it can, claims and applies nothing, and
// prints what was acknowledged.
func appendUntilKilled(dir, url string) {
	s, err := store.Open(context.Background(), store.Options{DataDir: dir, URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for c := range 16 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), c, i)
				if _, err := s.Append(context.Background(), pushed(id, strings.Repeat("x", 2000))); err != nil {
					fmt.Println("error", err)
					return
				}
				fmt.Println(id)
			}
		}()
	}
	select {}
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, killedProcessLosesNothing)
}

func killedProcessLosesNothing(t *testing.T, b *storetest.Backend) {
	t.Helper()
	acknowledged := map[string]bool{}
	for range 3 {
		victim := exec.CommandContext(t.Context(), os.Args[0])
		victim.Env = append(os.Environ(), victimDir+"="+b.DataDir, victimURL+"="+b.Options.URL)
		out, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		lines, fresh := bufio.NewScanner(out), 0
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Error(lines.Text())
			}
			acknowledged[lines.Text()] = true
			if fresh++; fresh == 300 {
				if err := victim.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
		_ = victim.Wait() // it was killed
	}

	s := b.Open(t)
	b.PronounceDead(t)
	if _, err := s.Recover(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, w := range claim(t, s, 1_000_000) {
		kept[w.EventID] = true
	}
	lost := 0
	for id := range acknowledged {
		if !kept[id] {
			lost++
		}
	}
	depth, err := s.Depth(ctxOf(t))
	if err != nil || lost > 0 || len(acknowledged) < 900 || depth[inbox.Pending] != len(kept) {
		t.Errorf("%d of %d acknowledged webhooks are lost; %d are there and %d are counted; %v",
			lost, len(acknowledged), len(kept), depth[inbox.Pending], err)
	}
}
