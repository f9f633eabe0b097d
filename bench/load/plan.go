package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// PlanOptions say what to send. Pushes and Secret are required.
type PlanOptions struct {
	Pushes int
	// PerParcel is how many pushes one parcel gets; default 4.
	PerParcel int
	// Abreast is how many parcels are on their way together: that far apart are
	// two pushes of one parcel. Default 1,000.
	Abreast int
	// Number names the parcels, 0 to 9,999. Plans of different numbers share
	// none of them.
	Number int
	// Secret signs each push (X-Shiprocket-Signature).
	Secret string
	// Now is after everything the pushes tell of; default time.Now.
	Now time.Time
}

const (
	variants    = 8
	parcelsEach = 10_000_000 // names kept for one plan
	maxNumber   = 10_000
	parcelSpace = maxNumber * parcelsEach
	awbBase     = 19 * 1_000_000_000_000
	srBase      = 3 * parcelSpace
	webhookPath = "/api/webhooks/courier"
)

// A Plan is a list of unique pushes, in the order to send them in.
type Plan struct {
	n, perParcel, abreast int
	base                  uint64
	templates             [][]template // by variant and step
	signatures            []byte       // 64 hex digits each
	shortest, longest     int
	bytes                 int64
}

// NewPlan lays out all pushes and signs them.
func NewPlan(o PlanOptions) (*Plan, error) {
	if o.PerParcel == 0 {
		o.PerParcel = 4
	}
	if o.Abreast == 0 {
		o.Abreast = 1000
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	switch {
	case o.Pushes < 1 || o.PerParcel < 1 || o.Abreast < 1:
		return nil, errors.New("a plan needs pushes, pushes a parcel and parcels abreast")
	case o.Number < 0 || o.Number >= maxNumber:
		return nil, fmt.Errorf("a plan's number is from 0 to %d", maxNumber-1)
	case o.Secret == "":
		return nil, errors.New("a plan needs the secret that signs its pushes")
	}
	parcels := (o.Pushes + o.PerParcel - 1) / o.PerParcel
	if parcels+o.Abreast > parcelsEach {
		return nil, fmt.Errorf("a plan has %d parcels at most", parcelsEach-o.Abreast)
	}
	p := &Plan{
		n: o.Pushes, perParcel: o.PerParcel, abreast: min(o.Abreast, parcels),
		base: uint64(o.Number) * parcelsEach, signatures: make([]byte, o.Pushes*2*sha256.Size),
	}
	lines := max(10, o.PerParcel+3)
	for v := range variants {
		j := newJourney(v, lines, o.Now)
		var steps []template
		for step := range o.PerParcel {
			steps = append(steps, j.template(linesAt(step, o.PerParcel, lines)))
		}
		p.templates = append(p.templates, steps)
	}
	p.sign(o.Secret)
	return p, nil
}

// linesAt is how long the history of a push is: from four lines, all lines at
// the last one, all but the last at the one before.
func linesAt(step, steps, lines int) int {
	switch {
	case steps == 1:
		return lines - 3
	case step == steps-1:
		return lines
	case steps == 2:
		return 4
	}
	return 4 + (lines-5)*step/(steps-2)
}

func (p *Plan) sign(secret string) {
	mac := hmac.New(sha256.New, []byte(secret))
	var body []byte
	var sum [sha256.Size]byte
	for i := range p.n {
		body = p.appendBody(body[:0], i)
		mac.Reset()
		mac.Write(body)
		hex.Encode(p.signature(i), mac.Sum(sum[:0]))
		p.bytes += int64(len(body))
		p.longest = max(p.longest, len(body))
		if p.shortest == 0 {
			p.shortest = len(body)
		}
		p.shortest = min(p.shortest, len(body))
	}
}

// Len is how many pushes there are.
func (p *Plan) Len() int { return p.n }

// Sizes are the bytes of a body: the shortest, the mean, the longest.
func (p *Plan) Sizes() (shortest, mean, longest int) {
	return p.shortest, int(p.bytes / int64(p.n)), p.longest
}

// place says whose push the i-th is and which of his.
func (p *Plan) place(i int) (parcel, step int) {
	block := p.abreast * p.perParcel
	return i/block*p.abreast + i%p.abreast, i % block / p.abreast
}

// index finds a push by its AWB and the version of the order that it makes; -1
// for one of another plan.
func (p *Plan) index(awb string, version int) int {
	n, err := strconv.ParseUint(awb, 10, 64)
	if err != nil || n < awbBase+p.base || n >= awbBase+p.base+parcelsEach || version < 1 || version > p.perParcel {
		return -1
	}
	parcel := int(n - awbBase - p.base) //nolint:gosec // less than parcelsEach
	i := parcel/p.abreast*p.abreast*p.perParcel + (version-1)*p.abreast + parcel%p.abreast
	if i >= p.n {
		return -1
	}
	return i
}

func (p *Plan) template(i int) (*template, uint64) {
	parcel, step := p.place(i)
	return &p.templates[parcel%variants][step], p.base + uint64(parcel) //nolint:gosec // not negative
}

func (p *Plan) signature(i int) []byte { return p.signatures[i*2*sha256.Size : (i+1)*2*sha256.Size] }

func (p *Plan) appendBody(dst []byte, i int) []byte {
	t, serial := p.template(i)
	at := len(dst)
	dst = append(dst, t.body...)
	digits(dst[at+t.awb:], len(holeAWB), awbBase+serial)
	digits(dst[at+t.sr:], len(holeSR), srBase+serial)
	digits(dst[at+t.number:], len(holeNumber), serial)
	return dst
}

// appendRequest writes the i-th push as a whole HTTP request.
func (p *Plan) appendRequest(dst []byte, host string, i int) []byte {
	t, _ := p.template(i)
	dst = append(dst, "POST "+webhookPath+" HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	dst = append(dst, "\r\nUser-Agent: waybill-bench\r\nContent-Type: application/json\r\nX-Shiprocket-Signature: "...)
	dst = append(dst, p.signature(i)...)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(t.body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return p.appendBody(dst, i)
}

// digits writes n into the first width bytes of dst, with leading zeros.
func digits(dst []byte, width int, n uint64) {
	for i := width - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// awb is the AWB of the i-th push.
func (p *Plan) awb(i int) string {
	parcel, _ := p.place(i)
	b := []byte(strings.Repeat("0", len(holeAWB)))
	digits(b, len(b), awbBase+p.base+uint64(parcel)) //nolint:gosec // not negative
	return string(b)
}
