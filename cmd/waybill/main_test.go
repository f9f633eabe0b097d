package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// ran is what a command line ends with and says.
func ran(environ []string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = run(args, environ, &o, &e)
	return code, o.String(), e.String()
}

func TestHelpIsPrinted(t *testing.T) {
	t.Parallel()
	for args, part := range map[string]string{
		"": "check-url <url>", "help": "check-url <url>", "--help": "check-url <url>",
		"help replay": "--status=STRING", "help token create": "--expires=STRING",
	} {
		code, out, errOut := ran([]string{"ADMIN_TOKEN=hidden"}, strings.Fields(args)...)
		if code != 0 || errOut != "" || !strings.Contains(out, part) || strings.Contains(out, "hidden") {
			t.Errorf("waybill %s: %d %q %q", args, code, out, errOut)
		}
	}
}

// What is read by scripts has nothing of an error in it.
func TestErrorsGoToTheErrorStream(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{
		"lost": 2, "serve --port 3": 2, "token": 2, "token create --role x --name y": 2, "backup": 2, "check-url": 2,
		"replay --all": 1, "backup copy.db": 1, "restore copy.db": 1, "simulate --duplicates 2": 1,
	} {
		code, out, errOut := ran([]string{"DATA_DIR=" + t.TempDir()}, strings.Fields(args)...)
		if code != want || out != "" || !strings.Contains(errOut, "waybill: ") {
			t.Errorf("waybill %s: %d, want %d; %q %q", args, code, want, out, errOut)
		}
	}
}

// A database that cannot be named is not taken for the one in DATA_DIR.
func TestNoOtherDatabaseIsTouched(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"migrate", "backup copy.db", "restore copy.db", "token list"} {
		for _, broken := range []string{"DATABASE_URL_FILE=/is/not/there", "DATABASE_URL=mysql://db/waybill"} {
			dir := t.TempDir()
			code, out, errOut := ran([]string{"DATA_DIR=" + dir, broken}, strings.Fields(args)...)
			if code != 2 || out != "" || !strings.Contains(errOut, "DATABASE_URL") {
				t.Errorf("waybill %s with %s: %d %q %q", args, broken, code, out, errOut)
			}
			if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
				t.Errorf("waybill %s with %s made %v, %v", args, broken, made, err)
			}
		}
	}
}
