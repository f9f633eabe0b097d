package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Need makes sure that Node.js is there, and the npm packages of the folder.
func Need(t testing.TB, folder string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "Node.js is missing: install Node.js 20 or newer")
	}
	packages := filepath.Join(folder, "node_modules")
	// What npm writes last.
	if _, err := os.Stat(filepath.Join(packages, ".package-lock.json")); err != nil {
		if path, err := filepath.Abs(packages); err == nil {
			packages = path
		}
		missing(t, packages+" is missing: run `make packages`")
	}
}

// NeedChromium makes sure that the browser is there.
func NeedChromium(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(Chromium()); err != nil {
		missing(t, "Chromium is missing: run scripts/chromium, or set CHROMIUM")
	}
}

// Chromium is the path of the browser, for the programs that drive one.
func Chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
