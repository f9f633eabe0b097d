package main

import (
	"fmt"
	"runtime/debug"

	"github.com/webazaar/waybill/internal/app"
	"github.com/webazaar/waybill/internal/config"
)

// version is set by the linker for releases.
var version = ""

type serveCmd struct{}

// Run serves until a signal comes.
func (serveCmd) Run(e *env) error {
	cfg, err := config.Load(e.environ, config.Production)
	if err != nil {
		return err
	}
	return app.Serve(e.ctx, cfg, logger(cfg, e.err))
}

type demoCmd struct {
	Host string `help:"Address to listen on." default:"127.0.0.1"`
	Port int    `help:"Port to listen on; a free one is taken when it is not." default:"5000"`
}

// Run shows the demo until a signal comes.
func (c demoCmd) Run(e *env) error {
	return app.Demo(e.ctx, app.DemoOptions{Host: c.Host, Port: c.Port, Out: e.out, Log: e.err})
}

type simulateCmd struct {
	URL        string  `help:"Base address of the server." default:"http://127.0.0.1:5000"`
	Token      string  `help:"Webhook token (x-api-key)." env:"SHIPROCKET_WEBHOOK_TOKEN"`
	Secret     string  `help:"Webhook secret: signs each push." env:"SHIPROCKET_WEBHOOK_SECRET"`
	AdminToken string  `help:"Admin token: lets the end report count what was stored and processed." env:"ADMIN_TOKEN"`
	Rate       float64 `help:"Pushes per second." default:"20"`
	Parcels    int     `help:"How many parcels." default:"50"`
	Shuffle    bool    `help:"Send out of order."`
	Duplicates float64 `help:"Share of pushes that are sent again, 0 to 1." default:"0"`
	Seed       uint64  `help:"The same seed makes the same parcels; 0 draws one and prints it." default:"0"`
}

// Run sends the journeys and reports.
func (c simulateCmd) Run(e *env) error {
	return app.Simulate(e.ctx, app.SimulateOptions{
		URL: c.URL, Token: c.Token, Secret: c.Secret, AdminToken: c.AdminToken, Rate: c.Rate, Parcels: c.Parcels,
		Shuffle: c.Shuffle, Duplicates: c.Duplicates, Seed: c.Seed, Out: e.out,
	})
}

type replayCmd struct {
	URL        string `help:"Base address of the server." default:"http://127.0.0.1:5000" env:"WAYBILL_URL"`
	AdminToken string `help:"Admin token." env:"ADMIN_TOKEN"`
	Status     string `help:"With this status: failed, parked, rejected or processed."`
	Reason     string `help:"With this reason, such as unknown_order."`
	AWB        string `help:"Of this AWB."`
	Order      string `help:"Of the order with this id."`
	Q          string `help:"What the log's search finds."`
	From       string `help:"Received from then on: a time or a day (UTC)."`
	To         string `help:"Received before."`
	All        bool   `help:"The whole log."`
	Rate       int    `help:"Webhooks per second, at most." default:"100"`
	Yes        bool   `help:"Do it; without, only show what would be done."`
	Cancel     string `help:"Cancel the replay with this id." placeholder:"ID"`
}

// Run shows what would be replayed, and with --yes replays it and waits.
func (c replayCmd) Run(e *env) error {
	return app.Replay(e.ctx, app.ReplayOptions{
		URL: c.URL, AdminToken: c.AdminToken, Rate: c.Rate, Do: c.Yes, Cancel: c.Cancel, Out: e.out,
		Filter: app.ReplayFilter{
			All: c.All, Status: c.Status, Reason: c.Reason, AWB: c.AWB, OrderID: c.Order, Q: c.Q, From: c.From, To: c.To,
		},
	})
}

type doctorCmd struct{}

// Run prints what is wrong; the exit code is 1 if anything is.
func (doctorCmd) Run(e *env) error {
	cfg, err := config.Load(e.environ, config.Production)
	return app.Doctor(e.ctx, cfg, err, e.out)
}

type checkURLCmd struct {
	URL string `arg:"" help:"The webhook URL, as you would enter it in Shiprocket's panel."`
}

// Run prints what the form would refuse; the exit code is 1 if anything.
func (c checkURLCmd) Run(e *env) error {
	return app.CheckURL(c.URL, e.out)
}

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print its secret, this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens, newest first; secrets are not kept."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token: it opens nothing any more."`
}

type tokenCreateCmd struct {
	Role    string `help:"What it may do: admin everything, viewer read the log, shop register and read orders." enum:"admin,viewer,shop" required:""`
	Name    string `help:"Who or what uses it." required:""`
	Expires string `help:"When it expires: days or hours such as 90d or 12h, a time or a day; never when left out."`
}

// Run prints the secret alone on the output.
func (c tokenCreateCmd) Run(e *env) error {
	return app.CreateToken(e.ctx, e.tokens(), c.Role, c.Name, c.Expires)
}

type tokenListCmd struct{}

// Run prints a table.
func (tokenListCmd) Run(e *env) error { return app.ListTokens(e.ctx, e.tokens()) }

type tokenRevokeCmd struct {
	ID string `arg:"" help:"Its id, as list shows it."`
}

// Run says what was revoked.
func (c tokenRevokeCmd) Run(e *env) error { return app.RevokeToken(e.ctx, e.tokens(), c.ID) }

func (e *env) tokens() app.TokenOptions {
	cfg, err := config.Load(e.environ, config.Production)
	return app.TokenOptions{Config: cfg, Loaded: err, Log: logger(cfg, e.err), Out: e.out, Err: e.err}
}

type migrateCmd struct{}

// Run brings the schema up to date.
func (migrateCmd) Run(e *env) error {
	cfg, err := e.database()
	if err != nil {
		return err
	}
	return app.Migrate(e.ctx, cfg, logger(cfg, e.err), e.out)
}

type versionCmd struct{}

// Run prints the version and, for a build from a checkout, its commit.
func (versionCmd) Run(e *env) error {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	_, err := fmt.Fprintln(e.out, "waybill", v)
	return err
}
