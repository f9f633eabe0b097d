package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// What a driver says of each try stands in one line, with the mend.
func TestDoctorWithoutItsPostgreSQL(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir(), "DATABASE_URL=postgres://shop:hidden@127.0.0.1:1/waybill")
	cfg.Port = 1 // nobody is there
	out, err := examined(t, cfg, nil)
	found(t, out, err, "check DATABASE_URL, and that the database is up")
	if strings.Contains(out, "hidden") || strings.Contains(out, "\t") || strings.Count(out, "connection refused") != 1 {
		t.Error(out)
	}
}

// With DATABASE_URL everything is in PostgreSQL: two servers share it, and
// migrate and doctor look there.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	setting := "DATABASE_URL=" + storetest.PostgresURL(t)
	fresh := settings(t, t.TempDir(), setting)
	fresh.Port = 1 // nobody is there
	out, err := examined(t, fresh, nil)
	if !errors.Is(err, ErrFindings) {
		t.Errorf("doctor of an empty database: %v", err)
	}
	says(t, out, "WRONG", "its schema has version 0", "`waybill migrate` brings it up to date")

	var printed bytes.Buffer
	if err := Migrate(t.Context(), fresh, slog.New(slog.DiscardHandler), &printed); err != nil || !strings.HasPrefix(printed.String(), "schema version ") {
		t.Errorf("migrate: %q, %v", printed.String(), err)
	}
	out, err = examined(t, fresh, nil)
	if err != nil {
		t.Errorf("doctor after migrate: %v", err)
	}
	says(t, out, "opens and is up to date", "Nothing is wrong.")

	one, _ := started(t, settings(t, t.TempDir(), setting))
	two, _ := started(t, settings(t, t.TempDir(), setting))
	push(t, one, "A1", "IN TRANSIT")
	push(t, two, "A2", "DELIVERED")
	for awb, want := range map[string]string{"A1": "in_transit", "A2": "delivered"} {
		for _, a := range []*App{one, two} {
			if _, milestone := tracked(t, a, awb); milestone != want {
				t.Errorf("%s is %s, want %s", awb, milestone, want)
			}
		}
	}
	if one.AppKey() != two.AppKey() {
		t.Error("two servers on one database have different app keys")
	}
}
