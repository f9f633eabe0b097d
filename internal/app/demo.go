package app

import (
	"context"
	"io"
)

// DemoOptions are where the demo listens and writes.
type DemoOptions struct {
	Host string
	Port int
	Out  io.Writer // for people
	Log  io.Writer // for the log
}

// SimulateOptions are what `waybill simulate` takes.
type SimulateOptions struct {
	URL, Token, Secret, AdminToken string
	Rate                           float64
	Parcels                        int
	Shuffle                        bool
	Duplicates                     float64
	Seed                           uint64
	Out                            io.Writer
}

func Demo(ctx context.Context, o DemoOptions) error { return nil }

func Simulate(ctx context.Context, o SimulateOptions) error { return nil }
