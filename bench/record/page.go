package record

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Page is the record as a page around its table. The title stands before date and
// host; beside says the versions of what is there beside Go and Node.js.
func (r *Record) Page(title, beside, table string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s%s, %s\n\n", title, r.Date, r.Host)
	fmt.Fprintf(&b, "%s. Go %s, Node.js %s, %s; commit %s. Load average before: %s.\n", r.CPU, strings.TrimPrefix(r.Versions["go"], "go"),
		r.Versions["node"], beside, r.Versions["commit"], r.Busy)
	fmt.Fprintf(&b, "Median of the rounds (least to most), of which there were %d; ratios are of one round. Server and generator share the cores.\n\n", len(r.Rounds))
	b.WriteString(table)
	for _, n := range r.Notes {
		b.WriteString("\n- " + n)
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// Cell is a number of each round as the table tells it: the median and, where they
// differ, the least and the most. A round whose number is NaN or infinite has
// none; without any, the cell is empty.
func (r *Record) Cell(digits int, of func(round map[string]Values) float64) string {
	var all []float64
	for _, round := range r.Rounds {
		if v := of(round); !math.IsNaN(v) && !math.IsInf(v, 0) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	text := fmt.Sprintf("%.*f", digits, Median(all))
	least, most := fmt.Sprintf("%.*f", digits, all[0]), fmt.Sprintf("%.*f", digits, all[len(all)-1])
	if least != most {
		text += " (" + least + " to " + most + ")"
	}
	return text
}

// Median of sorted numbers.
func Median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
