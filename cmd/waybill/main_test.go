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
