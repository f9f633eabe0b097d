package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

const (
	// backupPages are copied at a time, and then it rests for as long as that
	// took: at full speed intake's commits wait behind it for the disk.
	backupPages = 64
	// backupSync is after how many bytes the copy is synced. Were all of it
	// synced at the end, the next commit would wait for all of it.
	backupSync = 4 << 20
)

// Progress is told how many bytes of how many are copied. It may be nil.
type Progress func(done, all int64)

func (p Progress) tell(done, all int64) {
	if p != nil {
		p(done, all)
	}
}

// Backup copies the SQLite database of a folder into a new file, beside a
// server that writes: what was acknowledged before is in it, and what is in it
// is of one moment. The file is for this user alone, and has its name only when
// it is whole, checked and on disk. A file that is there is not touched.
//
// One transaction reads all of it, since pages that are copied in several would
// have to be copied anew after each commit in between. While it reads, the
// write-ahead log is not emptied. VACUUM INTO does so too, in twice the time,
// and it cannot rest.
func Backup(ctx context.Context, dataDir, file string, progress Progress) (Contents, error) {
	c, err := backup(ctx, dataDir, file, progress)
	if err != nil {
		return Contents{}, fmt.Errorf("back up %s: %w", dataDir, err)
	}
	return c, nil
}

func backup(ctx context.Context, dataDir, file string, progress Progress) (c Contents, err error) {
	if file, err = filepath.Abs(file); err != nil { // as names in URLs have to be
		return c, err
	}
	if _, err := os.Lstat(file); err == nil {
		return c, errTaken(file)
	}
	db, err := openForReading(dataDir)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	// It is readable for nobody else from the first byte.
	part, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.part")
	if err != nil {
		return c, fmt.Errorf("%w; name a file in a folder that is there and may be written to", err)
	}
	defer func() { err = errors.Join(err, part.Close(), removeIfThere(part.Name())) }()

	if c, err = copyDatabase(ctx, db, part, progress); err != nil {
		return c, err
	}
	if err := checkFile(ctx, part.Name(), "quick_check"); err != nil {
		return c, fmt.Errorf("the copy is damaged, and so may be the database: %w", err)
	}
	if err := publish(part.Name(), file); err != nil {
		return c, err
	}
	return c, syncFolder(filepath.Dir(file))
}

// copyDatabase copies what one transaction sees, syncs it, and says what it is.
func copyDatabase(ctx context.Context, db *sql.DB, to *os.File, progress Progress) (c Contents, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
		return c, err
	}
	defer func() {
		_, ended := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		err = errors.Join(err, ended)
	}()
	// The first that is read fixes the moment.
	if c, err = contents(ctx, conn); err != nil {
		return c, err
	}
	err = conn.Raw(func(driverConn any) error {
		source, ok := driverConn.(interface {
			NewBackup(target string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the driver makes no backups")
		}
		b, err := source.NewBackup(sqliteURL(to.Name(), url.Values{
			"_pragma": {"journal_mode(off)", "synchronous(off)", "cache_size(-2000)"},
		}))
		if err != nil {
			return err
		}
		return errors.Join(copyPages(ctx, b, c.PageSize, to, progress), b.Finish())
	})
	if err == nil {
		err = to.Sync()
	}
	if err != nil {
		return c, err
	}
	info, err := to.Stat()
	if err != nil {
		return c, err
	}
	c.Bytes = info.Size()
	return c, nil
}

func copyPages(ctx context.Context, b *sqlite.Backup, pageSize int64, to *os.File, progress Progress) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for unsynced := int64(0); ; {
		began := time.Now()
		more, err := b.Step(backupPages)
		if err != nil {
			return fmt.Errorf("%w; is there room for it?", err)
		}
		all := int64(b.PageCount())
		progress.tell((all-int64(b.Remaining()))*pageSize, all*pageSize)
		if !more {
			return nil
		}
		if unsynced += backupPages * pageSize; unsynced >= backupSync {
			unsynced = 0
			if err := to.Sync(); err != nil {
				return err
			}
		}
		rest.Reset(time.Since(began))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rest.C:
		}
	}
}

// publish gives a finished file its name, and takes no other's.
func publish(part, file string) error {
	err := os.Link(part, file)
	if errors.Is(err, fs.ErrExist) {
		return errTaken(file)
	}
	if err == nil {
		return nil
	}
	// Not every file system knows links.
	if _, err := os.Lstat(file); err == nil {
		return errTaken(file)
	}
	return os.Rename(part, file)
}

func errTaken(file string) error {
	return fmt.Errorf("%s is there already: name another file, or take that one away", file)
}

func removeIfThere(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFolder makes the names in a folder durable, where that can be done.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = f.Sync() // Windows does not, and does not have to
	return f.Close()
}
