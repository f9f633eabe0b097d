package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/bench/server"
)

// The test binary is the server under test too, when it is told which.
func TestMain(m *testing.M) {
	switch os.Getenv("PLAY") {
	case "":
		goleak.VerifyTestMain(m)
	case "ready":
		play()
	case "refuses":
		fmt.Println("listening is not all")
		fmt.Println("the setting is wrong")
		os.Exit(1)
	}
}

func play() {
	l, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	fmt.Println("home is", os.Getenv("HOME"))
	var asked atomic.Int64
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" || asked.Add(1) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			} else {
				fmt.Println("is ready")
			}
		}))
	}()
	<-end
	fmt.Println("ends")
	os.Exit(0)
}

func command(t *testing.T, role string) server.Command {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return server.Command{Program: program, Env: []string{"PLAY=" + role}, Dir: t.TempDir()}
}

func TestAServerIsReadyAndThenGone(t *testing.T) {
	t.Parallel()
	c := command(t, "ready")
	began := time.Now()
	p, err := server.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); p.Ready <= 0 || p.Ready > took {
		t.Errorf("ready after %s of %s", p.Ready, took)
	}
	if p.URL != "http://"+p.Addr || p.Addr != fmt.Sprint("127.0.0.1:", p.Port) {
		t.Errorf("%s, %s, %d", p.URL, p.Addr, p.Port)
	}
	p.Stop()
	if log := p.Log(); log != "home is "+c.Dir+"\nis ready\nends\n" {
		t.Errorf("it printed %q", log)
	}
	select {
	case <-p.Done():
	default:
		t.Error("it is not done")
	}
	if p.Ended().Before(began) {
		t.Errorf("it ended at %s", p.Ended())
	}
	if err := p.Signal(syscall.Signal(0)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the process is still there: %v", err)
	}
}

func TestAServerThatRefusesIsHeard(t *testing.T) {
	t.Parallel()
	_, err := server.Start(t.Context(), command(t, "refuses"))
	refused, ok := errors.AsType[*server.RefusedError](err)
	if !ok || refused.Words != "the setting is wrong" {
		t.Fatalf("%v", err)
	}
}

func TestNobodyWaitsForAServerLongerThanTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := server.Start(ctx, command(t, "ready")); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Fatalf("%v", err)
	}
}
