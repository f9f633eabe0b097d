package bustest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/webazaar/waybill/internal/pusher"
)

func delivers(t *testing.T, c Cluster) {
	a, b, other := c.join(t), c.join(t), c.join(t)
	a.follow(t, "orders", "end")
	b.follow(t, "orders", "end")
	other.follow(t, "elsewhere", "end")
	b.publish(t, message("orders", "1"), message("nobody", "2"), message("elsewhere", "3"), message("end", ""))
	for _, n := range []*joined{a, b, other} { // the end comes after all else
		n.AwaitMessages(t, "end", 1)
	}
	for name, got := range map[string]int{
		"a": len(a.Messages("orders")), "b, the publisher,": len(b.Messages("orders")), "other": len(other.Messages("elsewhere")),
	} {
		if got != 1 {
			t.Errorf("%s got %d messages, want 1", name, got)
		}
	}
	if n := len(other.Messages("orders")) + len(other.Messages("nobody")) + len(a.Messages("elsewhere")); n != 0 {
		t.Errorf("%d messages came where their channel is not followed", n)
	}
}

func keepsOrder(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.follow(t, "orders")
	n := 0
	for batch := range 40 {
		messages := make([]pusher.Message, 1+batch%7)
		for i := range messages {
			messages[i] = message("orders", strconv.Itoa(n))
			n++
		}
		a.publish(t, messages...)
	}
	inOrder(t, b.AwaitMessages(t, "orders", n), n)
}

func inOrder(t testing.TB, got []pusher.Message, n int) {
	t.Helper()
	if len(got) != n {
		t.Errorf("%d messages, want %d", len(got), n)
	}
	for i, m := range got {
		if string(m.Data) != strconv.Itoa(i) {
			t.Fatalf("message %d is %q", i, m.Data)
		}
	}
}

func keepsOrders(t *testing.T, c Cluster) {
	const n = 300
	a, b, watcher := c.join(t), c.join(t), c.join(t)
	watcher.follow(t, "orders")
	var publishers sync.WaitGroup
	for _, p := range []*joined{a, b} {
		publishers.Go(func() {
			for i := range n {
				m := message("orders", strconv.Itoa(i))
				m.Event = fmt.Sprintf("of-%p", p)
				if err := p.Publish(t.Context(), []pusher.Message{m}); err != nil {
					t.Errorf("publish: %v", err)
					return
				}
			}
		})
	}
	publishers.Wait()
	got := watcher.AwaitMessages(t, "orders", 2*n)
	for _, p := range []*joined{a, b} {
		his := slices.DeleteFunc(slices.Clone(got), func(m pusher.Message) bool { return m.Event != fmt.Sprintf("of-%p", p) })
		inOrder(t, his, n)
	}
}

func keepsEqual(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.follow(t, "orders", "end")
	same := message("orders", "same")
	a.publish(t, same, same, same)
	a.publish(t, same, message("end", ""))
	b.AwaitMessages(t, "end", 1)
	if n := len(b.Messages("orders")); n != 4 {
		t.Errorf("%d messages, want all 4", n)
	}
}

func keepsBytes(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	random := make([]byte, 10<<10)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	sent := []pusher.Message{
		{Event: "e", Data: random},
		{Event: "e", Data: every},
		{Event: "'\"\\%s${}\x00\xff ☃", Data: []byte("'; DROP TABLE live_nodes; --"), Except: "123.456"},
		{Event: "e", Data: bytes.Repeat([]byte{0}, 20<<10)},
		{Event: "e", Data: bytes.Repeat([]byte("x"), 5850)}, // about what fits into one piece
		{Event: "e", Data: bytes.Repeat([]byte("y"), 300<<10)},
		{Event: "", Data: []byte{}},
	}
	for i := range sent {
		sent[i].Channel = "orders"
		fill(&sent[i])
	}
	b.follow(t, "orders")
	a.publish(t, sent...)
	for i, got := range b.AwaitMessages(t, "orders", len(sent)) {
		if len(got.Data) == 0 {
			got.Data = []byte{}
		}
		if !reflect.DeepEqual(got, sent[i]) {
			t.Errorf("message %d came otherwise than it was sent: %d bytes for %d, event %q for %q, except %q for %q",
				i, len(got.Data), len(sent[i].Data), got.Event, sent[i].Event, got.Except, sent[i].Except)
		}
	}
}

// fill gives a value to each field that has none, whatever fields there are: one
// that is not carried is found.
func fill(m *pusher.Message) {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case v.Type().Field(i).Name == "Event" || !f.IsZero():
		case f.Kind() == reflect.String:
			f.SetString("filled")
		case f.CanInt():
			f.SetInt(-1 << 40)
		}
	}
}

func followHasBegun(t *testing.T, c Cluster) {
	const each, followers = 150, 4
	a, b := c.join(t), c.join(t)
	stop := make(chan struct{})
	var load, all sync.WaitGroup
	load.Go(func() { // what else goes on
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = a.Publish(context.Background(), []pusher.Message{message("crowd", "x"), message("noise-"+strconv.Itoa(i%50), "x")})
			}
		}
	})
	b.follow(t, "crowd")
	for f := range followers {
		all.Go(func() {
			for i := range each {
				channel := fmt.Sprintf("f%d-%d", f, i)
				if err := b.Follow(t.Context(), channel); err != nil {
					t.Errorf("follow: %v", err)
					return
				}
				if err := a.Publish(t.Context(), []pusher.Message{message(channel, "1")}); err != nil {
					t.Errorf("publish: %v", err)
					return
				}
				if i%3 == 0 {
					b.AwaitMessages(t, channel, 1)
					b.Unfollow(channel)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	load.Wait()
	for f := range followers {
		for i := range each {
			if got := b.AwaitMessages(t, fmt.Sprintf("f%d-%d", f, i), 1); len(got) != 1 {
				t.Errorf("%d messages for one published", len(got))
			}
		}
	}
}

func followsMany(t *testing.T, c Cluster) {
	const n = 5000
	a, b := c.join(t), c.join(t)
	var all sync.WaitGroup
	for part := range 50 {
		all.Go(func() {
			for i := range n / 50 {
				if err := b.Follow(t.Context(), "many-"+strconv.Itoa(part*n/50+i)); err != nil {
					t.Errorf("follow: %v", err)
				}
			}
		})
	}
	all.Wait()
	for i := 0; i < n; i += 100 {
		var messages []pusher.Message
		for j := range 100 {
			messages = append(messages, message("many-"+strconv.Itoa(i+j), "1"))
		}
		a.publish(t, messages...)
	}
	b.await(t, "a message in each channel", func() bool { return len(b.messages) >= n })
	if len(b.messages) != n {
		t.Errorf("%d messages, want %d", len(b.messages), n)
	}
}

func unfollows(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.follow(t, "orders", "end")
	a.publish(t, message("orders", "1"))
	b.AwaitMessages(t, "orders", 1)
	b.Unfollow("orders")
	b.Unfollow("never followed")
	a.publish(t, message("orders", "2"), message("end", ""))
	b.AwaitMessages(t, "end", 1)
	if n := len(b.Messages("orders")); n != 1 {
		t.Errorf("%d messages, want the one from before", n)
	}
}

func followsAgain(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	for i := range 100 {
		b.follow(t, "orders")
		a.publish(t, message("orders", strconv.Itoa(i)))
		b.AwaitMessages(t, "orders", i+1)
		b.Unfollow("orders")
	}
	inOrder(t, b.Messages("orders"), 100)
}

func closeEnds(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.follow(t, "orders")
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = a.Publish(context.Background(), []pusher.Message{message("orders", "x")})
			}
		}
	})
	b.AwaitMessages(t, "orders", 20)
	b.leave(t) // and is told nothing from here on, which is checked at the end
	for range 50 {
		a.publish(t, message("orders", "x"))
	}
	close(stop)
	load.Wait()
}
