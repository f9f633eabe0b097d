package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
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
