package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
)

// ErrFindings says that something is wrong and was printed.
var ErrFindings = errors.New("something is wrong")

// Doctor prints every setting and everything that is wrong with the settings,
// the webhook's way, the database and the live updates, each with its mend. It
// changes nothing, and works beside a running server. It returns ErrFindings if
// anything would keep Waybill from working.
func Doctor(ctx context.Context, cfg *config.Config, loaded error, out io.Writer) error {
	d := &doctor{cfg: cfg, out: out, http: &http.Client{
		Timeout:       lookTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true}, // and no proxy, which would learn the admin token
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.settings(loaded)
	d.url()
	d.server(ctx)
	d.database(ctx)
	d.public(ctx)
	d.pushes(ctx)
	d.duplicates()
	d.live(ctx)
	if d.wrong > 0 {
		d.say("\n%d thing(s) to mend.", d.wrong)
		return ErrFindings
	}
	d.say("\nNothing is wrong.")
	return nil
}

// lookTimeout is how long doctor waits for anyone.
const lookTimeout = 3 * time.Second

type doctor struct {
	cfg   *config.Config
	out   io.Writer
	http  *http.Client
	wrong int

	running bool               // a server with these settings answers here
	found   *store.Examination // nil: the database could not be looked into
}

func (d *doctor) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *doctor) good(format string, args ...any) { d.say("  ok    "+format, args...) }

func (d *doctor) note(format string, args ...any) { d.say("  note  "+format, args...) }

func (d *doctor) bad(format string, args ...any) {
	d.wrong++
	d.say("  WRONG "+format, args...)
}

func (d *doctor) settings(loaded error) {
	d.say("Settings")
	for _, row := range d.cfg.Summary() {
		d.say("  %-28s %s (%s)\n      %s", row.Name, row.Value, row.Source, row.Explain)
	}
	var problems config.Problems
	if errors.As(loaded, &problems) {
		for _, p := range problems {
			d.bad("%s", p.String())
		}
	}
	for _, w := range d.cfg.Warnings() {
		d.note("%s", w.String())
	}
	if loaded == nil {
		d.good("the settings are valid")
	}
}

func (d *doctor) url() {
	d.say("Webhook URL")
	if d.cfg.PublicURL == nil {
		d.note("not looked at: PUBLIC_URL is not set, or is no address; set it to the one buyers and Shiprocket reach")
		return
	}
	findings := shiprocket.CheckURL(d.webhookURL())
	for _, f := range findings {
		d.bad("%s", finding(f))
	}
	if len(findings) == 0 {
		d.good("Shiprocket's form takes %s", d.webhookURL())
	}
}

func (d *doctor) webhookURL() string {
	return strings.TrimRight(d.cfg.PublicURL.String(), "/") + shiprocket.NeutralPath
}

// here is where a server with these settings is reached from this machine.
func (d *doctor) here() string {
	return net.JoinHostPort(loopback(d.cfg.Host), strconv.Itoa(d.cfg.Port))
}

// server asks a Waybill that runs with these settings, if one does.
func (d *doctor) server(ctx context.Context) {
	d.say("Server")
	url := "http://" + d.here() + "/readyz"
	a, err := d.get(ctx, url)
	switch {
	case err != nil:
		d.note("no server answers at %s; `waybill serve` starts one", url)
		return
	case !strings.HasPrefix(a.body, `{"success":`):
		d.bad("%s answers %d, and it is not waybill that answers: another service has this port; stop it, or give HOST and PORT others", url, a.status)
		return
	case a.status != http.StatusOK:
		d.bad("the server at %s is not ready (%d %s); its log says why", url, a.status, http.StatusText(a.status))
	default:
		d.good("the server at %s is ready", url)
	}
	d.running = true
}

// answered is what a server said.
type answered struct {
	status int
	body   string
	date   time.Time // by its clock; zero if it does not tell
}

// get reads the first of what stands at a URL.
func (d *doctor) get(ctx context.Context, url string, headers ...string) (a answered, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := d.http.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	a = answered{status: res.StatusCode, body: string(body)}
	a.date, _ = http.ParseTime(res.Header.Get("Date"))
	return a, err
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

func finding(f shiprocket.Finding) string { return f.Message + ". To mend it: " + f.Mend }
