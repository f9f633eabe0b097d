package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
)

// ErrFindings says that something is wrong and was printed.
var ErrFindings = errors.New("something is wrong")

// Doctor prints every setting and everything that is wrong with the settings,
// the webhook URL, the database and the realtime server, each with its mend.
// It returns ErrFindings if anything would keep Waybill from working.
func Doctor(ctx context.Context, cfg *config.Config, loaded error, out io.Writer) error {
	d := &doctor{out: out}
	d.settings(cfg, loaded)
	d.url(cfg)
	running := d.server(ctx, cfg)
	d.database(ctx, cfg, running)
	d.realtime(ctx, cfg, running)
	if d.wrong > 0 {
		d.say("\n%d thing(s) to mend.", d.wrong)
		return ErrFindings
	}
	d.say("\nNothing is wrong.")
	return nil
}

type doctor struct {
	out   io.Writer
	wrong int
}

func (d *doctor) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *doctor) good(format string, args ...any) { d.say("  ok    "+format, args...) }

func (d *doctor) note(format string, args ...any) { d.say("  note  "+format, args...) }

func (d *doctor) bad(format string, args ...any) {
	d.wrong++
	d.say("  WRONG "+format, args...)
}

func (d *doctor) settings(cfg *config.Config, loaded error) {
	d.say("Settings")
	for _, row := range cfg.Summary() {
		d.say("  %-28s %s (%s)\n      %s", row.Name, row.Value, row.Source, row.Explain)
	}
	var problems config.Problems
	if errors.As(loaded, &problems) {
		for _, p := range problems {
			d.bad("%s", p.String())
		}
	}
	for _, w := range cfg.Warnings() {
		d.note("%s", w.String())
	}
	if loaded == nil {
		d.good("the settings are valid")
	}
}

func (d *doctor) url(cfg *config.Config) {
	d.say("Webhook URL")
	if cfg.PublicURL == nil {
		d.note("PUBLIC_URL is not set: set it to the address buyers and Shiprocket reach, and it is checked here")
		return
	}
	url := strings.TrimRight(cfg.PublicURL.String(), "/") + "/api/webhooks/courier"
	findings := shiprocket.CheckURL(url)
	for _, f := range findings {
		d.bad("%s", finding(f))
	}
	if len(findings) == 0 {
		d.good("Shiprocket's form takes %s", url)
	}
}

// server asks a Waybill that runs with these settings, if one does.
func (d *doctor) server(ctx context.Context, cfg *config.Config) bool {
	d.say("Server")
	url := "http://" + net.JoinHostPort(loopback(cfg.Host), strconv.Itoa(cfg.Port)) + "/readyz"
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		d.bad("HOST and PORT make no address: %v", err)
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.note("no server answers at %s; `waybill serve` starts one", url)
		return false
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		d.bad("the server at %s is not ready (%s); its log says why", url, res.Status)
		return true
	}
	d.good("the server at %s is ready", url)
	return true
}

func (d *doctor) database(ctx context.Context, cfg *config.Config, running bool) {
	d.say("Database")
	options, name := storeOptions(cfg, slog.New(slog.DiscardHandler)), cfg.DataDir
	if cfg.DatabaseURL.IsSet() {
		// A server that runs elsewhere may still need the schema as it is.
		options.KeepSchema, name = true, cfg.DatabaseURL.String()
	}
	s, err := store.Open(ctx, options)
	switch {
	case err != nil && running && !cfg.DatabaseURL.IsSet():
		d.good("the running server has it open")
		return
	case err != nil:
		d.bad("%v", err)
		return
	}
	counts, err := s.Depth(ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		d.bad("%v", err)
		return
	}
	d.good("%s opens and is up to date", name)
	for status, n := range counts {
		if n > 0 {
			d.note("%d webhook(s) are %s", n, status)
		}
	}
}

// realtime joins the realtime server the way a browser does. A wrong app key
// is answered too: that is all that is needed to see it alive.
func (d *doctor) realtime(ctx context.Context, cfg *config.Config, running bool) {
	d.say("Realtime")
	if !running {
		d.note("not looked at: it runs inside the server")
		return
	}
	key := cfg.Soketi.AppKey
	if key == "" {
		key = "doctor"
	}
	url := "ws://" + net.JoinHostPort(loopback(cfg.Host), strconv.Itoa(cfg.Port)) + "/app/" + key + "?protocol=7&client=waybill-doctor&version=1.0.0"
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, early, _, err := ws.Dial(ctx, url)
	if err != nil {
		d.bad("%s does not take WebSockets: %v; does a proxy in front pass Upgrade on?", url, err)
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	var from io.Reader = conn
	if early != nil { // the server speaks first, maybe within its answer
		from = io.MultiReader(early, conn)
	}
	first, err := wsutil.ReadServerText(struct {
		io.Reader
		io.Writer
	}{from, conn})
	if err != nil || !strings.Contains(string(first), "pusher:") {
		d.bad("%s does not speak the Pusher protocol", url)
		return
	}
	d.good("the realtime server answers")
}

// CheckURL prints whether Shiprocket's form would take a webhook URL.
func CheckURL(url string, out io.Writer) error {
	findings := shiprocket.CheckURL(url)
	for _, f := range findings {
		fmt.Fprintln(out, finding(f))
	}
	if len(findings) > 0 {
		return ErrFindings
	}
	fmt.Fprintln(out, "Shiprocket's form takes this URL.")
	return nil
}

// loopback is where a server that listens on host is reached from here.
func loopback(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

func finding(f shiprocket.Finding) string { return f.Message + " " + f.Mend }
