package simulate_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/simulate"
)

var now = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func plan(t *testing.T, o simulate.Options) []simulate.Push {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = now
	}
	p, err := simulate.Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bodies(pushes []simulate.Push) []string {
	all := make([]string, len(pushes))
	for i, p := range pushes {
		all[i] = string(p.Body())
	}
	return all
}

func TestTheSeedDecidesThePlan(t *testing.T) {
	t.Parallel()
	o := simulate.Options{Seed: 7, Parcels: 60, Shuffle: true, Duplicates: 0.2}
	first := bodies(plan(t, o))
	if again := bodies(plan(t, o)); !slices.Equal(first, again) {
		t.Error("the same options made another plan")
	}
	o.Seed = 8
	other := bodies(plan(t, o))
	for _, b := range other {
		if slices.Contains(first, b) {
			t.Fatalf("another seed made the same push: %s", b)
		}
	}
}

func TestALongerPlanHasTheSameParcelsFirst(t *testing.T) {
	t.Parallel()
	short := bodies(plan(t, simulate.Options{Seed: 7, Parcels: 30}))
	long := bodies(plan(t, simulate.Options{Seed: 7, Parcels: 60}))
	for _, b := range short {
		if !slices.Contains(long, b) {
			t.Fatalf("missing from the longer plan: %s", b)
		}
	}
}

func TestNothingIsDatedInTheFuture(t *testing.T) {
	t.Parallel()
	earliest := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	for hour := 0; hour < 24; hour += 3 {
		at := now.Add(time.Duration(hour) * time.Hour)
		newest := time.Time{}
		for _, p := range plan(t, simulate.Options{Seed: uint64(hour), Parcels: 30, Duplicates: 0.5, Now: at}) {
			b := decode(t, p.Body())
			for _, when := range b.times(t) {
				if when.After(at) || when.Before(earliest) {
					t.Fatalf("at %s, %s of %s is dated %s", at, p.Label(), p.Parcel().Number, when)
				}
				if when.After(newest) {
					newest = when
				}
			}
		}
		if newest.Before(at.Add(-24 * time.Hour)) {
			t.Errorf("at %s, the newest event is of %s", at, newest)
		}
	}
}

func TestEachParcelMovesForwardInTime(t *testing.T) {
	t.Parallel()
	events, told := map[string]time.Time{}, map[string]time.Time{}
	for _, p := range plan(t, simulate.Options{Seed: 3, Parcels: 100}) {
		number := p.Parcel().Number
		if !p.EventTime().After(events[number]) {
			t.Fatalf("%s: %s at %s does not come after what was before it", number, p.Label(), p.EventTime())
		}
		events[number] = p.EventTime()
		b := decode(t, p.Body())
		times := b.times(t)
		if len(times) == 0 {
			continue
		}
		stamp := times[len(times)-1]
		if stamp.Before(told[number]) || stamp.Before(p.EventTime()) {
			t.Errorf("%s: %s was handled at %s, before it happened or out of turn", number, p.Label(), stamp)
		}
		told[number] = stamp
		if len(b.Scans) > 0 && times[0].After(p.EventTime()) {
			t.Errorf("%s: %s has a scan of %s, after its event at %s", number, p.Label(), times[0], p.EventTime())
		}
		for i := 1; i < len(b.Scans); i++ {
			forward := b.Scans[i-1].Date < b.Scans[i].Date
			if forward == (b.ChannelOrderID != "") || b.Scans[i-1].Date == b.Scans[i].Date {
				t.Errorf("%s: scans out of order: %v", number, b.Scans)
			}
		}
	}
}

func TestEveryKindEndsAsItShould(t *testing.T) {
	t.Parallel()
	ends := map[simulate.Kind][]string{
		simulate.Happy: {"DELIVERED"}, simulate.NDR: {"DELIVERED"}, simulate.Delayed: {"DELIVERED"},
		simulate.SelfCollect: {"DELIVERED"}, simulate.Hyperlocal: {"DELIVERED"}, simulate.Rebooked: {"DELIVERED"},
		simulate.RTO: {"RTO ACKNOWLEDGED"}, simulate.Lost: {"LOST"}, simulate.Damaged: {"DISPOSED OFF"},
		simulate.Cancelled: {"CANCELED"}, simulate.TwoParcels: {"DELIVERED", "DELIVERED"},
		simulate.Return: {"DELIVERED", "RETURN ACKNOWLEGED"},
	}
	for _, kind := range simulate.Kinds() {
		var order []uint64 // Shiprocket's ids, as they first come
		last := map[uint64]string{}
		for _, p := range plan(t, simulate.Options{Seed: 5, Parcels: 1, Kinds: []simulate.Kind{kind}}) {
			b := decode(t, p.Body())
			sr := b.SROrderID
			if b.ChannelOrderID != "" {
				sr, _ = strconv.ParseUint(b.OrderID, 10, 64)
			}
			if !slices.Contains(order, sr) {
				order = append(order, sr)
			}
			last[sr] = p.Label()
		}
		var got []string
		for _, sr := range order {
			got = append(got, last[sr])
		}
		if !slices.Equal(got, ends[kind]) {
			t.Errorf("%s ends with %q, want %q", kind, got, ends[kind])
		}
	}
}

func TestTheFirstParcelsAreOneOfEachKind(t *testing.T) {
	t.Parallel()
	seen := map[simulate.Kind]bool{}
	for _, p := range plan(t, simulate.Options{Seed: 9, Parcels: len(simulate.Kinds())}) {
		seen[p.Parcel().Kind] = true
		if p.Parcel().Title == string(p.Parcel().Kind) || p.Parcel().Title != p.Parcel().Kind.Title() {
			t.Errorf("title of %s is %q", p.Parcel().Kind, p.Parcel().Title)
		}
	}
	if len(seen) != len(simulate.Kinds()) {
		t.Errorf("kinds seen: %v", seen)
	}
}

func TestShuffleLosesAndAddsNothing(t *testing.T) {
	t.Parallel()
	o := simulate.Options{Seed: 11, Parcels: 150, Duplicates: 0.1}
	straight := bodies(plan(t, o))
	o.Shuffle = true
	shuffled := bodies(plan(t, o))
	if slices.Equal(straight, shuffled) {
		t.Error("the plan was not shuffled")
	}
	place := map[string]int{}
	for i, b := range straight {
		place[b] = i
	}
	for i, b := range shuffled {
		if moved := i - place[b]; moved > 1000 || moved < -1000 {
			t.Errorf("a push was moved by %d places", moved)
		}
	}
	slices.Sort(straight)
	slices.Sort(shuffled)
	if !slices.Equal(straight, shuffled) {
		t.Error("the shuffled plan has other pushes")
	}
}

func TestShuffleTurnsAParcelsOwnPushesRound(t *testing.T) {
	t.Parallel()
	newest, late := map[string]time.Time{}, 0
	for _, p := range plan(t, simulate.Options{Seed: 11, Parcels: 150, Shuffle: true}) {
		number := p.Parcel().Number
		if p.EventTime().Before(newest[number]) {
			late++
			continue
		}
		newest[number] = p.EventTime()
	}
	if late < 50 {
		t.Errorf("%d pushes come after a later one of their parcel, want many", late)
	}
}

func TestRepeatsAreIdenticalOrSimilar(t *testing.T) {
	t.Parallel()
	pushes := plan(t, simulate.Options{Seed: 13, Parcels: 120, Duplicates: 0.3})
	count := map[simulate.Repeat]int{}
	seen := map[string]int{}
	for _, p := range pushes {
		count[p.Repeat()]++
		raw := string(p.Body())
		if p.Repeat() != simulate.Identical {
			seen[raw]++
			if seen[raw] > 1 {
				t.Errorf("repeat %d: an original or similar push has been there before: %s", p.Repeat(), raw)
			}
			continue
		}
		if seen[raw] == 0 {
			t.Errorf("an identical push has no original: %s", raw)
		}
	}
	repeats := count[simulate.Identical] + count[simulate.Similar]
	if share := float64(repeats) / float64(count[simulate.Original]); share < 0.25 || share > 0.35 {
		t.Errorf("%d repeats of %d", repeats, count[simulate.Original])
	}
	if count[simulate.Similar] < repeats/5 || count[simulate.Identical] < repeats/3 {
		t.Errorf("%v", count)
	}
}

func TestBodiesHaveTheShapesThatAreSent(t *testing.T) {
	t.Parallel()
	full := strings.Fields(`awb courier_name current_status current_status_id shipment_status return_awb_code
		current_timestamp order_id sr_order_id pickup_address_id charge_info awb_assigned_date pickup_scheduled_date etd
		pickup_exception_reason undelivered_reason undelivered_reason_code pick_exception_reason_code delivery_attempt_count
		pickup_attempt_count qc_image qc_failure_reason scans date is_return channel_id pod_status pod delivered_date shipping_method`)
	slices.Sort(full)
	shapes := map[string]int{}
	var sizes, whole int
	for _, p := range plan(t, simulate.Options{Seed: 17, Parcels: 150}) {
		raw := p.Body()
		b := decode(t, raw)
		if b.number() != p.Parcel().Number {
			t.Fatalf("number %q, want %q", b.number(), p.Parcel().Number)
		}
		keys := slices.DeleteFunc(slices.Clone(b.keys), func(k string) bool { return k == "shipment_status_id" })
		switch {
		case slices.Equal(keys, full):
			shapes["full"]++
			sizes, whole = sizes+len(raw), whole+1
			if len(raw) > 8_000 || b.SROrderID == 0 || b.awb()[0] != '"' {
				t.Errorf("%d bytes: %s", len(raw), raw)
			}
		case b.ChannelOrderID != "":
			shapes["panel"]++
			if !regexp.MustCompile(`^[1-9]\d+$`).MatchString(b.awb()) || len(b.Scans) == 0 || b.SROrderID != 0 {
				t.Errorf("not as the panel's sample: %s", raw)
			}
			for _, s := range b.Scans {
				if s.SRStatus != nil || s.Status != "" {
					t.Errorf("the panel's scans have three keys: %s", raw)
				}
			}
		case b.raw["rider_phone"] != nil:
			shapes["rider"]++
		case len(b.keys) == 5:
			shapes["sparse"]++
			if b.CurrentStatus != "In Transit" {
				t.Errorf("sparse: %s", raw)
			}
		default:
			t.Errorf("of no known shape: %s", raw)
		}
	}
	for _, shape := range []string{"full", "panel", "rider", "sparse"} {
		if shapes[shape] == 0 {
			t.Errorf("no %s push in the plan: %v", shape, shapes)
		}
	}
	if mean := sizes / whole; mean < 2000 || mean > 4000 {
		t.Errorf("a full push has %d bytes on average", mean)
	}
}

func TestStatusPairsAreThoseOfTheTables(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../shiprocket/data/statuses.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[^A-Z0-9]+`)
	normal := func(s string) string { return strings.TrimSpace(words.ReplaceAllString(strings.ToUpper(s), " ")) }
	table := map[string]string{
		// Spellings of live and documented pushes where the tables have others.
		"order 43 REACHED AT DESTINATION HUB": "", "shipment 38 REACHED AT DESTINATION HUB": "",
		"shipment 3 PICKUP SCHEDULED": "", "shipment 3 PICKUP GENERATED": "",
	}
	for _, row := range rows[1:] {
		table[row[0]+" "+row[1]+" "+normal(row[2])] = ""
	}
	known := func(kind string, id int, label string) {
		key := kind + " " + strconv.Itoa(id) + " " + normal(label)
		if _, ok := table[key]; !ok && id != 0 {
			t.Errorf("no such status: %s", key)
		}
	}
	for _, p := range plan(t, simulate.Options{Seed: 19, Parcels: 40}) {
		var b struct {
			body
			Scans []struct {
				SRStatus any    `json:"sr-status"`
				SRLabel  string `json:"sr-status-label"`
			} `json:"scans"`
		}
		if err := json.Unmarshal(p.Body(), &b); err != nil {
			t.Fatal(err)
		}
		known("order", b.CurrentStatusID, b.CurrentStatus)
		known("shipment", b.ShipmentStatusID, b.ShipmentStatus)
		for _, s := range b.Scans {
			switch id := s.SRStatus.(type) {
			case float64:
				known("shipment", int(id), s.SRLabel)
			case string:
				n, err := strconv.Atoi(id)
				if (err != nil) != (id == "NA") {
					t.Errorf("sr-status %q", id)
				}
				known("shipment", n, s.SRLabel)
			}
		}
	}
}

func TestJourneysTellTheirTurns(t *testing.T) {
	t.Parallel()
	of := func(k simulate.Kind) []body {
		var all []body
		for _, p := range plan(t, simulate.Options{Seed: 21, Parcels: 1, Kinds: []simulate.Kind{k}}) {
			all = append(all, decode(t, p.Body()))
		}
		return all
	}
	t.Run("an RTO has an AWB of its own and is no return", func(t *testing.T) {
		t.Parallel()
		for _, b := range of(simulate.RTO) {
			turned := strings.HasPrefix(b.CurrentStatus, "RTO") && b.CurrentStatus != "RTO INITIATED"
			if turned != (b.ReturnAWBCode != "") || b.IsReturn != 0 {
				t.Errorf("%s: return_awb_code %q, is_return %d", b.CurrentStatus, b.ReturnAWBCode, b.IsReturn)
			}
		}
	})
	t.Run("a return has Shiprocket's order of its own and the forward number", func(t *testing.T) {
		t.Parallel()
		all := of(simulate.Return)
		for _, b := range all {
			returning := strings.HasPrefix(b.CurrentStatus, "RETURN")
			if returning != (b.IsReturn == 1) || returning == (b.SROrderID == all[0].SROrderID) || b.OrderID != all[0].OrderID {
				t.Errorf("%s: is_return %d, %d, %q", b.CurrentStatus, b.IsReturn, b.SROrderID, b.OrderID)
			}
		}
	})
	t.Run("failed pickups end an AWB", func(t *testing.T) {
		t.Parallel()
		all := of(simulate.Rebooked)
		i := slices.IndexFunc(all, func(b body) bool { return b.CurrentStatus == "NEW" })
		if i < 0 || all[i].awb() != `""` || string(all[i].raw["awb_assigned_date"]) != "null" || string(all[i].raw["scans"]) != "null" {
			t.Fatalf("NEW: %v", all)
		}
		if all[i+1].awb() == all[0].awb() || all[i+1].SROrderID != all[0].SROrderID || len(all[i+1].Scans) != 1 {
			t.Errorf("rebooked: %v", all[i+1])
		}
	})
	t.Run("failed deliveries are counted", func(t *testing.T) {
		t.Parallel()
		all := of(simulate.NDR)
		if last := all[len(all)-1]; last.Attempts != 2 || !strings.HasPrefix(last.PODStatus, "https://") {
			t.Errorf("%d attempts, proof %q", last.Attempts, last.PODStatus)
		}
	})
	t.Run("estimates slip", func(t *testing.T) {
		t.Parallel()
		all := of(simulate.Delayed)
		if first, last := all[0].ETD, all[len(all)-1].ETD; last <= first {
			t.Errorf("from %s to %s", first, last)
		}
	})
	t.Run("two parcels share a number", func(t *testing.T) {
		t.Parallel()
		awbs := map[string]bool{}
		for _, b := range of(simulate.TwoParcels) {
			awbs[b.awb()] = true
		}
		if len(awbs) != 2 {
			t.Errorf("AWBs: %v", awbs)
		}
	})
}

func TestNamesAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for seed := range uint64(5) {
		for _, p := range plan(t, simulate.Options{Seed: seed, Parcels: 60}) {
			b := decode(t, p.Body())
			for _, name := range []string{b.awb(), strconv.Quote(b.ReturnAWBCode)} {
				me := strconv.FormatUint(seed, 10) + " " + p.Parcel().Number
				if was, ok := owner[name]; ok && was != me && name != `""` {
					t.Fatalf("%s names %s and %s", name, was, me)
				}
				owner[name] = me
			}
		}
	}
}

func TestRidersAreNobody(t *testing.T) {
	t.Parallel()
	phones := regexp.MustCompile(`(?i)(?:ph|mob|mobileno:|rider)[ :-]+(\d{10})`)
	found := 0
	for _, p := range plan(t, simulate.Options{Seed: 23, Parcels: 100}) {
		for _, m := range phones.FindAllSubmatch(p.Body(), -1) {
			found++
			if !bytes.Equal(m[1], []byte("9000000000")) {
				t.Errorf("a number that could be somebody's: %s", m[0])
			}
		}
	}
	if found == 0 {
		t.Error("no rider is named, so hiding them is not tried")
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]simulate.Options{
		"parcels":    {Parcels: -1},
		"duplicates": {Duplicates: 1.5},
		"rate":       {Rate: -1},
		"kind":       {Kinds: []simulate.Kind{"teleported"}},
	} {
		if _, err := simulate.Plan(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestExamplesMoveOneParcel(t *testing.T) {
	t.Parallel()
	for _, name := range simulate.Examples() {
		raw, err := simulate.Example(name, now)
		if err != nil {
			t.Fatal(err)
		}
		b := decode(t, raw)
		if b.awb() != `"19041424751500"` || b.OrderID != "WB-1001" || len(b.Scans) > 1 {
			t.Errorf("%s: %s", name, raw)
		}
		if when := b.times(t)[0]; !when.Equal(now.Add(-6 * time.Second)) {
			t.Errorf("%s is dated %s", name, when)
		}
		if want := strings.ReplaceAll(strings.ToUpper(name), "_", " "); b.CurrentStatus != want &&
			name != "reached_hub" && name != "cancelled" {
			t.Errorf("%s says %s", name, b.CurrentStatus)
		}
	}
	if _, err := simulate.Example("teleported", now); err == nil {
		t.Error("an unknown name got an example")
	}
}
