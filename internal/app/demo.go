package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/simulate"
)

// DemoOptions are where the demo listens and writes.
type DemoOptions struct {
	Host string
	Port int       // a free one is taken when it is not
	Out  io.Writer // for people
	Log  io.Writer // for the log: warnings only
}

// Demo serves made-up parcels that move live, until ctx is done. It needs no
// settings, and its data goes with it.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	dir, err := os.MkdirTemp("", "waybill-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	webhookToken, adminToken := demoToken(), demoToken()
	port := demoPort(ctx, o.Host, o.Port)
	cfg, err := config.Load([]string{
		"HOST=" + o.Host, "PORT=" + strconv.Itoa(port), "DATA_DIR=" + dir,
		"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "ADMIN_TOKEN=" + adminToken,
		"PUBLIC_SHIPMENTS_CHANNEL=true", "SHOP_NAME=Demo Shop",
	}, config.Development)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop()) }()

	printer := &demoPrinter{app: a, out: o.Out}
	printer.welcome(webhookToken, adminToken)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	played := make(chan error, 1)
	go func() {
		played <- simulate.Demo(ctx, simulate.DemoOptions{
			URL: a.URL(), Token: webhookToken, OnParcel: func(p simulate.Parcel) { printer.parcel(ctx, p) },
		})
	}()
	select {
	case err = <-played:
		return err
	case err = <-a.life.failed:
		cancel()
		return errors.Join(err, <-played)
	case <-ctx.Done():
		fmt.Fprintln(o.Out, "\nStopping; nothing is kept.")
		return <-played
	}
}

// demoPrinter tells people where to look.
type demoPrinter struct {
	app *App
	out io.Writer
}

func (p *demoPrinter) welcome(webhookToken, adminToken string) {
	url := p.app.URL()
	fmt.Fprintf(p.out, `Waybill demo at %[1]s: made-up parcels, moving live. Ctrl-C ends it; nothing is kept.

  webhook log   curl -H 'Authorization: Bearer %[3]s' '%[1]s/api/webhooks/logs?limit=5'
  metrics       curl -H 'Authorization: Bearer %[3]s' %[1]s/metrics
  your own push curl -H 'x-api-key: %[2]s' -d '{"awb":"MYAWB1","order_id":"MY-1","current_status":"PICKED UP"}' %[1]s/api/webhooks/courier
  watch live    app key %[4]s, channel order-{id} or shipments, any Pusher client at %[5]s

Tracking pages:
`, url, webhookToken, adminToken, p.app.AppKey(), strings.TrimPrefix(url, "http://"))
}

// parcel prints where a parcel is tracked, once its order exists.
func (p *demoPrinter) parcel(ctx context.Context, parcel simulate.Parcel) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		orders, err := p.app.store.OrdersByNumber(ctx, parcel.Number)
		if err == nil && len(orders) > 0 {
			fmt.Fprintf(p.out, "  %-44s %s/track/%s\n", parcel.Title, p.app.URL(), orders[0].ID)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func demoToken() string { return strings.ToLower(rand.Text() + rand.Text()) }

// demoPort is the wanted port if it is free, else 0: any.
func demoPort(ctx context.Context, host string, port int) int {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return 0
	}
	_ = l.Close()
	return port
}
