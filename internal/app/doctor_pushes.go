package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/inbox"
)

// inPanel is the order of things that works in Shiprocket's panel.
const inPanel = "in Shiprocket's panel (Settings, API, Webhooks) enter the address, then the token, press Test, then switch it on"

// public looks at the address that buyers and Shiprocket use, from here.
func (d *doctor) public(ctx context.Context) {
	d.say("Public address")
	if d.cfg.PublicURL == nil {
		d.note("not looked at: PUBLIC_URL is not set")
		return
	}
	if !d.running {
		d.note("not looked at: no server runs here")
		return
	}
	url := d.webhookURL()
	a, err := d.get(ctx, url)
	switch {
	case err != nil && isCertificate(err):
		d.bad("%s: %v; Shiprocket refuses it too: get a certificate for this name", url, err)
	case err != nil:
		d.note("%s cannot be reached from this machine, which need not mean that others cannot: from elsewhere, `curl -I %s` must say 200", url, url)
	case a.status != http.StatusOK || !strings.Contains(a.body, "Waybill"):
		d.bad("%s answers %d, and it is not waybill that answers: let the proxy pass everything to %s", url, a.status, d.here())
	default:
		d.good("%s leads here", url)
		if apart := time.Since(a.date).Abs(); !a.date.IsZero() && apart > clockSlack {
			d.bad("the clock at PUBLIC_URL and this machine's are %s apart: let both follow NTP", apart.Round(time.Second))
		}
	}
}

// pushes looks for why a webhook does not arrive.
func (d *doctor) pushes(ctx context.Context) {
	d.say("Pushes")
	d.addresses()
	d.refusals(ctx)
	if d.found == nil {
		d.note("the log is not looked at: see Database")
		return
	}
	switch age := time.Since(d.found.NewestPush); {
	case d.found.Recent == 0:
		d.note("none was ever kept: %s", inPanel)
	case age > 24*time.Hour:
		d.note("the last one came %s ago (%s): if parcels are on their way, look whether the webhook is switched on: %s",
			age.Round(time.Hour), d.found.NewestPush.Format(time.RFC3339), inPanel)
	default:
		d.good("the last one came %s ago", max(age, 0).Round(time.Second))
	}
	for _, r := range d.found.Rejected {
		switch r.Reason {
		case inbox.Address:
			d.bad("%d proven push(es) from %s (by %s) are kept as rejected, for the address is not on the list: if it is Shiprocket's, allow it with "+
				"POST /api/webhooks/addresses, which releases them; if it is your proxy's, set TRUSTED_PROXIES and replay them; if neither, change the token", r.N, plainly(r.Peer), plainly(r.Auth))
		case inbox.NotJSON:
			d.note("%d push(es) from %s (by %s) are no JSON: read one in the log (status=rejected), mend its sender, then dismiss them", r.N, plainly(r.Peer), plainly(r.Auth))
		default:
			d.note("%d push(es) from %s (by %s) are rejected: %s", r.N, plainly(r.Peer), plainly(r.Auth), plainly(string(r.Reason)))
		}
	}
}

// addresses compares the list of the settings with the one that is shipped.
func (d *doctor) addresses() {
	if d.cfg.Shiprocket.IPCheck == config.Off {
		d.note("the sender's address is not looked at (SHIPROCKET_IP_CHECK=off)")
		return
	}
	shipped, err := config.Load(nil, config.Production)
	if shipped == nil || len(shipped.Shiprocket.AllowedIPs) == 0 {
		d.note("the shipped list of addresses cannot be read: %v", err)
		return
	}
	var missing []string
	for _, p := range shipped.Shiprocket.AllowedIPs {
		if !slices.ContainsFunc(d.cfg.Shiprocket.AllowedIPs, p.Overlaps) {
			missing = append(missing, p.Addr().String())
		}
	}
	what := "kept and waits until they are allowed"
	if d.cfg.Shiprocket.IPCheck == config.Warn {
		what = "taken and flagged (SHIPROCKET_IP_CHECK=warn)"
	}
	if len(missing) > 0 {
		d.note("SHIPROCKET_ALLOWED_IPS lacks addresses that Shiprocket has published: %s; unless a call has allowed them, what comes from them is %s", strings.Join(missing, ", "), what)
		return
	}
	d.good("the address list holds all that Shiprocket had published when this waybill was made; what comes from newer ones is %s", what)
}

// refusals asks the running server how many pushes it turned away; those are
// in no database.
func (d *doctor) refusals(ctx context.Context) {
	url, headers := "http://"+d.here()+"/metrics", []string{"Authorization", "Bearer " + d.cfg.AdminToken.Reveal()}
	switch {
	case !d.running:
		d.note("refused pushes (401) are not looked at: no server runs here, and only it counts them")
		return
	case d.cfg.MetricsAddr != "":
		url, headers = "http://"+d.cfg.MetricsAddr+"/metrics", nil
	case !d.cfg.AdminToken.IsSet():
		d.note("refused pushes (401) are not looked at: that takes ADMIN_TOKEN or METRICS_ADDR")
		return
	}
	a, err := d.get(ctx, url, headers...)
	switch {
	case err != nil:
		d.note("refused pushes (401) are not looked at: %s does not answer; is METRICS_ADDR the server's?", url)
		return
	case a.status != http.StatusOK:
		d.note("refused pushes (401) are not looked at: %s answers %d; is ADMIN_TOKEN the server's?", url, a.status)
		return
	}
	token, signature := a.count(`outcome="bad_token"`), a.count(`outcome="bad_signature"`)
	proved := a.count(`outcome="`) - token - signature
	said := fmt.Sprintf("%d push(es) since the server started were answered 401", token+signature)
	switch {
	case token+signature == 0:
		d.good("no push was refused for its proof since the server started")
	case proved == 0:
		d.bad("%s, and none had a good proof: the token in the panel is not one of SHIPROCKET_WEBHOOK_TOKEN, or was entered after Test was pressed: %s", said, inPanel)
	default:
		d.note("%s, and %d had a good proof: somebody tries, or a second webhook has an old token", said, proved)
	}
	if signature > 0 {
		d.note("%d of them had a signature that is of no SHIPROCKET_WEBHOOK_SECRET; a good token does not save them", signature)
	}
}

// count adds up the samples of received pushes in which label stands.
func (a answered) count(label string) int {
	total := 0
	for line := range strings.Lines(a.body) {
		if !strings.HasPrefix(line, "waybill_webhooks_received_total{") || !strings.Contains(line, label) {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), 64); err == nil {
			total += int(n)
		}
	}
	return total
}

// manyRepeats is from how many on a share tells something.
const manyRepeats = 20

// duplicates says how much comes twice, and of what.
func (d *doctor) duplicates() {
	d.say("Duplicates")
	if d.found == nil {
		d.note("not looked at: see Database")
		return
	}
	again, soon := 0, 0
	var of []string
	for _, r := range d.found.Repeats {
		again, soon = again+r.N, soon+r.Soon
		if len(of) < 5 {
			of = append(of, fmt.Sprintf("%s %d", cmp.Or(plainly(r.What), "(no status)"), r.N))
		}
	}
	if again == 0 {
		d.good("of the newest %d push(es) none is a repeat; %d said nothing new", d.found.Recent, d.found.NothingNew)
		return
	}
	d.note("of the newest %d push(es) %d are repeats (%s), %d of them within a minute; %d more said nothing new. They change no timeline",
		d.found.Recent, again, strings.Join(of, ", "), soon, d.found.NothingNew)
	if soon >= manyRepeats && soon*2 >= d.found.Originals {
		d.note("nearly every push comes twice: look in the panel whether two webhooks point here (also one at each of waybill's two paths), and take one away")
	}
}
