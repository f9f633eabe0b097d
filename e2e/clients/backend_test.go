package clients

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/pusher/pusher-http-go/v5"

	"github.com/webazaar/waybill/e2e/node"
)

// A backend is a shop's server on an official SDK: what it is asked to do over
// HTTP, it does with the SDK. backend.mjs is the same for Node.
type backend struct {
	t    *testing.T
	name string
	url  string
}

// eachSDK runs the test with a backend on each SDK, for the server on that port.
// Names of channels and users begin with the backend's.
func eachSDK(t *testing.T, test func(t *testing.T, start func(port int, secret string) *backend)) {
	t.Parallel()
	node.Need(t, ".")
	for name, start := range map[string]func(*testing.T, int, string) string{"node": startNode, "go": startGo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(port int, secret string) *backend {
				return &backend{t: t, name: name, url: start(t, port, secret)}
			})
		})
	}
}

func startNode(t *testing.T, port int, secret string) string {
	t.Helper()
	settings, err := json.Marshal(map[string]any{
		"appId": app.ID, "key": app.Key, "secret": secret, "port": port,
		"encryptionMasterKeyBase64": base64.StdEncoding.EncodeToString(app.EncryptionMasterKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := node.Start(t.Output(), nil, "backend.mjs", string(settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	own, ok := node.Next[int](p)
	if !ok {
		t.Fatal("backend.mjs ended at its start")
	}
	return "http://127.0.0.1:" + strconv.Itoa(own)
}

func startGo(t *testing.T, port int, secret string) string {
	t.Helper()
	b := &goBackend{client: sdk.Client{
		AppID: app.ID, Key: app.Key, Secret: secret, Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		HTTPClient:                &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}},
		EncryptionMasterKeyBase64: base64.StdEncoding.EncodeToString(app.EncryptionMasterKey),
		// Its own limit would leave ours untried.
		OverrideMaxMessagePayloadKB: 100,
	}}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return s.URL
}

type goBackend struct {
	client sdk.Client

	mu       sync.Mutex
	webhooks []sdk.WebhookEvent
	forged   int
}

func (b *goBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		write(w, nil, err)
		return
	}
	answer, err := b.answer(strings.TrimPrefix(r.URL.Path, "/"), r.Header, body)
	if raw, ok := answer.([]byte); ok {
		answer = json.RawMessage(raw)
	}
	write(w, answer, err)
}

// asked is what any of the calls can be asked.
type asked struct {
	Channels                                   []string
	Channel, Event, Except, Info, Prefix, User string
	Data                                       json.RawMessage
}

func (b *goBackend) answer(path string, header http.Header, body []byte) (any, error) {
	var form url.Values
	var a asked
	var batch []struct {
		Channel, Name, Info string
		Data                json.RawMessage
	}
	var err error
	switch path {
	case "auth", "user-auth":
		form, err = url.ParseQuery(string(body))
	case "batch":
		err = json.Unmarshal(body, &batch)
	case "webhook":
	default:
		err = json.Unmarshal(body, &a)
	}
	if err != nil {
		return nil, err
	}
	switch path {
	case "auth":
		if strings.HasPrefix(form.Get("channel_name"), "presence-") {
			user := form.Get("user")
			return b.client.AuthorizePresenceChannel(body, sdk.MemberData{UserID: user, UserInfo: map[string]string{"name": user}})
		}
		return b.client.AuthorizePrivateChannel(body)
	case "user-auth":
		return b.client.AuthenticateUser(body, map[string]any{"id": form.Get("user")})
	case "trigger":
		return b.client.TriggerMultiWithParams(a.Channels, a.Event, a.Data, sdk.TriggerParams{SocketID: some(a.Except), Info: some(a.Info)})
	case "batch":
		var events []sdk.Event
		for _, e := range batch {
			events = append(events, sdk.Event{Channel: e.Channel, Name: e.Name, Data: e.Data, Info: some(e.Info)})
		}
		return b.client.TriggerBatch(events)
	case "send":
		return struct{}{}, b.client.SendToUser(a.User, a.Event, a.Data)
	case "channels":
		return b.client.Channels(sdk.ChannelsParams{FilterByPrefix: some(a.Prefix), Info: some(a.Info)})
	case "channel":
		return b.client.Channel(a.Channel, sdk.ChannelParams{Info: some(a.Info)})
	case "users":
		found, err := b.client.GetChannelUsers(a.Channel)
		if err != nil {
			return nil, err
		}
		return map[string]any{"users": found.List}, nil
	case "webhook":
		webhook, err := b.client.Webhook(header, body)
		b.mu.Lock()
		defer b.mu.Unlock()
		if err != nil {
			b.forged++
		} else {
			b.webhooks = append(b.webhooks, webhook.Events...)
		}
		return struct{}{}, nil
	case "webhooks":
		b.mu.Lock()
		defer b.mu.Unlock()
		return map[string]any{"events": append([]sdk.WebhookEvent{}, b.webhooks...), "forged": b.forged}, nil
	}
	return nil, fmt.Errorf("no call %q", path)
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// call asks the backend and returns its answer, or what went wrong.
func (b *backend) call(path string, body any) (string, error) {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(b.url+"/"+path, "application/json", bytes.NewReader(raw)) // the client has a time limit
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", path, answer)
	}
	return strings.TrimSpace(string(answer)), nil
}

// do is call for what must succeed. The answer has each of these parts.
func (b *backend) do(path string, body any, parts ...string) {
	b.t.Helper()
	answer, err := b.call(path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, part := range parts {
		if !strings.Contains(answer, part) {
			b.t.Errorf("%s: %s has no %s", path, answer, part)
		}
	}
}

// awaitWebhooks waits until each of these parts was in the webhooks.
func (b *backend) awaitWebhooks(parts ...string) {
	b.t.Helper()
	limit := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, part := range parts {
		for {
			answer, err := b.call("webhooks", struct{}{})
			if err != nil {
				b.t.Fatal(err)
			}
			if strings.Contains(answer, part) {
				break
			}
			if time.Now().After(limit) {
				b.t.Fatalf("no %s in %s", part, answer)
			}
			<-tick.C
		}
	}
}

func portOf(t *testing.T, s *httptest.Server) int {
	t.Helper()
	return s.Listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // httptest listens on TCP
}
