package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/store"
)

// CopyOptions are what Backup and Restore take.
type CopyOptions struct {
	File     string
	Out      io.Writer
	Terminal io.Writer // shows progress to someone who waits; nil: nobody does
}

// errDump and errRestoreDump are the mends for PostgreSQL, which has tools of
// its own. The URL, with its password, is left in the environment.
var (
	errDump = errors.New("DATABASE_URL is set, and PostgreSQL makes its own backups, also while servers run:\n" +
		`  pg_dump --format=custom --file=waybill.dump "$DATABASE_URL"`)
	errRestoreDump = errors.New("DATABASE_URL is set, and PostgreSQL restores its own backups, into an empty database and before a server starts on it:\n" +
		`  pg_restore --no-owner --exit-on-error --single-transaction --dbname="$DATABASE_URL" waybill.dump`)
)

// Backup copies the SQLite database into a file, beside a running server.
func Backup(ctx context.Context, cfg *config.Config, o CopyOptions) error {
	if cfg.DatabaseURL.IsSet() {
		return errDump
	}
	c, err := store.Backup(ctx, cfg.DataDir, o.File, o.progress("backing up"))
	if err != nil {
		return err
	}
	return o.report("backed up to "+o.File, c)
}

// Restore makes the database of an empty DATA_DIR out of a backup.
func Restore(ctx context.Context, cfg *config.Config, o CopyOptions) error {
	if cfg.DatabaseURL.IsSet() {
		return errRestoreDump
	}
	c, err := store.Restore(ctx, cfg.DataDir, o.File, o.progress("restoring"))
	if err != nil {
		return err
	}
	return o.report("restored into "+cfg.DataDir, c)
}

func (o CopyOptions) report(what string, c store.Contents) error {
	newest := "no push yet"
	if !c.NewestPush.IsZero() {
		newest = "the newest of " + c.NewestPush.Format(time.RFC3339)
	}
	_, err := fmt.Fprintf(o.Out, "%s: %d webhook(s), %s; %d order(s); %s; schema version %d; checked\n",
		what, c.Webhooks, newest, c.Orders, megabytes(c.Bytes), c.Schema)
	return err
}

// progress shows how far it is, a few times a second, in a line that is
// written over.
func (o CopyOptions) progress(doing string) store.Progress {
	if o.Terminal == nil {
		return nil
	}
	var shown time.Time
	return func(done, all int64) {
		switch {
		case done >= all:
			fmt.Fprintf(o.Terminal, "\r%s: %s copied, checking …\x1b[K\n", doing, megabytes(all))
		case time.Since(shown) > 200*time.Millisecond:
			shown = time.Now()
			fmt.Fprintf(o.Terminal, "\r%s: %s of %s (%d %%)\x1b[K", doing, megabytes(done), megabytes(all), 100*done/all)
		}
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
