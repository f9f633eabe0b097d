package durability

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/store"
)

// TestPowerCut records everything that the binary writes under load, and
// rebuilds its disk as it would be after a power cut at many moments. The store
// must open each of them, and everything that had been acknowledged must be in
// it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	cuts := setting(t, "CUTS", 300)
	most := 500
	if raced {
		most = 150
	}
	r := record(t, load{Seed: 13, Parcels: 80, Duplicates: 0.1, Moment: time.Now()}, 8, most)
	d, err := diskOf(r)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64N(1_000_000)
	dice := rand.New(rand.NewPCG(seed, 4))
	moments := d.moments(r, cuts, dice)
	scratch := scratch(t)
	found := map[string]int{}
	acknowledged, lost := 0, 0
	for i, cut := range moments {
		how := damages[i%len(damages)]
		db := database{Name: "sqlite", DataDir: filepath.Join(scratch, fmt.Sprint(i))}
		if err := d.write(db.DataDir, cut, how, dice); err != nil {
			t.Fatal(err)
		}
		acks := r.answeredBefore(cut)
		n, err := missing(t.Context(), db, r, acks)
		if err != nil {
			t.Errorf("cut at line %d, unsynced writes %s: %v", cut, how.name, err)
		}
		if n > 0 {
			t.Errorf("cut at line %d, unsynced writes %s: %d of %d acknowledged pushes are lost", cut, how.name, n, len(acks))
		}
		if i%17 == 0 && err == nil { // from time to time go on with it
			s, err := store.Open(t.Context(), db.options())
			if err != nil {
				t.Fatal(err)
			}
			work(t.Context(), t, s)
			verify(t, s, r.pushes, acks)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		acknowledged, lost = acknowledged+len(acks), lost+n
		found[how.name]++
		if err := os.RemoveAll(db.DataDir); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			break // the others would say the same
		}
	}
	t.Logf("seed %d: %d answers recorded, %d power cuts, unsynced writes %v; %d acknowledged pushes looked for, lost %d",
		seed, len(r.answers), len(moments), found, acknowledged, lost)
}

// moments are places of the record to cut at: about syncs and answers, where
// something may be wrong, before the first answer, when the database is made,
// and anywhere.
func (d *disk) moments(r *recording, n int, dice *rand.Rand) []int {
	last := r.calls[len(r.calls)-1].begun
	var delicate []int
	for _, f := range d.files {
		for _, s := range f.syncs {
			delicate = append(delicate, s.begun, s.ended, s.ended+1)
		}
	}
	for _, a := range r.answers {
		delicate = append(delicate, a.begun+1)
	}
	delicate = slices.DeleteFunc(delicate, func(at int) bool { return at > last })
	all := make([]int, n)
	for i := range all {
		switch {
		case i%11 == 0:
			all[i] = 1 + dice.IntN(r.answers[0].begun)
		case i%3 == 0:
			all[i] = 1 + dice.IntN(last)
		default:
			all[i] = delicate[dice.IntN(len(delicate))]
		}
	}
	return all
}

// answeredBefore are the pushes whose answer may have left before the cut.
func (r *recording) answeredBefore(cut int) map[int]ack {
	acks := map[int]ack{}
	for _, a := range r.answers {
		if a.begun < cut && a.push >= 0 {
			acks[a.push] = a.ack
		}
	}
	return acks
}

// write makes the folder as the cut leaves it.
func (d *disk) write(dir string, cut int, how damage, dice *rand.Rand) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range d.after(cut, how, dice) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// missing opens the database as the program does and says how many acknowledged
// pushes it does not hold. It looks for them past the store, so that what the
// store believes does not matter.
func missing(ctx context.Context, db database, r *recording, acks map[int]ack) (int, error) {
	s, err := store.Open(ctx, db.options())
	if err != nil {
		return 0, err
	}
	if err := s.Close(); err != nil {
		return 0, err
	}
	plain, err := sql.Open("sqlite", "file:"+filepath.Join(db.DataDir, "waybill.db")+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	var sound string
	if err := plain.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&sound); err != nil || sound != "ok" {
		return 0, fmt.Errorf("integrity check: %s, %w", sound, err)
	}
	rows, err := plain.QueryContext(ctx, `
		SELECT event_id, body
		FROM webhooks JOIN webhook_bodies ON webhook_id = id
		WHERE duplicate_of = ''`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	bodies := map[string][]byte{}
	for rows.Next() {
		var (
			id   string
			body []byte
		)
		if err := rows.Scan(&id, &body); err != nil {
			return 0, err
		}
		bodies[id] = body
	}
	n := 0
	for i, a := range acks {
		if body, kept := bodies[a.eventID]; !kept || !a.duplicate && !bytes.Equal(body, r.pushes[i]()) {
			n++
		}
	}
	return n, rows.Err()
}

// scratch is a folder for many short-lived files, in memory where that is to be
// had.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "waybill-powercut-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
