package clients

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/webazaar/waybill/e2e/process"
	"github.com/webazaar/waybill/internal/pusher"
)

// app is the one that all servers here serve.
var app = pusher.App{ID: "3", Key: "clients-key", Secret: "clients-secret", EncryptionMasterKey: []byte("a key of exactly 32 bytes, as is")}

// A binary is `waybill serve` with the settings that front ends and publishers of
// Soketi know.
type binary struct {
	port int
	dir  string
	out  process.Output
	run  *process.Server
}

func (b *binary) start() error {
	var err error
	b.run, err = process.Start(b.port, &b.out, []string{
		"HOME=" + b.dir, "DATA_DIR=" + b.dir, "APP_ENV=development", "DRAIN_SECONDS=0", "PUSHER_CLIENT_EVENTS=true",
		"SOKETI_APP_ID=" + app.ID, "SOKETI_APP_KEY=" + app.Key, "SOKETI_APP_SECRET=" + app.Secret,
	})
	if err != nil {
		return err
	}
	return b.run.Ready(patience)
}

// serve starts the binary for this test.
func serve(t *testing.T) *binary {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	b := &binary{port: port, dir: t.TempDir()}
	if err := b.start(); err != nil {
		t.Fatalf("%v\n%s", err, &b.out)
	}
	t.Cleanup(func() { b.run.Kill() })
	return b
}

// shared is one run of the binary for all tests that only need one. Their
// channels have different names.
var shared sharedBinary

type sharedBinary struct {
	once sync.Once
	binary
	err error
}

func (s *sharedBinary) start() {
	if s.port, s.err = process.FreePort(); s.err != nil {
		return
	}
	if s.dir, s.err = os.MkdirTemp("", "waybill-clients-"); s.err == nil {
		s.err = s.binary.start()
	}
}

func (s *sharedBinary) stop() {
	if s.run != nil {
		s.run.Kill()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func waybill(t *testing.T) int {
	t.Helper()
	if shared.once.Do(shared.start); shared.err != nil {
		t.Fatalf("%v\n%s", shared.err, &shared.out)
	}
	return shared.port
}

// A stand is a Server of our library in this process, for what the binary has no
// setting for.
type stand struct {
	*pusher.Server
	port    int
	current atomic.Pointer[pusher.Server]
}

func setup(t *testing.T, change ...func(*pusher.Options)) *stand {
	t.Helper()
	s := new(stand)
	s.listen(t)
	s.Server = s.replace(t, change...)
	return s
}

// listen chooses the port. Until there is a Server, nobody may connect.
func (s *stand) listen(t *testing.T) {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current.Load().ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	s.port = portOf(t, front)
}

// replace puts a new Server behind the same address. The one before keeps what is
// connected to it.
func (s *stand) replace(t *testing.T, change ...func(*pusher.Options)) *pusher.Server {
	t.Helper()
	o := pusher.Options{App: app, ClientEvents: true, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(&o)
	}
	server, err := pusher.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s.current.Store(server)
	return server
}

func (s *stand) publish(t *testing.T, channel, event, data string) {
	t.Helper()
	if err := s.Publish(t.Context(), []string{channel}, event, []byte(data), ""); err != nil {
		t.Fatal(err)
	}
}

// site is the shop's site: an empty page, and the auth endpoints on our own
// signing. Only these channels are allowed: others end in 403.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">`))
	})
	mux.HandleFunc("POST /auth", func(w http.ResponseWriter, r *http.Request) {
		socketID, channel, user := r.FormValue("socket_id"), r.FormValue("channel_name"), r.FormValue("user")
		var a pusher.Authorization
		var err error
		switch {
		case strings.Contains(channel, "forbidden"):
			http.Error(w, "no", http.StatusForbidden)
			return
		case strings.HasPrefix(channel, "presence-"):
			a, err = app.AuthorizePresence(socketID, channel, pusher.Member{User: user, Info: []byte(`{"name":"` + user + `"}`)})
		case strings.HasPrefix(channel, "private-encrypted-"):
			a, err = app.AuthorizeEncrypted(socketID, channel)
		default:
			a.Auth, err = app.AuthorizeChannel(socketID, channel)
		}
		write(w, a, err)
	})
	mux.HandleFunc("POST /user-auth", func(w http.ResponseWriter, r *http.Request) {
		a, err := app.AuthenticateUser(r.FormValue("socket_id"), pusher.User{ID: r.FormValue("user"), Watchlist: []string{"alice", "bob"}})
		write(w, a, err)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func write(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		answer = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(answer)
}
