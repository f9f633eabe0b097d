package store_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir, url := os.Getenv(victimDir), os.Getenv(victimURL); dir+url != "" {
		appendUntilKilled(dir, url)
	}
	goleak.VerifyTestMain(m)
}
