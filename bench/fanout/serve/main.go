// Command serve is internal/pusher with nothing around it but what a process
// needs, for bench/fanout and for profiles.
//
//	HOST=127.0.0.1 PORT=6001 APP_ID=… APP_KEY=… APP_SECRET=… serve [-profiles FOLDER] [-drain 15s]
//
// SIGTERM drains it. SIGUSR2 collects garbage and gives the memory back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run() error {
	profiles := flag.String("profiles", "", "folder to write profiles to: CPU, and memory at each collection")
	drain := flag.Duration("drain", 15*time.Second, "time for the watchers to go; waybill serve gives as much")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *profiles != "" {
		f, err := os.CreateTemp(*profiles, "cpu-*.prof")
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	server, err := pusher.New(pusher.Options{App: pusher.App{ID: os.Getenv("APP_ID"), Key: os.Getenv("APP_KEY"), Secret: os.Getenv("APP_SECRET")}})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")))
	if err != nil {
		return errors.Join(err, server.Close())
	}
	listener := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- listener.Serve(l) }()

	collect := make(chan os.Signal, 1)
	signal.Notify(collect, syscall.SIGUSR2)
	for {
		select {
		case <-collect:
			debug.FreeOSMemory()
			if err := writeMemory(*profiles); err != nil {
				return errors.Join(err, server.Close())
			}
			fmt.Println("collected")
		case err := <-served:
			return errors.Join(err, server.Close())
		case <-ctx.Done():
			within, cancel := context.WithTimeout(context.Background(), *drain)
			defer cancel()
			return errors.Join(server.Drain(within), listener.Close())
		}
	}
}

// writeMemory writes what is in use and what was allocated.
func writeMemory(folder string) error {
	if folder == "" {
		return nil
	}
	f, err := os.CreateTemp(folder, "memory-*.prof")
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}
