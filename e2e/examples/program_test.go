package examples

import (
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/webazaar/waybill/e2e/process"
)

// environ is what a program of a shop needs of this machine's environment.
var environ = []string{"PATH", "HOME", "TMPDIR"}

// command is a program of a shop, with nothing in its environment but the settings.
func command(t *testing.T, folder string, settings []string, name string, arguments ...string) (*exec.Cmd, *process.Output) {
	t.Helper()
	cmd, out := exec.Command(name, arguments...), &process.Output{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, out, out
	cmd.Env = append([]string{"NEXT_TELEMETRY_DISABLED=1", "TZ=UTC"}, settings...)
	for _, name := range environ {
		if value, set := os.LookupEnv(name); set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd, out
}

// runToEnd runs a program to its end.
func runToEnd(t *testing.T, folder string, settings []string, name string, arguments ...string) {
	t.Helper()
	cmd, out := command(t, folder, settings, name, arguments...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s in %s: %v\n%s", cmd, folder, err, out)
	}
}

// runShop starts a shop's server and waits until it answers. It is killed when
// the test ends.
func runShop(t *testing.T, url, folder string, settings []string, name string, arguments ...string) {
	t.Helper()
	cmd, out := command(t, folder, settings, name, arguments...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the shop in %s wrote:\n%s", folder, out)
		}
	})
	await(t, "answer of "+url, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		return res.Body.Close() == nil
	})
}
