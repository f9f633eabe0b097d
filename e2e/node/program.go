// Package node runs Node.js programs for tests: what the browsers, clients and
// servers of a shop do. It promises that what a program needs and is not there is a
// failure in CI and a named skip elsewhere, and that nothing of a program is left
// after Stop.
package node

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"time"
)

// patience is how long a program may take to end by itself on a machine that is
// busy.
const patience = 30 * time.Second

// A Program is one run of a Node.js program that speaks in lines of JSON, and ends
// with its standard input.
type Program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// Start starts a script with its arguments. It has the environment of the test and
// the settings; what it complains about goes to complaints.
func Start(complaints io.Writer, settings []string, script ...string) (*Program, error) {
	p := &Program{cmd: exec.Command("node", script...)} //nolint:noctx // Stop ends it
	p.cmd.Env = append(os.Environ(), settings...)
	p.cmd.Stderr = complaints
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	p.out.Buffer(nil, 1<<20)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// Next waits for the next line that is a T; false when the program has ended. One
// goroutine reads.
func Next[T any](p *Program) (line T, ok bool) {
	for p.out.Scan() {
		var line T
		if json.Unmarshal(p.out.Bytes(), &line) == nil {
			return line, true
		}
	}
	return line, false
}

// Write tells the program a line.
func (p *Program) Write(line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(b, '\n'))
	return err
}

// Stop ends the program and waits for it. One that does not end by itself is
// killed.
func (p *Program) Stop() {
	_ = p.in.Close()
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
}
