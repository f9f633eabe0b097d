// Command waybill is live order tracking from Shiprocket webhooks. Run
// `waybill help` for its commands; docs/operating.md explains the settings.
//
// Exit codes: 0 done, 1 something failed, 2 the command line or a setting is
// wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/webazaar/waybill/internal/app"
	"github.com/webazaar/waybill/internal/config"
)

type commands struct {
	Serve    serveCmd    `cmd:"" help:"Receive pushes, serve pages and watchers. Settings come from the environment."`
	Demo     demoCmd     `cmd:"" help:"Show everything with made-up parcels, live. Needs no settings and keeps nothing."`
	Simulate simulateCmd `cmd:"" help:"Send made-up journeys to a running server, as real HTTP pushes."`
	Replay   replayCmd   `cmd:"" help:"Put webhooks of a running server back to work: shows which, and with --yes does it."`
	Doctor   doctorCmd   `cmd:"" help:"Say what is wrong with the settings, the URL, the database and the realtime server, and how to mend it."`
	CheckURL checkURLCmd `cmd:"" name:"check-url" help:"Say whether Shiprocket's form would take a webhook URL."`
	Token    tokenCmd    `cmd:"" help:"Make, list and revoke the tokens of the API, in the database. A server that runs on SQLite does this by its API."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database's schema up to date and stop."`
	Backup   backupCmd   `cmd:"" help:"Copy the SQLite database into a file, while the server runs."`
	Restore  restoreCmd  `cmd:"" help:"Make the database of an empty DATA_DIR out of a backup."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	if os.Getenv("GOGC") == "" {
		app.KeepHeapRoom()
	}
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// env is what commands get of the world.
type env struct {
	ctx     context.Context //nolint:containedctx // handed to the one command that runs
	environ []string
	out     io.Writer
	err     io.Writer
}

func run(args, environ []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for an orderly end

	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("waybill"),
		kong.Description("Live order tracking from Shiprocket webhooks."),
		kong.Writers(out, errOut), kong.ShortUsageOnError(),
		kong.Exit(func(code int) { exited = code }),
	)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 2
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help":
		args = append(args[1:len(args):len(args)], "--help")
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 { // help was asked for
		return exited
	}
	if err != nil {
		parser.Stdout = errOut // how it is used is part of the error here
		parser.FatalIfErrorf(err)
		return 2
	}
	err = chosen.Run(&env{ctx: ctx, environ: environ, out: out, err: errOut})
	var problems config.Problems
	switch {
	case err == nil:
		return 0
	case errors.As(err, &problems):
		fmt.Fprintln(errOut, "waybill: the settings are wrong:")
		for _, p := range problems {
			fmt.Fprintln(errOut, "  "+p.String())
		}
		fmt.Fprintln(errOut, "`waybill doctor` explains every setting.")
		return 2
	case errors.Is(err, app.ErrFindings):
		return 1 // they were printed
	}
	fmt.Fprintln(errOut, "waybill:", err)
	return 1
}

// database is the settings of a command that goes by where the database is and
// by nothing else of them.
func (e *env) database() (*config.Config, error) {
	cfg, err := config.Load(e.environ, config.Production)
	return cfg, app.WhereDataIs(err)
}

// logger writes as the settings say, to the error stream: what a command
// prints is for people or pipes, the log is neither.
func logger(cfg *config.Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == config.JSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
