package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Root is the folder of this module.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Build makes the binary of a command of this module, as `make build` does, and
// returns its path in the folder.
func Build(ctx context.Context, root, folder, command string) (string, error) {
	path := filepath.Join(folder, filepath.Base(command))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, command)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, out)
	}
	return path, nil
}

// Node is the path of Node.js for a program in the folder, whose packages are
// installed if they are not yet. The error says why a peer is left out.
func Node(ctx context.Context, folder string) (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("no Node.js found")
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
		install.Dir = folder
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci: %w: %s", err, out)
		}
	}
	return node, nil
}
