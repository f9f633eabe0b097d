package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/webazaar/waybill/e2e/process"
)

// Scripts read like a terminal session; each has a free port, tokens and a data
// folder of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(binary(t))
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			port := strconv.Itoa(freePort(t))
			env.Setenv("HOST", "127.0.0.1")
			env.Setenv("PORT", port)
			env.Setenv("URL", "http://127.0.0.1:"+port)
			env.Setenv("DRAIN_SECONDS", "0")
			env.Setenv("DATA_DIR", filepath.Join(env.WorkDir, "data"))
			env.Setenv("TOKEN", webhookToken)
			env.Setenv("ADMIN", adminToken)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// ready waits until the server of this script answers.
			"ready": func(ts *testscript.TestScript, _ bool, _ []string) {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for range 1000 {
					if res, err := http.Get(ts.Getenv("URL") + "/readyz"); err == nil {
						res.Body.Close()
						if res.StatusCode == http.StatusOK {
							return
						}
					}
					<-tick.C
				}
				ts.Fatalf("%s is not ready", ts.Getenv("URL"))
			},
			// settled waits until nothing is pending.
			"settled": func(ts *testscript.TestScript, _ bool, _ []string) {
				s := &server{t: t, url: ts.Getenv("URL"), log: &process.Output{}}
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for range 1000 {
					a, err := s.do(t.Context(), "GET", "/api/webhooks/logs?status=pending&limit=1", nil, "Authorization", "Bearer "+adminToken)
					var p logPage
					if err == nil {
						a.json(t, &p)
						if p.Success && p.Total == 0 {
							return
						}
					}
					<-tick.C
				}
				ts.Fatalf("pushes are still pending")
			},
			// push sends a file as a webhook, and prints the answer.
			"push": func(ts *testscript.TestScript, _ bool, args []string) {
				s := &server{t: t, url: ts.Getenv("URL")}
				a, err := s.do(t.Context(), "POST", "/api/webhooks/courier", []byte(ts.ReadFile(args[0])), "x-api-key", webhookToken)
				ts.Check(err)
				fmt.Fprintf(ts.Stdout(), "%d %s", a.status, a.body)
			},
			// call makes a call with the token that a file holds, and prints the
			// answer: FILE METHOD PATH [BODY].
			"call": func(ts *testscript.TestScript, _ bool, args []string) {
				s := &server{t: t, url: ts.Getenv("URL")}
				a, err := s.do(t.Context(), args[1], args[2], []byte(strings.Join(args[3:], " ")), "Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(args[0])))
				ts.Check(err)
				fmt.Fprintf(ts.Stdout(), "%d %s", a.status, a.body)
			},
			// revoke revokes the token with a name, by the list printed last.
			"revoke": func(ts *testscript.TestScript, _ bool, args []string) {
				for line := range strings.Lines(ts.ReadFile("stdout")) {
					if fields := strings.Fields(line); slices.Contains(fields, args[0]) {
						ts.Check(ts.Exec("waybill", "token", "revoke", fields[0]))
						return
					}
				}
				ts.Fatalf("no token is named %s", args[0])
			},
			// get makes an admin call, and prints the answer.
			"get": func(ts *testscript.TestScript, _ bool, args []string) {
				s := &server{t: t, url: ts.Getenv("URL")}
				a, err := s.do(t.Context(), "GET", args[0], nil, "Authorization", "Bearer "+adminToken)
				ts.Check(err)
				fmt.Fprintf(ts.Stdout(), "%d %s", a.status, a.body)
			},
		},
	})
}
