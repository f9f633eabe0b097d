package store_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// Two processes on one database take in and apply the same parcels at the same
// time, and end in the belief of one that did it alone.
func TestReplicasEndInTheSameBelief(t *testing.T) {
	t.Parallel()
	pushes := journeys()
	plain := storetest.Postgres(t).Open(t)
	story(t, plain, pushes, 1, 1)
	want := beliefs(t, plain)
	for seed := range 6 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			b := storetest.Postgres(t)
			b.Options.Logger = slog.New(slog.DiscardHandler)
			replicas := []*store.Store{b.Open(t), b.Open(t)}
			dice := rand.New(rand.NewPCG(uint64(seed), 11))
			shuffled := append([]told(nil), pushes...)
			for range len(pushes) / 2 {
				shuffled = append(shuffled, pushes[dice.IntN(len(pushes))])
			}
			dice.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			storyOf(t, replicas, shuffled, 6, 1+seed*3)
			if diff := cmp.Diff(want, beliefs(t, replicas[0])); diff != "" {
				t.Errorf("belief differs from that of one process (-one +two):\n%s", diff)
			}
			versionsHaveNoGaps(t, replicas[1])
			depth, err := replicas[0].Depth(ctxOf(t))
			if err != nil || len(depth) != 1 || depth[inbox.Processed] != len(shuffled) {
				t.Errorf("counted %v, %v; want %d processed", depth, err, len(shuffled))
			}
		})
	}
}

// The first pushes about one parcel come at the same moment to several
// processes, under its different names, and nobody knows it yet.
func TestReplicasMakeOneOrder(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	b.Options.Logger = slog.New(slog.DiscardHandler)
	replicas := []*store.Store{b.Open(t), b.Open(t), b.Open(t)}
	for round := range 15 {
		awb, sr, number := fmt.Sprint("A", round), fmt.Sprint("S", round), fmt.Sprint("N", round)
		at := noon.Add(-time.Hour)
		apps := intake(t, replicas[0],
			told{awb: awb, sr: sr, milestone: tracking.PickedUp, label: "PICKED UP", at: at},
			told{awb: awb, number: number, milestone: tracking.InTransit, label: "IN TRANSIT", at: at.Add(time.Minute)},
			told{sr: sr, number: number, milestone: tracking.Created, label: "NEW", at: at.Add(-time.Minute)},
			told{awb: awb, milestone: tracking.OutForDelivery, label: "OUT FOR DELIVERY", at: at.Add(2 * time.Minute)},
			told{sr: sr, milestone: tracking.InTransit, label: "IN TRANSIT", at: at.Add(3 * time.Minute)},
		)
		var wg sync.WaitGroup
		for i, app := range apps {
			wg.Go(func() {
				applied, err := replicas[i%3].Apply(ctxOf(t), noon, []inbox.Application{app}, auto)
				if err != nil || applied[0].Err != nil || applied[0].Status != inbox.Processed {
					t.Errorf("apply: %+v, %v", applied, err)
				}
			})
		}
		var registered *tracking.Order
		wg.Go(func() {
			var err error
			registered, _, err = replicas[1].Register(ctxOf(t), noon, tracking.Registration{ID: fmt.Sprintf("brought-by-the-shop-%04d", round), Number: number, SR: sr})
			if err != nil {
				t.Errorf("register: %v", err)
			}
		})
		wg.Wait()
		found, err := replicas[2].OrdersByNumber(ctxOf(t), number)
		if err != nil || len(found) != 1 || len(found[0].Readings) < 5 || found[0].ID != registered.ID {
			t.Fatalf("round %d: %d orders with the number, %v; want one with all evidence", round, len(found), err)
		}
	}
	versionsHaveNoGaps(t, replicas[0])
}

// Without AutoCreate a push waits for its order. However the two come
// together, it never waits in vain.
func TestReplicasReleaseWhatWaits(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	b.Options.Logger = slog.New(slog.DiscardHandler)
	one, two := b.Open(t), b.Open(t)
	for round := range 20 {
		number := fmt.Sprint("N", round)
		apps := intake(t, one, told{awb: fmt.Sprint("A", round), number: number, milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})
		var wg sync.WaitGroup
		wg.Go(func() {
			if applied, err := one.Apply(ctxOf(t), noon, apps, inbox.ApplyOptions{}); err != nil || applied[0].Err != nil {
				t.Errorf("apply: %+v, %v", applied, err)
			}
		})
		wg.Go(func() {
			if _, _, err := two.Register(ctxOf(t), noon, tracking.Registration{Number: number}); err != nil {
				t.Errorf("register: %v", err)
			}
		})
		wg.Wait()
		w, err := one.Webhook(ctxOf(t), apps[0].WebhookID)
		if err != nil || w.Status == inbox.Parked {
			t.Fatalf("round %d: the webhook is %s, %v", round, w.Status, err)
		}
		for _, w := range claim(t, one, 10) {
			if err := one.Settle(ctxOf(t), w.ID, noon, inbox.Processed, "", "seen"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The same repeats come to several processes, in different orders.
func TestReplicasKeepOneOriginal(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	b.Options.Logger = slog.New(slog.DiscardHandler)
	replicas := []*store.Store{b.Open(t), b.Open(t), b.Open(t)}
	const events = 200
	var (
		mu        sync.Mutex
		originals = map[string]int{}
		wg        sync.WaitGroup
	)
	for r, s := range replicas {
		for _, i := range rand.New(rand.NewPCG(uint64(r), 3)).Perm(events) {
			for body := range 2 {
				wg.Go(func() {
					kept, err := s.Append(ctxOf(t), pushed(fmt.Sprint("E", i), fmt.Sprint(body)))
					if err != nil {
						t.Error(err)
						return
					}
					if !kept.Duplicate {
						mu.Lock()
						defer mu.Unlock()
						originals[fmt.Sprint(i, " ", body)]++
					}
				})
			}
		}
	}
	wg.Wait()
	if len(originals) != 2*events {
		t.Errorf("%d bodies have an original, want %d", len(originals), 2*events)
	}
	for which, n := range originals {
		if n != 1 {
			t.Errorf("%s has %d originals", which, n)
		}
	}
	claimed := 0
	for _, s := range replicas {
		claimed += len(claim(t, s, 10*events))
	}
	if claimed != 2*events {
		t.Errorf("%d can be claimed, want %d", claimed, 2*events)
	}
}

// Several processes that start at the same time on an empty database make its
// schema once.
func TestReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			s, err := store.Open(ctxOf(t), b.Options)
			if err != nil {
				t.Error(err)
				return
			}
			_, err = s.Append(ctxOf(t), pushed(tracking.NewOrderID(), "b"))
			if err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Bodies lie in the partition of their day; a day goes whole, and what nobody
// has resolved stays readable.
func TestDaysAreDroppedWhole(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	old := noon.Add(-100 * 24 * time.Hour)
	for i := range 40 {
		w := pushed(fmt.Sprint("old", i), fmt.Sprint("body ", i))
		w.Status, w.ReceivedAt = inbox.Ignored, old.Add(time.Duration(i%2)*24*time.Hour)
		if i == 7 {
			w.Status = inbox.Parked
		}
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Append(ctx, pushed("new", "new")); err != nil {
		t.Fatal(err)
	}
	db := raw(t, b)
	count := func(text string) (n int) {
		t.Helper()
		if err := db.QueryRow(text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const partitions = `SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'webhook_bodies'::regclass`
	before := count(partitions)
	if n := count(`SELECT COUNT(*) FROM webhook_bodies_loose`); n != 0 {
		t.Errorf("%d bodies are in no partition of a day", n)
	}
	for _, want := range []int{30, 9} {
		if n, err := s.DeleteOld(ctx, noon.Add(-90*24*time.Hour), 30); err != nil || n != want {
			t.Fatalf("deleted %d, %v; want %d", n, err, want)
		}
	}
	if after := count(partitions); after != before-3 {
		t.Errorf("%d partitions were %d, want three days less", after, before)
	}
	if n := count(`SELECT COUNT(*) FROM webhook_bodies`); n != 2 {
		t.Errorf("%d bodies are left, want those of the parked and of the new webhook", n)
	}
	if n := count(`SELECT COUNT(*) FROM webhook_counts WHERE status = 'ignored'`); n != 0 {
		t.Errorf("%d counts of what is no more", n)
	}
	found, err := s.Webhooks(ctx, store.Filter{Status: inbox.Parked}, 1, 5)
	if err != nil || len(found.Rows) != 1 {
		t.Fatal(found, err)
	}
	id := found.Rows[0].ID
	if w, err := s.Webhook(ctx, id); err != nil || string(w.Body) != "body 7" {
		t.Errorf("the parked webhook: %+v, %v", w, err)
	}
	if err := s.Retry(ctx, id, false); err != nil {
		t.Error(err)
	}
	if claimed := claim(t, s, 5); len(claimed) != 2 || string(claimed[0].Body) != "body 7" {
		t.Errorf("claimed %+v", claimed)
	}
	// A day that has been dropped has no partition any more; nothing is lost.
	late := pushed("late", "late")
	late.ReceivedAt = old
	if _, err := s.Append(ctx, late); err != nil {
		t.Error(err)
	}
	if err := s.Settle(ctx, id, noon, inbox.Processed, "", "resolved"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.DeleteOld(ctx, noon.Add(-90*24*time.Hour), 30); err != nil || n != 1 {
		t.Errorf("deleted %d, %v; want the resolved one", n, err)
	}
	if n := count(`SELECT COUNT(*) FROM webhook_bodies`); n != 2 {
		t.Errorf("%d bodies are left, want those of the new and of the late webhook", n)
	}
}

// A line that can be cut leads to the server.
type line struct {
	server string

	mu    sync.Mutex
	l     net.Listener
	conns map[net.Conn]bool
}

func newLine(t *testing.T, address string) (*line, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	c := &line{server: net.JoinHostPort(u.Hostname(), port), conns: map[net.Conn]bool{}}
	c.mend(t, "127.0.0.1:0")
	u.Host = c.l.Addr().String()
	t.Cleanup(c.cut)
	return c, u.String()
}

func (c *line) mend(t *testing.T, at string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.l = l
	c.mu.Unlock()
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", c.server)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			if c.l != l {
				_, _ = near.Close(), far.Close()
			}
			c.conns[near], c.conns[far] = true, true
			c.mu.Unlock()
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					_, _ = pair[0].Close(), pair[1].Close()
				}()
			}
		}
	}()
}

// cut ends all connections and lets no new one come.
func (c *line) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.l.Close()
	c.l = nil
	for conn := range c.conns {
		_ = conn.Close()
	}
	clear(c.conns)
}

// While the server is away callers are told to come again; afterwards
// everything works by itself, and what was acknowledged is there.
func TestTheServerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b := storetest.Postgres(t)
	cable, through := newLine(t, b.Options.URL)
	b.Options.URL, b.Options.Logger = through, slog.New(slog.DiscardHandler)
	s := b.Open(t)
	at := cable.l.Addr().String()
	ctx := ctxOf(t)

	acknowledged, refused := 0, 0
	next := 0
	push := func() bool {
		t.Helper()
		next++
		_, err := s.Append(ctx, pushed(fmt.Sprint(next), "b"))
		switch {
		case err == nil:
			acknowledged++
		case tracking.ErrorCode(err) == tracking.Unavailable:
			refused++
		default:
			t.Fatalf("append: %v", err)
		}
		return err == nil
	}
	for range 3 {
		for range 5 {
			if !push() {
				t.Fatal("refused while the server is there")
			}
		}
		cable.cut()
		if push() {
			t.Fatal("acknowledged while the server is away")
		}
		for what, err := range map[string]error{
			"ping":   s.Ping(ctx),
			"claim":  func() error { _, err := s.Claim(ctx, 1, noon); return err }(),
			"order":  func() error { _, err := s.Order(ctx, "x"); return err }(),
			"search": func() error { _, err := s.Webhooks(ctx, store.Filter{}, 1, 1); return err }(),
		} {
			if tracking.ErrorCode(err) != tracking.Unavailable {
				t.Errorf("%s while the server is away: %v", what, err)
			}
		}
		cable.mend(t, at)
		if err := s.Ping(ctx); err != nil {
			t.Errorf("ping when the server is back: %v", err)
		}
	}

	// Cut again and again in the middle of the work.
	var wg sync.WaitGroup
	stop := make(chan struct{})
	var mu sync.Mutex
	kept := map[string]bool{}
	for c := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("w-%d-%d", c, i)
				_, err := s.Append(ctx, pushed(id, "b"))
				if err != nil && tracking.ErrorCode(err) != tracking.Unavailable {
					t.Errorf("append: %v", err)
					return
				}
				if err == nil {
					mu.Lock()
					kept[id] = true
					mu.Unlock()
				}
			}
		})
	}
	grown := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return len(kept) >= n
	}
	for cut := range 10 {
		for deadline := time.Now().Add(20 * time.Second); !grown(cut * 40); {
			if time.Now().After(deadline) {
				t.Fatalf("nothing is kept any more after %d cuts", cut)
			}
			<-time.After(time.Millisecond)
		}
		cable.cut()
		cable.mend(t, at)
	}
	close(stop)
	wg.Wait()
	there := map[string]bool{}
	for _, w := range claim(t, s, 100000) {
		there[w.EventID] = true
	}
	for id := range kept {
		if !there[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if len(there) < acknowledged+len(kept) || refused < 3 {
		t.Errorf("%d are there, %d were acknowledged; %d refused", len(there), acknowledged+len(kept), refused)
	}
}

func TestOpenSaysWhatIsWrongWithTheDatabase(t *testing.T) {
	t.Parallel()
	address := storetest.PostgresURL(t)
	for name, c := range map[string]struct{ url, want string }{
		"no such server": {"postgres://somebody:verysecret@127.0.0.1:1/x?sslmode=disable", "connect"},
		"no such schema": {strings.Replace(address, "search_path=", "search_path=no_", 1), "no schema of its search_path exists"},
		"not a URL":      {"postgres://somebody:verysecret@127.0.0.1:port/x", "parse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := store.Open(ctxOf(t), store.Options{URL: c.url, Logger: slog.New(slog.DiscardHandler)})
			if err == nil {
				t.Fatal("it was opened", s.Close())
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "verysecret") {
				t.Errorf("open: %v; want %q and no password", err, c.want)
			}
		})
	}
}
