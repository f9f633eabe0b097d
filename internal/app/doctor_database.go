package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
)

const (
	littleRoom = 1 << 30   // a note
	noRoom     = 200 << 20 // intake may be refused within the hour
	// clockSlack is how far clocks may be apart: signatures of live updates are
	// refused at ten minutes, watch tokens end early.
	clockSlack = time.Minute
)

// database looks into the database and at what it lies on.
func (d *doctor) database(ctx context.Context) {
	d.say("Database")
	options := storeOptions(d.cfg, slog.New(slog.DiscardHandler))
	name := d.cfg.DataDir
	if d.cfg.DatabaseURL.IsSet() {
		name = d.cfg.DatabaseURL.String()
	} else if !d.folder() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*lookTimeout)
	defer cancel()
	e, err := store.Examine(ctx, options)
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.running:
		d.bad("a server runs here, and not on %s: give doctor the settings of the server, DATA_DIR above all", name)
		return
	case errors.Is(err, fs.ErrNotExist):
		d.note("%s has no database yet: `waybill serve` makes it", name)
		return
	case errors.Is(err, fs.ErrPermission):
		d.bad("%s may not be read by this user: %v; run doctor as the user of the server", name, err)
		return
	case err != nil && d.cfg.DatabaseURL.IsSet():
		d.bad("%s: %s; check DATABASE_URL, and that the database is up and takes connections from this machine", name, oneLine(err))
		return
	case err != nil:
		d.bad("%s: %s", name, oneLine(err))
		return
	}
	if !d.schema(name, &e) {
		return
	}
	d.found = &e
	if e.Lossy {
		d.bad("the PostgreSQL server may lose what it has acknowledged: set fsync and full_page_writes to on in postgresql.conf")
	}
	if apart := time.Since(e.Clock).Abs(); !e.Clock.IsZero() && apart > clockSlack {
		d.bad("the database server's clock and this machine's are %s apart: let both follow NTP", apart.Round(time.Second))
	}
	if ahead := time.Until(e.NewestPush); ahead > clockSlack {
		d.bad("the newest push was received %s from now: this machine's clock has gone back; let it follow NTP", ahead.Round(time.Second))
	}
	for _, status := range []inbox.Status{inbox.Pending, inbox.Failed, inbox.Parked, inbox.Rejected} {
		if n := e.Kept[status]; n > 0 {
			d.note("%d webhook(s) are %s", n, status)
		}
	}
}

// schema reports whether the schema is the one this program needs.
func (d *doctor) schema(name string, e *store.Examination) bool {
	switch {
	case e.Schema > e.Known:
		d.bad("%s has the schema of a newer waybill (version %d; this one knows %d): run that one, or restore a backup from before", name, e.Schema, e.Known)
	case e.Schema < e.Known && d.cfg.DatabaseURL.IsSet():
		d.bad("%s: its schema has version %d, and this waybill needs %d: `waybill migrate` brings it up to date, and so does `waybill serve`", name, e.Schema, e.Known)
	case e.Schema < e.Known:
		d.note("%s has schema version %d; `waybill serve` brings it to %d when it starts; make a backup first", name, e.Schema, e.Known)
	default:
		d.good("%s opens and is up to date (schema version %d)", name, e.Schema)
		return true
	}
	return false
}

// folder looks at DATA_DIR: what it is, who may read it, how much room it has.
// It reports whether there may be a database in it.
func (d *doctor) folder() bool {
	dir := d.cfg.DataDir
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true // it is said that there is no database
	}
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err != nil {
		d.bad("DATA_DIR %s: %v: name a folder that the server may write to", dir, err)
		return false
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 && unixModes {
		d.bad("others may change what is in %s (mode %#o): chmod go-w %s", dir, mode, dir)
	}
	database := int64(0)
	var first fs.FileInfo
	for _, name := range []string{"waybill.db", "waybill.db-wal", "waybill.db-shm", "waybill.lock"} {
		file, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if first == nil {
			first = file
		}
		database += file.Size()
		d.permissions(filepath.Join(dir, name), file, first)
	}
	free, known := freeSpace(dir)
	room := megabytes(free)
	switch {
	case !known:
	case free < noRoom:
		d.bad("the disk of %s has %s left, and pushes are refused when it is full: make room or take a larger disk", dir, room)
	case free < littleRoom:
		d.note("the disk of %s has only %s left", dir, room)
	case free < database:
		d.good("the disk of %s has %s left; that is no room for a backup beside the database (%s)", dir, room, megabytes(database))
	default:
		d.good("the disk of %s has %s left; the database takes %s", dir, room, megabytes(database))
	}
	return true
}

// permissions looks at one of the database's files; all of them belong to the
// user of the first.
func (d *doctor) permissions(path string, file, first fs.FileInfo) {
	if mode := file.Mode().Perm(); mode&0o077 != 0 && unixModes {
		d.bad("%s may be used by others (mode %#o), and customers' data and secrets are in it: chmod go= %s", path, mode, path)
	}
	if its, others := ownerOf(file), ownerOf(first); its != others {
		d.bad("%s belongs to user %d, and the others in its folder to user %d, so that no server gets at all of them: chown all to the server's user", path, its, others)
	}
}

// oneLine is an error without line breaks and what it says twice: a driver tells
// of every try on a line of its own.
func oneLine(err error) string {
	var told []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(told, line) {
			told = append(told, line)
		}
	}
	return strings.Join(told, " ")
}

// plainly makes a text that somebody sent fit to be printed.
func plainly(s string) string {
	r := slices.DeleteFunc([]rune(s), func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
	if len(r) > 40 {
		r = append(r[:39], '…')
	}
	return string(r)
}
