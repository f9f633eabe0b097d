package main

import (
	"context"

	"github.com/webazaar/waybill/bench/record"
	"github.com/webazaar/waybill/bench/server"
)

// Secrets of the servers under test.
const (
	secret     = "bench-secret-0123456789abcdef0123456789abcdef"
	adminToken = "bench-admin-0123456789abcdef0123456789abcdef"
	appKey     = "bench-key"
	appSecret  = "bench-app-secret"
)

// bench is one run of this command.
type bench struct {
	settings
	root, dir string // of the module; for everything temporary
	waybill   string // the stripped binary
	ceiling   string
	serve     string
	notes     record.Notes
	databases []string
	plans     int // numbers given out
}

// build makes the binaries.
func build(ctx context.Context, root, dir string) (*bench, error) {
	b := &bench{root: root, dir: dir}
	for _, program := range []struct {
		into *string
		path string
	}{{&b.waybill, "./cmd/waybill"}, {&b.ceiling, "./bench/ceiling"}, {&b.serve, "./bench/serve"}} {
		var err error
		if *program.into, err = server.Build(ctx, root, dir, program.path); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// start runs a server with nothing but the given environment, and waits until it
// is ready.
func (b *bench) start(ctx context.Context, env []string, program string, args ...string) (*server.Process, error) {
	return server.Start(ctx, server.Command{Program: program, Args: args, Env: env, Dir: b.dir})
}
