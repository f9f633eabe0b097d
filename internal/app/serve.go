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
	log.Info("app.ready", "url", a.URL())
	err = a.Wait(ctx)
	log.Info("app.stopping")
	return errors.Join(err, a.Stop())
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
