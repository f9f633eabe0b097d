package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// A database that came through every version in its time is the same as one
// that is made today.
func TestMigratedEqualsFresh(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, fresh *storetest.Backend) {
		s := fresh.Open(t)
		newest, err := s.SchemaVersion(t.Context())
		if err != nil || newest < 1 {
			t.Fatalf("schema version %d, %v", newest, err)
		}
		migrated := fresh.Another(t)
		for version := int64(1); version <= newest; version++ {
			if err := store.MigrateTo(t.Context(), migrated.Options, version); err != nil {
				t.Fatalf("migrate to version %d: %v", version, err)
			}
		}
		migrated.Open(t)
		made := schema(t, fresh)
		if diff := cmp.Diff(made, schema(t, migrated)); diff != "" || len(made) < 20 {
			t.Errorf("schemas of %d lines differ (-fresh +migrated):\n%s", len(made), diff)
		}
	})
}

// What an earlier version kept, row by row, is believed as before and worked
// off.
func TestMigratedKeepsWhatItHad(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		before := map[string]int64{"sqlite": 2, "postgres": 1}[b.Name]
		if err := store.MigrateTo(t.Context(), b.Options, before); err != nil {
			t.Fatal(err)
		}
		db := raw(t, b)
		key := map[string]string{"sqlite": `X'%s'`, "postgres": `'\x%s'::bytea`}[b.Name]
		hex := func(s string) string { return fmt.Sprintf(key, s) }
		at := noon.UnixMicro()
		for _, text := range []string{
			`INSERT INTO orders VALUES (7, 'order-seven', 'N7', '', 0, '', 'shipped', 3, 'null', ` + fmt.Sprint(at, ",", at+5) + `, 0)`,
			`INSERT INTO shipments VALUES (7, 'ship-1', 'sr:S7', 'S7', 'forward', 'A7', 'Delhivery', 'in_transit', '', '', 0, 0, 0, 0)`,
			`INSERT INTO identifiers VALUES ('awb', 'A7', '', 7), ('sr', 'S7', '', 7)`,
			`INSERT INTO readings VALUES (7, ` + hex("00112233445566778899aabbccddeeff") + `, 'A7', '', 'S7', '', 'N7', '', '', 'forward',
				'Delhivery', '2026-03-20', 0, '', '', 0, 'in_transit', 'IN TRANSIT', 'In "Transit"', ` + fmt.Sprint(at) + `, 'scan', 0, 0, ` + fmt.Sprint(at) + `, 0, 0)`,
			`INSERT INTO scans VALUES (7, ` + hex("ffeeddccbbaa99887766554433221100") + `, 'A7', '', '', '', ` + fmt.Sprint(at) + `, 'X', 'Left the hub', 'Pune', 'in_transit', 'IN TRANSIT', 4)`,
			`INSERT INTO webhooks VALUES ('01KKP6TM00ZW0ZZZZZZZZZZZZZ', 20526, 'e', ` + fmt.Sprint(at) + `, '', '', '', ` + hex("00") + `, 'pending', '', '', '',
				1, ` + fmt.Sprint(at) + `, 'who', 0, 'A7', 'S7', '', 'IN TRANSIT', '', '')`,
			`INSERT INTO webhook_bodies VALUES ('01KKP6TM00ZW0ZZZZZZZZZZZZZ', '{}', ` + hex("7b7d") + `)`,
		} {
			if _, err := db.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s := b.Open(t)
		o, err := s.Order(t.Context(), "order-seven")
		if err != nil {
			t.Fatal(err)
		}
		r, scan := o.Readings["00112233445566778899aabbccddeeff"], o.Scans["ffeeddccbbaa99887766554433221100"]
		if r == nil || r.Raw != `In "Transit"` || r.ETA != "2026-03-20" || !r.EventTime.Equal(noon) || r.TimeSource != tracking.FromScan || r.Released {
			t.Errorf("the reading: %+v", r)
		}
		if scan == nil || scan.Activity != "Left the hub" || scan.Position != 4 || !scan.At.Equal(noon) {
			t.Errorf("the scan: %+v", scan)
		}
		if s := o.Snapshot; s == nil || s.Version != 3 || len(s.Shipments) != 1 || s.Shipments[0].ID != "ship-1" || s.Milestone != tracking.InTransit {
			t.Errorf("what is shown: %+v", s)
		}
		if claimed := claim(t, s, 9); len(claimed) != 1 || claimed[0].Attempts != 2 || string(claimed[0].Body) != "{}" {
			t.Errorf("to work off: %+v", claimed)
		}
	})
}
