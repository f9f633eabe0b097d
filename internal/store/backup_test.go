package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// Beside a server that takes in pushes all the while: what was acknowledged
// before is in the backup, and what is in it opens and is of one moment.
func TestBackupBesideAWriter(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	applied := apply(t, s, told{awb: "A", sr: "S", milestone: tracking.Delivered, label: "DELIVERED", at: noon})[0]
	var before []string
	for i := range 300 {
		w := pushed(fmt.Sprint("before", i), fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 4000)))
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		before = append(before, w.EventID)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if _, err := s.Append(ctx, pushed(fmt.Sprint("during", i), "{}")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	file := filepath.Join(t.TempDir(), "waybill.backup")
	var told int
	made, err := store.Backup(ctx, b.DataDir, file, func(done, all int64) {
		told++
		if done > all || all < 1<<20 {
			t.Errorf("%d of %d bytes", done, all)
		}
	})
	close(done)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if told < 3 || made.Webhooks < 301 || made.Orders != 1 || !made.NewestPush.Equal(noon) || made.Bytes < 1<<20 || made.Schema == 0 {
		t.Errorf("backed up %+v, told %d times", made, told)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != made.Bytes {
		t.Errorf("the file: %v, %v", info, err)
	}
	alone(t, file)

	dir := filepath.Join(t.TempDir(), "made", "here")
	restored, err := store.Restore(ctx, dir, file, nil)
	if err != nil || restored != made {
		t.Fatalf("restored %+v, %v; want %+v", restored, err, made)
	}
	again := storetest.SQLite(t)
	again.DataDir, again.Options.DataDir = dir, dir
	r := again.Open(t)
	db := raw(t, again)
	for _, id := range before {
		var body string
		err := db.QueryRow(`
			SELECT b.body
			FROM webhooks w JOIN webhook_bodies b ON b.webhook_id = w.id
			WHERE w.event_id = $1`, id).Scan(&body)
		if err != nil || len(body) < 4000 {
			t.Errorf("%s: %q, %v", id, body, err)
		}
	}
	want, err := s.Snapshot(ctx, applied.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Snapshot(ctx, applied.OrderID); err != nil || string(got.JSON) != string(want.JSON) {
		t.Errorf("belief is %s, %v; want %s", got.JSON, err, want.JSON)
	}
}

// Without a server, whether it has stopped or was killed.
func TestBackupOfAFolderAtRest(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	if _, err := s.Append(ctx, pushed("kept", "{}")); err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(b.DataDir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"stopped": b.DataDir, "killed": killed} {
		file := filepath.Join(t.TempDir(), "backup")
		if c, err := store.Backup(ctx, dir, file, nil); err != nil || c.Webhooks != 1 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	b.Open(t)
	ctx := ctxOf(t)
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Backup(ctx, b.DataDir, file, nil); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over another file: %v", err)
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != "older" {
		t.Errorf("that file is now %q, %v", kept, err)
	}
	if _, err := store.Backup(ctx, t.TempDir(), file+"2", nil); err == nil || !strings.Contains(err.Error(), "is DATA_DIR that of the server?") {
		t.Errorf("of an empty folder: %v", err)
	}
	if _, err := store.Backup(ctx, b.DataDir, filepath.Join(file+"3", "backup"), nil); err == nil || !strings.Contains(err.Error(), "in a folder that is there") {
		t.Errorf("into no folder: %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	_, err := store.Backup(stopped, b.DataDir, file+"4", func(done, all int64) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	alone(t, file)
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	for i := range 50 {
		if _, err := s.Append(ctx, pushed(fmt.Sprint(i), strings.Repeat("x", 5000))); err != nil {
			t.Fatal(err)
		}
	}
	good := filepath.Join(t.TempDir(), "backup")
	if _, err := store.Backup(ctx, b.DataDir, good, nil); err != nil {
		t.Fatal(err)
	}
	altered := func(change func(path string)) string {
		content, err := os.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		change(path)
		return path
	}
	in := func(text string) func(path string) {
		return func(path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "something"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, dir, file, want string }{
		{"a folder in use", b.DataDir, good, "is not empty (it has waybill.db)"},
		{"a folder with something", full, good, "is not empty (it has something)"},
		{"no file", "", good + "2", "no such file"},
		{"a dump", "", altered(func(path string) { _ = os.WriteFile(path, []byte("PGDMP, and so on, for a while"), 0o600) }), "is for pg_restore"},
		{"a cut one", "", altered(func(path string) { _ = os.Truncate(path, 100<<10) }), "damaged"},
		{"a scratched one", "", altered(scratch(t)), "damaged"},
		{"a newer one", "", altered(in(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)), "of a newer waybill (version 9999"},
		{"another database", "", altered(in(`DROP TABLE webhooks`)), "not one of waybill's"},
		{"a server's database", "", altered(func(path string) { _ = os.WriteFile(path+"-wal", nil, 0o600) }), "`waybill backup`"},
	} {
		dir := c.dir
		if dir == "" {
			dir = t.TempDir()
		}
		_, err := store.Restore(ctx, dir, c.file, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
		if c.dir != "" {
			continue
		}
		for _, left := range []string{"waybill.db", "waybill.db.part"} {
			if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
				t.Errorf("%s: %s is there", c.name, left)
			}
		}
	}
}

// A server that has only just started has the lock, and nothing else yet.
func TestRestoreRefusesALockedFolder(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	file := filepath.Join(t.TempDir(), "backup")
	if _, err := store.Backup(ctxOf(t), b.DataDir, file, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"waybill.db", "waybill.db-wal", "waybill.db-shm"} {
		if err := os.Remove(filepath.Join(b.DataDir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Restore(ctxOf(t), b.DataDir, file, nil); err == nil || !strings.Contains(err.Error(), "in use by another waybill process") {
		t.Errorf("into a locked folder: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(ctxOf(t), b.DataDir, file, nil); err != nil {
		t.Errorf("when it is free: %v", err)
	}
}

// Who restores as root leaves the files to whom the folder belongs to, or that
// user's server could not open them.
func TestRestoredFilesBelongToTheFoldersOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	b := storetest.SQLite(t)
	b.Open(t)
	file, dir := filepath.Join(t.TempDir(), "backup"), t.TempDir()
	if _, err := store.Backup(ctxOf(t), b.DataDir, file, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(ctxOf(t), dir, file, nil); err != nil {
		t.Fatal(err)
	}
	folder, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"waybill.db", "waybill.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := reflect.ValueOf(info.Sys()).Elem().FieldByName("Uid"), reflect.ValueOf(folder.Sys()).Elem().FieldByName("Uid"); got.Uint() != want.Uint() {
			t.Errorf("%s belongs to user %d, want %d", name, got.Uint(), want.Uint())
		}
	}
}

// scratch overwrites a stretch in the middle.
func scratch(t *testing.T) func(path string) {
	return func(path string) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte(strings.Repeat("scratch!", 4<<10)), 160<<10); err != nil {
			t.Fatal(err)
		}
	}
}

// alone fails when anything else is in a file's folder.
func alone(t *testing.T, file string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(file) {
			t.Errorf("%s is left beside %s", e.Name(), filepath.Base(file))
		}
	}
}
