package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	sdk "github.com/pusher/pusher-http-go/v5"

	"github.com/webazaar/waybill/internal/bus"
)

// live looks for why live updates do not arrive: it joins the way browsers do.
func (d *doctor) live(ctx context.Context) {
	d.say("Live updates")
	d.mixedContent()
	if d.cfg.Live.External() {
		d.outside(ctx)
	}
	key := d.cfg.Soketi.AppKey
	if key == "" && d.found != nil {
		key = d.found.AppKey
	}
	if key != "" {
		d.good("browsers connect with the app key %s, which is public", key)
	}
	d.shared(ctx)
	if d.cfg.Live.Embedded() {
		if !d.running {
			d.note("the server inside is not looked at: no waybill runs here")
			return
		}
		d.join(ctx, "ws://"+d.here(), key, "", true)
	}
	if socket := d.socketURL(); socket == "" {
		d.note("the way of browsers is not looked at: PUBLIC_URL is not set")
	} else {
		for _, origin := range d.origins() {
			d.join(ctx, socket, key, origin, false)
		}
	}
	if !d.cfg.PublicOrderChannels {
		d.note("PUBLIC_ORDER_CHANNELS=false: only those who join private-order-{orderId} with a watch token hear anything")
	}
}

// shared asks what carries updates between several processes.
func (d *doctor) shared(ctx context.Context) {
	switch {
	case !d.cfg.Live.Embedded():
	case d.cfg.RedisURL.IsSet():
		redis, err := bus.NewRedis(bus.RedisOptions{URL: d.cfg.RedisURL.Reveal(), App: "doctor"})
		if err == nil {
			err = redis.Ping(ctx)
		}
		if err != nil {
			d.bad("Redis, which carries updates between processes, cannot be used: %s; check REDIS_URL, and that it is version 6 or later", err)
			return
		}
		d.good("Redis answers: updates reach the watchers of every process that uses it")
	case d.cfg.DatabaseURL.IsSet():
		d.note("updates go from process to process through PostgreSQL; REDIS_URL names a Redis that is faster at it")
	default:
		d.note("with SQLite this process is the only one: a second one needs DATABASE_URL")
	}
}

// socketURL is where browsers are sent to; "" is wherever their page is.
func (d *doctor) socketURL() string {
	s := d.cfg.BrowserSocket()
	if s.Host == "" {
		return ""
	}
	scheme := "ws"
	if s.TLS != nil && *s.TLS {
		scheme = "wss"
	}
	return scheme + "://" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// origins are those of the pages that open the connection.
func (d *doctor) origins() []string {
	var origins []string
	if u := d.cfg.PublicURL; u != nil {
		origins = append(origins, u.Scheme+"://"+u.Host)
	}
	origins = append(origins, d.cfg.AllowedOrigins...)
	if len(origins) == 0 {
		origins = append(origins, "")
	}
	return origins
}

// mixedContent: a page that came over TLS may not open a connection without.
func (d *doctor) mixedContent() {
	if !strings.HasPrefix(d.socketURL(), "ws://") {
		return
	}
	for _, origin := range d.origins() {
		if strings.HasPrefix(origin, "https://") {
			d.bad("pages of %s come over TLS, and browsers forbid them %s: set SOKETI_PUBLIC_TLS=true and SOKETI_PUBLIC_PORT to a port with TLS", origin, d.socketURL())
		}
	}
}

// outside asks the server that updates are published to, signed as they are.
func (d *doctor) outside(ctx context.Context) {
	set := d.cfg.Soketi
	host := net.JoinHostPort(set.Host, strconv.Itoa(set.Port))
	if set.AppID == "" || set.AppKey == "" || !set.AppSecret.IsSet() {
		d.bad("SOKETI_APP_ID, SOKETI_APP_KEY and SOKETI_APP_SECRET must be those of the app at %s", host)
		return
	}
	asked, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment} // as publishing does
	seen := &lastStatus{RoundTripper: transport, ctx: asked}
	client := &sdk.Client{
		AppID: set.AppID, Key: set.AppKey, Secret: set.AppSecret.Reveal(), Host: host, Secure: set.UseTLS,
		HTTPClient: &http.Client{Timeout: lookTimeout, Transport: seen},
	}
	_, err := client.Channels(sdk.ChannelsParams{})
	switch {
	case err == nil:
		d.good("the outside server at %s takes app %s with this key and secret", host, set.AppID)
	case seen.status == http.StatusUnauthorized || seen.status == http.StatusForbidden:
		d.bad("the outside server at %s refuses the signature (%d): SOKETI_APP_KEY and SOKETI_APP_SECRET must be the app's, and both machines' clocks right", host, seen.status)
	case seen.status == http.StatusNotFound:
		d.bad("the outside server at %s knows no app %s: check SOKETI_APP_ID, and that SOKETI_HOST and SOKETI_PORT are its", host, set.AppID)
	case seen.status != 0:
		d.bad("the outside server at %s answers %d: see its own log", host, seen.status)
	default:
		d.bad("the outside server at %s cannot be reached: %s; check SOKETI_HOST, SOKETI_PORT and SOKETI_USE_TLS", host, withoutURL(err))
	}
}

// lastStatus remembers what was answered: the SDK's errors are texts.
type lastStatus struct {
	http.RoundTripper
	ctx    context.Context //nolint:containedctx // the SDK takes none
	status int
}

func (l *lastStatus) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r.WithContext(l.ctx))
	if err == nil {
		l.status = res.StatusCode
	}
	return res, err
}

// withoutURL leaves the signed query out of an error.
func withoutURL(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// join opens a connection as a page of an origin does. Nearby, a server that
// cannot be reached is a finding; from elsewhere the way may be another.
func (d *doctor) join(ctx context.Context, at, key, origin string, nearby bool) {
	from := ""
	if origin != "" {
		from = " from " + origin
	}
	first, err := greeting(ctx, at+"/app/"+cmp.Or(key, "doctor")+"?protocol=7&client=waybill-doctor&version=1.0.0", origin)
	status, refused := errors.AsType[ws.StatusError](err)
	switch {
	case refused && int(status) == http.StatusUpgradeRequired:
		d.bad("%s is reached%s without the Upgrade header: a proxy strips it; let it pass Upgrade and Connection on at /app/", at, from)
	case refused:
		d.bad("%s answers %d%s where it should switch to WebSocket: let the proxy pass Upgrade and Connection on at /app/, and the path to waybill", at, int(status), from)
	case err != nil && isCertificate(err):
		d.bad("%s: %v: get a certificate for this name", at, err)
	case err != nil && nearby:
		d.bad("%s does not take WebSockets: %v", at, err)
	case err != nil:
		d.note("%s cannot be reached from this machine, which need not mean that browsers cannot: look for /app/ in a browser's network tab", at)
	case strings.Contains(first, "pusher:connection_established"):
		d.good("%s takes watchers%s", at, from)
	case strings.Contains(first, `4001`) && key != "":
		d.bad("%s knows no app key %s: another server answers there, or one with another SOKETI_APP_KEY", at, key)
	case strings.Contains(first, `4001`):
		d.good("%s answers%s; its app key is not known here", at, from)
	case strings.Contains(first, `4009`):
		d.bad("%s refuses the origin%s: allow it in that server's settings", at, from)
	case strings.Contains(first, "pusher:error"):
		d.bad("%s refuses watchers%s: %s", at, from, plainly(first))
	default:
		d.bad("%s does not speak the Pusher protocol: is it another service?", at)
	}
}

// greeting is the first thing that a realtime server says.
func greeting(ctx context.Context, url, origin string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	dialer := ws.Dialer{Timeout: lookTimeout}
	if origin != "" {
		dialer.Header = ws.HandshakeHeaderHTTP(http.Header{"Origin": {origin}})
	}
	conn, early, _, err := dialer.Dial(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(lookTimeout))
	var from io.Reader = conn
	if early != nil { // the server speaks first, maybe within its answer
		from = io.MultiReader(early, conn)
	}
	first, err := wsutil.ReadServerText(struct {
		io.Reader
		io.Writer
	}{from, conn})
	if err != nil {
		return "", nil // it answered, and not as such a server does
	}
	return string(first), nil
}

func isCertificate(err error) bool {
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return true
	}
	_, is := errors.AsType[x509.HostnameError](err)
	return is
}
