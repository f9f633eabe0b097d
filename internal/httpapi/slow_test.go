package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
)

// pipes is a listener whose connections need no network, so that a test's
// clock runs as fast as it may.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-p.dialled:
		return nc, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:1"))
}

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.dialled <- theirs
	return ours
}

// Nobody holds a connection by sending slowly: neither with headers nor with a
// body that may prove its sender, however steadily something comes.
func TestSlowSendersAreCut(t *testing.T) {
	t.Parallel()
	const head = "POST /api/webhooks/courier HTTP/1.1\r\nHost: x\r\n"
	tests := []struct {
		name, begin, drip string
		within            time.Duration
		answer            string // "" for none
	}{
		{"nothing at all", "", "", 5 * time.Second, ""},
		{"headers that creep", head, "X-A: b\r\n", 5 * time.Second, ""},
		{"a header line without end", head + "X-A: ", "b", 5 * time.Second, ""},
		{
			"a body that creeps", head + "Content-Length: 1000\r\nX-Shiprocket-Signature: " + strings.Repeat("0", 64) + "\r\n\r\n", "x",
			5100 * time.Millisecond, "408 Request Timeout",
		},
		{
			"a large body that creeps", head + "Content-Length: 1000000\r\nX-Shiprocket-Signature: " + strings.Repeat("0", 64) + "\r\n\r\n", strings.Repeat("x", 1000),
			13 * time.Second, "408 Request Timeout",
		},
		{
			"a body in chunks that creeps", head + "Transfer-Encoding: chunked\r\nX-Shiprocket-Signature: " + strings.Repeat("0", 64) + "\r\n\r\n", "1\r\nx\r\n",
			5100 * time.Millisecond, "408 Request Timeout",
		},
		{"a body that creeps, with a token", head + "Content-Length: 1000\r\nX-Api-Key: " + webhookToken + "\r\n\r\n", "x", 5100 * time.Millisecond, "408 Request Timeout"},
		{"a body that creeps, without a proof", head + "Content-Length: 1000\r\n\r\n", "x", time.Second, "401 Unauthorized"},
		{"another call's body", "POST /api/realtime/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "x", 5100 * time.Millisecond, "408 Request Timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := slog.New(slog.DiscardHandler)
				o := httpapi.Options{Guard: access.NewGuard(adminToken), WatchTokens: access.NewWatchTokens("x"), Metrics: http.NotFoundHandler(), Logger: log}
				signing(keepsAll{})(&o)
				server := httpapi.NewServer(httpapi.New(o), log)
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				served := make(chan error, 1)
				go func() { served <- server.Serve(l) }()

				began := time.Now()
				nc := l.dial()
				var sender sync.WaitGroup
				sender.Go(func() {
					_, err := io.WriteString(nc, tt.begin)
					for ; err == nil; _, err = io.WriteString(nc, tt.drip) {
						time.Sleep(100 * time.Millisecond)
					}
				})
				answer := ""
				if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil {
					answer = res.Status
					_, _ = io.Copy(io.Discard, res.Body)
				}
				_, _ = io.Copy(io.Discard, nc) // to the end of the connection
				if took := time.Since(began); took > tt.within+600*time.Millisecond {
					t.Errorf("it held the connection for %s", took)
				}
				if answer != tt.answer {
					t.Errorf("answered %q, want %q", answer, tt.answer)
				}
				nc.Close()
				sender.Wait()
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// A push whose body is there waits for a slow store as long as it is worth,
// and is then told to come again: the time for bodies is no time for answers.
func TestASlowStoreIsNoSlowBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		o := httpapi.Options{Guard: access.NewGuard(adminToken), WatchTokens: access.NewWatchTokens("x"), Metrics: http.NotFoundHandler(), Logger: log}
		signing(&slowLog{takes: []time.Duration{9 * time.Second, time.Hour}})(&o)
		server := httpapi.NewServer(httpapi.New(o), log)
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		nc := l.dial()
		in := bufio.NewReader(nc)
		for _, want := range []int{http.StatusOK, http.StatusServiceUnavailable} {
			began := time.Now()
			body := `{"awb":"1","current_status":"IN TRANSIT"}`
			go fmt.Fprintf(nc, "POST /api/webhooks/courier HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nContent-Length: %d\r\n\r\n%s", webhookToken, len(body), body)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			if res.StatusCode != want || time.Since(began) > 10*time.Second {
				t.Errorf("answered %d after %s, want %d", res.StatusCode, time.Since(began), want)
			}
		}
		nc.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// slowLog takes its time, push after push, and gives up with its caller.
type slowLog struct {
	inbox.Log
	takes []time.Duration
}

func (l *slowLog) Append(ctx context.Context, w inbox.Webhook) (inbox.Appended, error) {
	takes := l.takes[0]
	l.takes = l.takes[1:]
	select {
	case <-time.After(takes):
		return inbox.Appended{EventID: w.EventID, Status: w.Status}, nil
	case <-ctx.Done():
		return inbox.Appended{}, ctx.Err()
	}
}
