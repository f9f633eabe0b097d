package bustest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/webazaar/waybill/internal/pusher"
)

// agrees does the same on three nodes and on three in memory, and compares all
// answers. Each run has channels of its own.
func agrees(t *testing.T, c Cluster) {
	var nodes, models [3]pusher.Cluster
	memory := pusher.NewMemoryClusters(len(models))
	for i := range nodes {
		nodes[i] = c.join(t)
		m := memory[i]
		if err := m.Open(t.Context(), fmt.Sprint("model-", i), NewRecorder()); err != nil {
			t.Fatal(err)
		}
		models[i] = m
	}
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		prefix := fmt.Sprintf("run-%d-", run)
		channel := rapid.Custom(func(t *rapid.T) string { return prefix + rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "channel") })
		user := rapid.SampledFrom([]string{"amy", "bob", "cid", "dee"})
		same := func(what string, got, want any) {
			t.Helper()
			if d := diff.Diff(want, got); d != "" {
				t.Fatalf("%s (-want +got):\n%s", what, d)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			i := rapid.IntRange(0, 2).Draw(t, "node")
			node, model := nodes[i], models[i]
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1:
				seats := rapid.MapOfN(channel, rapid.IntRange(0, 2), 1, 3).Draw(t, "seats")
				occupied, emptied, err := node.Seats(t.Context(), seats)
				wantOccupied, wantEmptied, _ := model.Seats(t.Context(), seats)
				same("seats", err, nil)
				same("occupied", inSomeOrder(occupied), inSomeOrder(wantOccupied))
				same("emptied", inSomeOrder(emptied), inSomeOrder(wantEmptied))
			case 2:
				channels := rapid.SliceOfNDistinct(channel, 1, 3, rapid.ID[string]).Draw(t, "settle")
				vacated, err := node.Settle(t.Context(), channels)
				want, _ := model.Settle(t.Context(), channels)
				same("settle", err, nil)
				same("vacated", inSomeOrder(vacated), inSomeOrder(want))
			case 3, 4:
				at, m, limit := channel.Draw(t, "enter"), pusher.Member{User: user.Draw(t, "user")}, rapid.IntRange(0, 3).Draw(t, "limit")
				if rapid.Bool().Draw(t, "info") {
					m.Info = fmt.Appendf(nil, `"%d"`, rapid.IntRange(0, 9).Draw(t, "value"))
				}
				members, first, err := node.Enter(t.Context(), at, m, limit)
				wantMembers, wantFirst, wantErr := model.Enter(t.Context(), at, m, limit)
				same("enter", fmt.Sprint(err), fmt.Sprint(wantErr))
				same("first", first, wantFirst)
				same("members", byUser(members), byUser(wantMembers))
			case 5:
				at, who := channel.Draw(t, "exit"), user.Draw(t, "user")
				last, err := node.Exit(t.Context(), at, who)
				want, _ := model.Exit(t.Context(), at, who)
				same("exit", err, nil)
				same("last", last, want)
			case 6:
				at := channel.Draw(t, "read")
				members, err := node.Members(t.Context(), at)
				want, _ := model.Members(t.Context(), at)
				same("members", err, nil)
				same("members", byUser(members), byUser(want))
				all, err := node.Channels(t.Context(), prefix)
				wantAll, _ := model.Channels(t.Context(), prefix)
				same("channels", err, nil)
				same("channels", all, wantAll)
				counts, err := node.Counts(t.Context(), []string{at, prefix + "x"})
				wantCounts, _ := model.Counts(t.Context(), []string{at, prefix + "x"})
				same("counts", err, nil)
				same("counts", counts, wantCounts)
			}
		}
	})
}

func inSomeOrder(names []string) []string {
	return slices.Sorted(slices.Values(names))
}

// byUser checks nothing but who is there, with nil for nobody.
func byUser(members []pusher.Member) []pusher.Member {
	if len(members) == 0 {
		return nil
	}
	return slices.SortedFunc(slices.Values(members), func(a, b pusher.Member) int { return cmp.Compare(a.User, b.User) })
}
