package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Restore puts a backup into a folder that holds nothing yet and that no
// server has open. It is checked, page by page and in its schema, before the
// folder has a database of it. An older schema is brought up to date by the
// next start.
func Restore(ctx context.Context, dataDir, file string, progress Progress) (Contents, error) {
	c, err := restore(ctx, dataDir, file, progress)
	if err != nil {
		return Contents{}, fmt.Errorf("restore %s: %w", file, err)
	}
	return c, nil
}

func restore(ctx context.Context, dataDir, file string, progress Progress) (c Contents, err error) {
	from, err := openBackup(file)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return c, err
	}
	if err := holdsNothing(dataDir); err != nil {
		return c, err
	}
	unlock, err := lockFolder(filepath.Join(dataDir, lockFile))
	if err != nil {
		return c, fmt.Errorf("into %s: %w", dataDir, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := holdsNothing(dataDir); err != nil { // a server may have come and gone
		return c, err
	}

	part := filepath.Join(dataDir, partFile)
	defer func() { err = errors.Join(err, removeIfThere(part)) }()
	if err := copyFile(ctx, from, part, progress); err != nil {
		return c, err
	}
	if err := checkFile(ctx, part, "integrity_check"); err != nil {
		return c, fmt.Errorf("it is damaged: %w; take an older backup", err)
	}
	err = readFile(ctx, part, func(conn *sql.Conn) error {
		c, err = contents(ctx, conn)
		return err
	})
	if err != nil {
		return c, err
	}
	info, err := os.Stat(part)
	if err != nil {
		return c, err
	}
	c.Bytes = info.Size()
	// Who restores as root leaves the files to whom the folder belongs to.
	for _, name := range []string{part, filepath.Join(dataDir, lockFile)} {
		if err := giveToOwnerOf(dataDir, name); err != nil {
			return c, err
		}
	}
	if err := os.Rename(part, filepath.Join(dataDir, databaseFile)); err != nil {
		return c, err
	}
	return c, syncFolder(dataDir)
}

// partFile is the database while it is being restored. What an attempt that was
// killed left of it is overwritten.
const partFile = databaseFile + ".part"

// openBackup opens what looks like a backup.
func openBackup(file string) (*os.File, error) {
	if _, err := os.Stat(file + "-wal"); err == nil {
		return nil, errors.New("it has a write-ahead log beside it, so it is a server's database and not a backup: make one of it with `waybill backup`")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != magic {
		return nil, errors.Join(errors.New("it is not a file that `waybill backup` made; one of pg_dump's is for pg_restore"), f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// holdsNothing allows for what a volume or an earlier server leaves in an empty
// folder.
func holdsNothing(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case lockFile, partFile, "lost+found":
		default:
			return fmt.Errorf("%s is not empty (it has %s): name an empty folder with DATA_DIR, or move away what is there", dir, e.Name())
		}
	}
	return nil
}

func copyFile(ctx context.Context, from *os.File, name string, progress Progress) (err error) {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for done := int64(0); ; {
		n, err := io.CopyN(to, from, backupSync)
		done += n
		progress.tell(done, info.Size())
		if errors.Is(err, io.EOF) {
			return to.Sync()
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}
