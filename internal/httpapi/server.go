package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer is an http.Server with the limits that every listener of Waybill
// has: nobody holds a connection for nothing. WebSockets leave it when they
// are upgraded and bring their own.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
