package durability

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/webazaar/waybill/internal/simulate"
)

// moment is when simulated parcels have just arrived, in rooms whose clock can be
// set.
var moment = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// A load is what is pushed; the same load has the same bytes in every process.
type load struct {
	Moment     time.Time
	Seed       uint64
	Parcels    int
	Duplicates float64
	Shuffle    bool
	// Samples is how many pushes of the panel's sample are mixed in, which name
	// no real order and are parked.
	Samples int
	// Marked gives every body an end of its own.
	Marked bool
}

// pushes are the bodies in the order to send them in, each made when asked for.
func (l load) pushes() ([]func() []byte, error) {
	plan, err := simulate.Plan(simulate.Options{
		Seed: l.Seed, Parcels: l.Parcels, Duplicates: l.Duplicates, Shuffle: l.Shuffle, Now: l.Moment,
	})
	if err != nil {
		return nil, err
	}
	pushes := make([]func() []byte, 0, len(plan)+l.Samples)
	every := len(plan)/(l.Samples+1) + 1
	for i, p := range plan {
		pushes = append(pushes, p.Body)
		if n := (i + 1) / every; (i+1)%every == 0 && n <= l.Samples {
			pushes = append(pushes, func() []byte {
				return fmt.Appendf(nil, `{"awb":"Enter your AWB","current_status":"IN TRANSIT","order_id":"Enter your order id","n":%d}`, n)
			})
		}
	}
	if l.Marked {
		for i, body := range pushes {
			pushes[i] = func() []byte {
				b := body()
				return fmt.Appendf(b[:len(b)-1:len(b)-1], `,"mark":"%s"}`, mark(i))
			}
		}
	}
	return pushes, nil
}

// mark is what no other push of a load ends with.
func mark(push int) string { return fmt.Sprintf("<%08d>", push) }

// An ack is a push that was answered with 200.
type ack struct {
	push      int
	eventID   string
	duplicate bool
}

func (a ack) line() string { return fmt.Sprintf("%d %q %t\n", a.push, a.eventID, a.duplicate) }

// readAcks reads the file of acks, by push; none if there is no file yet.
func readAcks(path string) (map[int]ack, error) {
	acks := map[int]ack{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return acks, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var a ack
		if _, err := fmt.Sscanf(string(line), "%d %q %t\n", &a.push, &a.eventID, &a.duplicate); err != nil {
			return nil, fmt.Errorf("ack %q: %w", line, err)
		}
		acks[a.push] = a
	}
	return acks, nil
}
