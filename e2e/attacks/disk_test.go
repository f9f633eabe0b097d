package attacks

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // reads the database afterwards
)

// smallDisk is a file system of so many megabytes that goes when the test ends.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk to fill: the disk-full attack is not tried")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted, so the disk-full attack is not tried: %s", bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill writes a file that leaves nothing of the disk.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for chunk := make([]byte, 64<<10); ; {
		if _, err := f.Write(chunk); err != nil {
			if chunk = chunk[:len(chunk)/2]; len(chunk) < 512 {
				break
			}
		}
	}
	return f.Close()
}

// A full disk is told, nothing that was not written is acknowledged, and all is
// well again when there is space.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("attacks take their time; run without -short")
	}
	disk := smallDisk(t, 24)
	dir := filepath.Join(disk, "data")
	s := serveIn(t, dir, nil)
	if out, err := exec.CommandContext(t.Context(), "stat", "-f", "-c", "%T", dir).CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "tmpfs" {
		t.Fatalf("the data is not on the small disk: %s %v", out, err)
	}
	st := s.stream(10 * time.Millisecond)
	st.goesOn(20)
	const rounds = 2
	for n := range rounds {
		ballast := filepath.Join(disk, "ballast")
		if err := fill(ballast); err != nil {
			t.Fatal(err)
		}
		s.await(30*time.Second, "refusal", func() bool {
			_, refused := st.counts()
			return refused > 50*(n+1)
		})
		if a := s.proven(event("FULL", 1, "IN TRANSIT", time.Now())); a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
			t.Error("Retry-After is missing")
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		st.goesOn(50)
	}
	st.end()
	m := st.verify()
	if st.refused[503] != m.refused {
		t.Errorf("answers: %s", counted(st.refused))
	}
	said := s.out.String()
	if told := strings.Count(said, "intake.refusing"); told == 0 || told > 20 || !strings.Contains(said, "full") || !strings.Contains(said, "free space") {
		t.Errorf("the alarm was told %d times:\n%s", told, said)
	}
	if !strings.Contains(said, "intake.recovered") {
		t.Error("the log does not tell that it is over")
	}
	s.stop()
	wholeDatabase(t, filepath.Join(dir, "waybill.db"))
	report(t, "disk full", fmt.Sprintf("a disk of 24 MB filled to the last byte, %d times", rounds),
		fmt.Sprintf("%d × 503 while it was full, alarm in the log, taking pushes again by itself, database whole", m.refused), m)
}

// wholeDatabase checks a closed database from end to end.
func wholeDatabase(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var result string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Errorf("the database is damaged: %s %v", result, err)
	}
}
