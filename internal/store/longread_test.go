package store_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// Someone who reads for long, such as a backup, keeps the write-ahead log from
// beginning anew. Commits do not wait for him, however long the log gets.
func TestLongReadersHoldUpNoCommit(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	if _, err := s.Append(ctx, pushed("first", "{}")); err != nil {
		t.Fatal(err)
	}
	reading, err := raw(t, b).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Rollback() }()
	var n int
	if err := reading.QueryRow(`SELECT COUNT(*) FROM webhooks`).Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	// More than makes the writer want to begin anew.
	const bodies, size = 150, 1 << 20
	var slowest time.Duration
	for i := range bodies {
		body := string(bytes.Repeat([]byte{byte('a' + i%26)}, size))
		began := time.Now()
		if _, err := s.Append(ctx, pushed(fmt.Sprint("big", i), body)); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	if slowest > 5*time.Second {
		t.Errorf("a commit took %s", slowest)
	}
}
