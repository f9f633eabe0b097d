package pusher

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/pusher/pusher-http-go/v5"
)

// signed is a request of the API as an SDK would send it.
func signed(method, target, body string) *http.Request {
	path, query, _ := strings.Cut(target, "?")
	if query != "" {
		query += "&"
	}
	query += "auth_key=" + testApp.Key + "&auth_timestamp=" + strconv.FormatInt(time.Now().Unix(), 10) + "&auth_version=1.0"
	if body != "" {
		sum := md5.Sum([]byte(body))
		query += "&body_md5=" + hex.EncodeToString(sum[:])
	}
	query += "&auth_signature=" + testApp.sign(method+"\n"+path+"\n"+parseQuery(query).signed())
	return httptest.NewRequest(method, path+"?"+query, strings.NewReader(body))
}

func (b *bundle) call(r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestAPIAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.subscribe("x")
	c.subscribe("order-1")
	event := func(s string) string { return `{"name":"e","data":"d",` + s + `}` }
	big := strings.Repeat("d", 10<<10)
	hundred := strings.Repeat(`"c",`, 99) + `"c"`
	for _, tt := range []struct {
		name, method, target, body string
		status                     int
		want                       string // the whole body, or part of its error
	}{
		{"channels", "POST", "/apps/3/events", event(`"channels":["x","none"]`), 200, `{}`},
		{"one channel", "POST", "/apps/3/events", event(`"channel":"x"`), 200, `{}`},
		{"counts", "POST", "/apps/3/events", event(`"channels":["x","none"],"info":"subscription_count,user_count"`), 200, `{"channels":{"none":{"subscription_count":0},"x":{"subscription_count":1}}}`},
		{"most channels", "POST", "/apps/3/events", event(`"channels":[` + hundred + `]`), 200, `{}`},
		{"most data", "POST", "/apps/3/events", `{"name":"e","data":"` + big + `","channel":"x"}`, 200, `{}`},
		{"data too large", "POST", "/apps/3/events", `{"name":"e","data":"` + big + `d","channel":"x"}`, 413, "exceeds the allowed maximum (10241 bytes, 10240 are allowed)"},
		{"body too large", "POST", "/apps/3/events", strings.Repeat(" ", 1<<20+1), 413, "1048576 bytes"},
		{"too many channels", "POST", "/apps/3/events", event(`"channels":[` + hundred + `,"c"]`), 400, "1 to 100 channels"},
		{"no channel", "POST", "/apps/3/events", event(`"channels":[]`), 400, "1 to 100 channels"},
		{"bad channel", "POST", "/apps/3/events", event(`"channels":["x","a b"]`), 400, "invalid channel name"},
		{"encrypted with another", "POST", "/apps/3/events", event(`"channels":["x","private-encrypted-x"]`), 400, "one encrypted channel alone"},
		{"no name", "POST", "/apps/3/events", `{"data":"d","channel":"x"}`, 400, "invalid event name"},
		{"reserved name", "POST", "/apps/3/events", `{"name":"pusher:e","data":"d","channel":"x"}`, 400, "reserved"},
		{"no data", "POST", "/apps/3/events", `{"name":"e","channel":"x"}`, 400, "data is required"},
		{"null data", "POST", "/apps/3/events", `{"name":"e","data":null,"channel":"x"}`, 400, "data is required"},
		{"bad socket id", "POST", "/apps/3/events", event(`"channel":"x","socket_id":"me"`), 400, "invalid socket id"},
		{"not JSON", "POST", "/apps/3/events", `{`, 400, "not an event"},
		{"not an object", "POST", "/apps/3/events", `[1]`, 400, "not an event"},
		{"types", "POST", "/apps/3/events", `{"name":1,"data":"d","channel":"x"}`, 400, "not an event"},
		{"empty", "POST", "/apps/3/events", ``, 400, "not an event"},
		{"deep", "POST", "/apps/3/events", `{"data":` + strings.Repeat("[", 20000), 400, "not an event"},

		{"batch", "POST", "/apps/3/batch_events", `{"batch":[{"name":"b","data":"d","channel":"x"}]}`, 200, `{}`},
		{"batch with counts", "POST", "/apps/3/batch_events", `{"batch":[{"name":"b","data":"d","channel":"x"},{"name":"b","data":"d","channel":"x","info":"subscription_count"}]}`, 200, `{"batch":[{},{"subscription_count":1}]}`},
		{"batch of none", "POST", "/apps/3/batch_events", `{"batch":[]}`, 400, "Batch is empty"},
		{"batch of eleven", "POST", "/apps/3/batch_events", `{"batch":[` + strings.Repeat(`{},`, 10) + `{}]}`, 400, "Batch too large (11 > 10)"},
		{"batch with one bad", "POST", "/apps/3/batch_events", `{"batch":[{"name":"never","data":"d","channel":"x"},{"name":"b","data":"d"}]}`, 400, "invalid channel name"},
		{"batch without data", "POST", "/apps/3/batch_events", `{"batch":[{"name":"never","data":"d","channel":"x"},{"name":"b","channel":"x"}]}`, 400, "data is required"},
		{"batch not JSON", "POST", "/apps/3/batch_events", `"x"`, 400, "not a batch"},

		{"all channels", "GET", "/apps/3/channels", ``, 200, `{"channels":{"order-1":{},"x":{}}}`},
		{"some channels", "GET", "/apps/3/channels?filter_by_prefix=order-", ``, 200, `{"channels":{"order-1":{}}}`},
		{"no channels", "GET", "/apps/3/channels?filter_by_prefix=y", ``, 200, `{"channels":{}}`},
		{"channels, counted", "GET", "/apps/3/channels?info=subscription_count", ``, 200, `{"channels":{"order-1":{"subscription_count":1},"x":{"subscription_count":1}}}`},
		{"users of all", "GET", "/apps/3/channels?info=user_count", ``, 400, "presence"},
		{"users of presence channels", "GET", "/apps/3/channels?filter_by_prefix=presence-&info=user_count", ``, 200, `{"channels":{}}`},
		{"occupied", "GET", "/apps/3/channels/x", ``, 200, `{"occupied":true}`},
		{"vacant", "GET", "/apps/3/channels/y", ``, 200, `{"occupied":false}`},
		{"counted", "GET", "/apps/3/channels/x?info=subscription_count", ``, 200, `{"occupied":true,"subscription_count":1}`},
		{"users of a public channel", "GET", "/apps/3/channels/x?info=user_count", ``, 400, "presence"},
		{"cache of another kind", "GET", "/apps/3/channels/x?info=cache", ``, 400, "cache"},
		{"cache of none", "GET", "/apps/3/channels/cache-x?info=cache", ``, 200, `{"cache":null,"occupied":false}`},
		{"bad name", "GET", "/apps/3/channels/a%20b", ``, 400, "invalid channel name"},
		{"users", "GET", "/apps/3/channels/x/users", ``, 400, "only presence channels"},
		{"users of nobody", "GET", "/apps/3/channels/presence-x/users", ``, 200, `{"users":[]}`},
		{"users of no channel", "GET", "/apps/3/channels/a%20b/users", ``, 400, "invalid channel name"},

		{"other app", "GET", "/apps/4/channels", ``, 404, "app id"},
		{"terminate", "POST", "/apps/3/users/7/terminate_connections", `{}`, 200, `{}`},
		{"terminate nobody", "POST", "/apps/3/users/a%20b/terminate_connections", `{}`, 400, "invalid user id"},
		{"other path", "POST", "/apps/3/users/7", `{}`, 404, "not found"},
		{"other method", "GET", "/apps/3/events", ``, 405, "method"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := b.call(signed(tt.method, tt.target, tt.body))
			if status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, body)
			}
			if tt.status == 200 {
				if body != tt.want {
					t.Errorf("body %s, want %s", body, tt.want)
				}
			} else if !strings.Contains(body, tt.want) || !strings.HasSuffix(body, `"}`) {
				t.Errorf("body %s", body)
			}
		})
	}
	// What was published arrived, and of what was refused nothing did.
	for _, want := range []string{"e", "e", "e", "e", "b", "b", "b"} {
		c.want(want)
	}
	c.alive()
}

func TestAPIData(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.subscribe("x")
	for sent, want := range map[string]string{
		`"plain"`:                         `plain`,
		`""`:                              ``,
		`"{\"a\": \"b\"}"`:                `{"a": "b"}`,
		`{"a": [1, 2.50], "b": "\u00e9"}`: `{"a":[1,2.50],"b":"\u00e9"}`,
		`[1]`:                             `[1]`,
		`12345678901234567890`:            `12345678901234567890`,
		`false`:                           `false`,
	} {
		if status, body := b.call(signed("POST", "/apps/3/events", `{"name":"e","channel":"x","data":`+sent+`}`)); status != 200 {
			t.Fatalf("%s: %d %s", sent, status, body)
		}
		if got := c.want("e").text(t); got != want {
			t.Errorf("%s arrived as %s", sent, got)
		}
	}
}

func TestAPIUnauthorized(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"name":"e","data":"d","channel":"x"}`
	good := signed("POST", "/apps/3/events", body)
	for name, change := range map[string]func(r *http.Request){
		"no query":    func(r *http.Request) { r.URL.RawQuery = "" },
		"other query": func(r *http.Request) { r.URL.RawQuery += "&info=subscription_count" },
		"other body":  func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.ToUpper(body))) },
		"no body":     func(r *http.Request) { r.Body = http.NoBody },
	} {
		r := good.Clone(t.Context())
		r.Body = io.NopCloser(strings.NewReader(body))
		change(r)
		if status, answer := b.call(r); status != 401 || strings.Contains(answer, testApp.Secret) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	// A body without its MD5 is not covered by the signature.
	r := signed("POST", "/apps/3/events", "")
	r.Body = io.NopCloser(strings.NewReader(body))
	if status, answer := b.call(r); status != 401 {
		t.Errorf("unsigned body: %d %s", status, answer)
	}
}

func TestAPIDisabledApp(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.App.Disabled = true })
	if status, body := b.call(signed("GET", "/apps/3/channels", "")); status != 403 {
		t.Errorf("%d %s", status, body)
	}
}

// Trouble with the cluster is the server's, and none of its text leaves.
func TestAPIClusterFails(t *testing.T) {
	t.Parallel()
	cluster := &fakeCluster{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	cluster.fail(errors.New("bus at 10.0.0.7 is down"), nil)
	for _, r := range []*http.Request{
		signed("POST", "/apps/3/events", `{"name":"e","data":"d","channel":"x"}`),
		signed("POST", "/apps/3/events", `{"name":"e","data":"d","channel":"cache-x"}`),
		signed("POST", "/apps/3/users/7/terminate_connections", `{}`),
		signed("GET", "/apps/3/channels", ""),
		signed("GET", "/apps/3/channels/x", ""),
		signed("GET", "/apps/3/channels/cache-x?info=cache", ""),
		signed("GET", "/apps/3/channels/presence-x/users", ""),
		signed("GET", "/apps/3/channels?filter_by_prefix=presence-&info=user_count", ""),
	} {
		if status, body := b.call(r); status != 503 || strings.Contains(body, "10.0.0.7") {
			t.Errorf("%s: %d %s", r.URL.Path, status, body)
		}
	}
	cluster.fail(nil, nil)
	b.Close()
	if status, body := b.call(signed("POST", "/apps/3/events", `{"name":"e","data":"d","channel":"x"}`)); status != 503 {
		t.Errorf("closed: %d %s", status, body)
	}
}

// Mounted below a prefix, the client has signed the path it knows.
func TestAPIBehindPrefix(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := httptest.NewRecorder()
	http.StripPrefix("/live", b.Server).ServeHTTP(w, signed("GET", "/live/apps/3/channels", ""))
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Pusher's own Go SDK, unchanged.
func TestSDK(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sdkClient := sdk.Client{
		AppID: testApp.ID, Key: testApp.Key, Secret: testApp.Secret,
		Host: strings.TrimPrefix(b.http.URL, "http://"), HTTPClient: b.http.Client(),
	}
	one, two := b.connect(t), b.connect(t)
	one.subscribe("orders")
	two.subscribe("orders")
	two.subscribe("a;b@c,d=e.f")

	if err := sdkClient.Trigger("orders", "update", map[string]string{"hello": "wörld"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{one, two} {
		if got := c.want("update").text(t); got != `{"hello":"wörld"}` {
			t.Errorf("got %s", got)
		}
	}
	info := "subscription_count"
	list, err := sdkClient.TriggerMultiWithParams([]string{"orders", "a;b@c,d=e.f"}, "multi", "text", sdk.TriggerParams{SocketID: &one.id, Info: &info})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for name, item := range list.Channels {
		counts[name] = *item.SubscriptionCount
	}
	if diff := cmp.Diff(map[string]int{"orders": 2, "a;b@c,d=e.f": 1}, counts); diff != "" {
		t.Error(diff)
	}
	two.want("multi")
	two.want("multi")
	one.alive()

	batch, err := sdkClient.TriggerBatch([]sdk.Event{
		{Channel: "orders", Name: "first", Data: "1", Info: &info},
		{Channel: "orders", Name: "second", Data: "2", SocketID: &two.id},
	})
	if err != nil || len(batch.Batch) != 2 || *batch.Batch[0].SubscriptionCount != 2 || batch.Batch[1].SubscriptionCount != nil {
		t.Fatalf("%+v, %v", batch, err)
	}
	one.want("first")
	one.want("second")
	two.want("first")
	two.alive()

	channels, err := sdkClient.Channels(sdk.ChannelsParams{})
	if err != nil || len(channels.Channels) != 2 {
		t.Errorf("%+v, %v", channels, err)
	}
	prefix := "ord"
	channels, err = sdkClient.Channels(sdk.ChannelsParams{FilterByPrefix: &prefix})
	if _, ok := channels.Channels["orders"]; err != nil || !ok || len(channels.Channels) != 1 {
		t.Errorf("%+v, %v", channels, err)
	}
	channel, err := sdkClient.Channel("a;b@c,d=e.f", sdk.ChannelParams{Info: &info})
	if err != nil || !channel.Occupied || channel.SubscriptionCount != 1 {
		t.Errorf("%+v, %v", channel, err)
	}

	sdkClient.Secret = "wrong"
	if err := sdkClient.Trigger("orders", "update", "x"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("wrong secret: %v", err)
	}
	sdkClient.AppID = "4"
	if err := sdkClient.Trigger("orders", "update", "x"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("unknown app: %v", err)
	}
}

// An auth answer made by the SDK is one we accept, and ours is the same.
func TestSDKAuthorizes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	sdkClient := sdk.Client{AppID: testApp.ID, Key: testApp.Key, Secret: testApp.Secret}
	answer, err := sdkClient.AuthorizePrivateChannel(fmt.Appendf(nil, "channel_name=private-x&socket_id=%s", c.id))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := testApp.AuthorizeChannel(c.id, "private-x")
	if err != nil || !bytes.Contains(answer, []byte(ours)) {
		t.Errorf("%s and %s, %v", answer, ours, err)
	}
}

// No body, however broken, is answered by anything but a publish or a 4xx.
func FuzzAPIBody(f *testing.F) {
	s, err := New(Options{App: testApp})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	b := &bundle{Server: s}
	f.Add("events", []byte(docsBody))
	f.Add("events", []byte(`{"name":"e","data":{"a":[1,null]},"channel":"x","socket_id":"1.1","info":"subscription_count"}`))
	f.Add("batch_events", []byte(`{"batch":[{"name":"e","data":"d","channel":"x"},{}]}`))
	f.Add("events", []byte(`{"name":"e","data":"\ud800","channels":[null]}`))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		if path != "batch_events" {
			path = "events"
		}
		status, answer := b.call(signed("POST", "/apps/3/"+path, string(body)))
		switch status {
		case 200, 400, 413:
		default:
			t.Errorf("%d %s", status, answer)
		}
	})
}
