package chaos

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/process"
	"github.com/webazaar/waybill/e2e/relay"
	"github.com/webazaar/waybill/e2e/replicas"
)

// Replicas that publish to a Pusher server elsewhere, which watchers connect to:
// it is killed, cut off and silent, and so are the others.
func TestReplicasWithAnOutsideServer(t *testing.T) {
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var (
		out     process.Output
		outside *process.Server
	)
	start := func() {
		t.Helper()
		outside, err = process.Start(port, &out, append([]string{"HOME=" + dir, "DATA_DIR=" + dir, "APP_ENV=development", "DRAIN_SECONDS=0"}, replicas.AppSettings()...))
		if err != nil {
			t.Fatal(err)
		}
		if err := outside.Ready(30 * time.Second); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	start()
	t.Cleanup(func() { outside.Kill() })
	between, err := relay.Start(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(between.Close)
	f, faults := fleet(t, "", "LIVE=external", "SOKETI_HOST=127.0.0.1", "SOKETI_PORT="+strconv.Itoa(between.Port()))
	faults = append([]fault{
		{"the outside server killed", func() func() { outside.Kill(); return start }},
		{"the outside server cut off", func() func() { between.Cut(); return restored(t, between) }},
		{"the outside server silent", func() func() { between.Freeze(); return between.Thaw }},
	}, faults...)
	play(t, f, outside.URL, faults)
}
