package app

import (
	"context"
	"io"

	"github.com/webazaar/waybill/internal/simulate"
)

// SimulateOptions are what `waybill simulate` takes.
type SimulateOptions struct {
	URL, Token, Secret, AdminToken string
	Rate                           float64 // pushes per second
	Parcels                        int
	Shuffle                        bool
	Duplicates                     float64 // share of pushes sent again, 0 to 1
	Seed                           uint64
	Out                            io.Writer
}

// Simulate sends made-up journeys to a running server, prints progress and, at
// the end, what was acknowledged, stored and processed.
func Simulate(ctx context.Context, o SimulateOptions) error {
	_, err := simulate.Run(ctx, simulate.Options{
		URL: o.URL, Token: o.Token, Secret: o.Secret, AdminToken: o.AdminToken, Rate: o.Rate, Parcels: o.Parcels,
		Shuffle: o.Shuffle, Duplicates: o.Duplicates, Seed: o.Seed, Out: o.Out,
	})
	return err
}
