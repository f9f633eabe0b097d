// Command run starts three replicas behind a balancer on port 5000, sends
// made-up parcels to them, and lets you take replicas away and give them back.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/webazaar/waybill/e2e/process"
	"github.com/webazaar/waybill/e2e/replicas"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, stop); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}

func run(ctx context.Context, stop func()) (err error) {
	n := flag.Int("n", 3, "how many replicas")
	addr := flag.String("addr", "127.0.0.1:5000", "where the balancer listens")
	rate := flag.Int("rate", 5, "made-up pushes a second; 0 for none")
	flag.Parse()
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		return errors.New("set TEST_DATABASE_URL to a PostgreSQL in which a database may be made, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	defer process.Forget()
	database, drop, err := replicas.Database(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	fmt.Println("building and starting", *n, "replicas …")
	f, err := replicas.Start(replicas.Options{Nodes: *n, DatabaseURL: database, RedisURL: os.Getenv("TEST_REDIS_URL"), Addr: *addr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var sent sync.WaitGroup
	defer sent.Wait()
	defer stop()
	if *rate > 0 {
		sent.Go(func() { simulate(ctx, f.URL, *rate) })
		for range 50 { // until there is something to look at
			if ctx.Err() != nil || len(moving(f.URL)) >= 3 {
				break
			}
			<-time.After(200 * time.Millisecond)
		}
	}
	help(f)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines <- in.Text()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				lines = nil // no terminal: only a signal ends it
				continue
			}
			if line = strings.TrimSpace(line); line == "quit" {
				return nil
			}
			obey(f, line)
		}
	}
}

func help(f *replicas.Fleet) {
	fmt.Printf("\n  %s            the balancer; each request and each WebSocket goes to the next replica\n", f.URL)
	for i, n := range f.Nodes() {
		state := "running"
		if !n.Running() {
			state = "stopped"
		}
		fmt.Printf("  %s            replica %d, %s\n", n.URL(), i+1, state)
	}
	fmt.Println()
	for _, id := range moving(f.URL) {
		fmt.Printf("  %s/track/%s\n", f.URL, id)
	}
	fmt.Printf("\n  kill 2   stop 2   start 2   log 2   status (and pages of parcels that move)   quit\n\n")
}

// moving are a few orders that were pushed about last.
func moving(url string) []string {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/api/webhooks/logs?status=processed&limit=50", nil)
	if err != nil {
		return nil
	}
	req.Header.Set("Authorization", "Bearer "+replicas.AdminToken)
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var page struct{ Data []struct{ OrderID string } }
	if json.NewDecoder(res.Body).Decode(&page) != nil {
		return nil
	}
	var ids []string
	for _, row := range page.Data {
		if row.OrderID != "" && !slices.Contains(ids, row.OrderID) && len(ids) < 5 {
			ids = append(ids, row.OrderID)
		}
	}
	return ids
}

// obey does what was typed.
func obey(f *replicas.Fleet, line string) {
	verb, number, _ := strings.Cut(line, " ")
	i, err := strconv.Atoi(number)
	if verb == "status" || err != nil || i < 1 || i > len(f.Nodes()) {
		help(f)
		return
	}
	n := f.Nodes()[i-1]
	switch verb {
	case "kill":
		n.Kill()
	case "stop":
		if _, err := n.Stop(); err != nil {
			fmt.Println(err)
		}
	case "start":
		if err := n.Start(); err != nil {
			fmt.Println(err)
		} else if err := n.Ready(30 * time.Second); err != nil {
			fmt.Println(err)
		}
	case "log":
		said := n.Log()
		fmt.Println(said[max(0, len(said)-4000):])
		return
	}
	help(f)
}

// simulate sends parcels until ctx is done, a fresh lot when one has been told.
func simulate(ctx context.Context, url string, rate int) {
	path, err := process.Binary()
	for ctx.Err() == nil && err == nil {
		cmd := exec.CommandContext(ctx, path, "simulate", "--url", url, "--token", replicas.WebhookToken, "--rate", strconv.Itoa(rate), "--parcels", "20")
		err = cmd.Run()
	}
	if err != nil && ctx.Err() == nil {
		fmt.Println("simulate:", err)
	}
}
