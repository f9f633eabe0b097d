package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/store"
)

// Serve runs Waybill until ctx is done, then stops it in order.
func Serve(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	log.Info("app.settings", "settings", cfg)
	for _, w := range cfg.Warnings() {
		log.Warn("app.setting", "setting", w.Setting, "what", w.What, "mend", w.Mend)
	}
	a, err := Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	log.Info("app.ready", "url", a.URL(), "app_key", a.AppKey())
	err = a.Wait(ctx)
	log.Info("app.stopping")
	return errors.Join(err, a.Stop())
}

// WhereDataIs is what keeps the settings from saying where the database is, of
// what config.Load found wrong. Commands that go by it alone do not mind the
// rest, but without it they would make another database, or copy one.
func WhereDataIs(loaded error) error {
	var problems config.Problems
	if !errors.As(loaded, &problems) {
		return nil
	}
	if about := problems.Of("DATABASE_URL", "DATA_DIR"); len(about) > 0 {
		return about
	}
	return nil
}

// Migrate brings the database's schema up to date and says which version it
// has.
func Migrate(ctx context.Context, cfg *config.Config, log *slog.Logger, out io.Writer) error {
	s, err := store.Open(ctx, storeOptions(cfg, log))
	if err != nil {
		return err
	}
	version, err := s.SchemaVersion(ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "schema version %d\n", version)
	return err
}
