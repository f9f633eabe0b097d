// Command serve is `waybill serve` under the microscope. Settings come from
// the environment as they do there. Flags write profiles, or leave out what
// stands behind intake:
//
//	-cpuprofile, -memprofile, -mutexprofile FILE   of the time from readiness to the end
//	-intake          receive and keep pushes, and work none of them off
//	-retain AGE      with -intake: delete older rows meanwhile, as serve does
//
// With -intake the database is SQLite.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/app"
	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
)

func main() {
	if os.Getenv("GOGC") == "" {
		app.KeepHeapRoom() // as waybill does
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run() error {
	cpu := flag.String("cpuprofile", "", "write a CPU profile")
	mem := flag.String("memprofile", "", "write a profile of all allocations")
	mutex := flag.String("mutexprofile", "", "write a profile of contended locks")
	intake := flag.Bool("intake", false, "work nothing off")
	retain := flag.Duration("retain", 0, "delete older rows meanwhile")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *mutex != "" {
		runtime.SetMutexProfileFraction(20)
	}
	if *cpu != "" {
		f, err := os.Create(*cpu)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	cfg, err := config.Load(os.Environ(), config.Production)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	if *intake {
		err = serveIntake(ctx, cfg, log, *retain)
	} else {
		err = app.Serve(ctx, cfg, log)
	}
	for name, file := range map[string]string{"allocs": *mem, "mutex": *mutex} {
		if file == "" || err != nil {
			continue
		}
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		if err := pprof.Lookup(name).WriteTo(f, 0); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return err
}

// serveIntake is the part of serve that stands before the 200.
func serveIntake(ctx context.Context, cfg *config.Config, log *slog.Logger, retain time.Duration) error {
	s, err := store.Open(ctx, store.Options{DataDir: cfg.DataDir, Logger: log})
	if err != nil {
		return err
	}
	defer s.Close()
	var tokens, secrets []string
	for _, t := range cfg.Shiprocket.WebhookTokens {
		tokens = append(tokens, t.Reveal())
	}
	for _, t := range cfg.Shiprocket.WebhookSecrets {
		secrets = append(secrets, t.Reveal())
	}
	in := inbox.New(inbox.Options{
		Log: s, Logger: log, Metrics: inbox.NewMetrics(nil),
		Verifier: shiprocket.NewVerifier(tokens, secrets, cfg.Shiprocket.SignatureHeader),
	})
	api := httpapi.New(httpapi.Options{
		Inbox: in, Store: s, Guard: access.NewGuard(cfg.AdminToken.Reveal()), WatchTokens: access.NewWatchTokens("none"),
		Metrics: http.NotFoundHandler(), Logger: log,
	})
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr())
	if err != nil {
		return err
	}
	server := httpapi.NewServer(api, log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	ctx, stop := context.WithCancel(ctx)
	var retaining sync.WaitGroup
	defer retaining.Wait()
	defer stop()
	if retain > 0 {
		retaining.Go(func() { _ = app.Retain(ctx, s, app.Ages{Webhooks: retain}, log) }) // it ends with ctx alone
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}
