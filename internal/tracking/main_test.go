package tracking_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain keeps the property tests short under the race detector;
// -rapid.checks=10000 looks longer.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
