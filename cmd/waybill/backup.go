package main

import (
	"io"
	"os"

	"github.com/webazaar/waybill/internal/app"
)

type backupCmd struct {
	File string `arg:"" help:"The file to make; one that is there is not overwritten."`
}

// Run copies the database of the settings while a server may be running on it.
func (c backupCmd) Run(e *env) error {
	cfg, err := e.database()
	if err != nil {
		return err
	}
	return app.Backup(e.ctx, cfg, app.CopyOptions{File: c.File, Out: e.out, Terminal: terminal(e.err)})
}

type restoreCmd struct {
	File string `arg:"" help:"A file that waybill backup made."`
}

// Run makes the database of an empty DATA_DIR.
func (c restoreCmd) Run(e *env) error {
	cfg, err := e.database()
	if err != nil {
		return err
	}
	return app.Restore(e.ctx, cfg, app.CopyOptions{File: c.File, Out: e.out, Terminal: terminal(e.err)})
}

// terminal is w if a person looks at it, else nil.
func terminal(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}
