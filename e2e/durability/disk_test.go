package durability

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// sector is what a disk writes as a whole.
const sector = 512

// A disk is what a recording did to the files of its data folder. Of what was
// not synced nobody knows how much of it a power cut leaves.
type disk struct {
	files []*file // every file that ever had a name, the same name twice if it was made anew
	syncs []span  // of the folder: names last from then on
}

type span struct{ begun, ended int }

// A file is one file and what was done to it, in order.
type file struct {
	name    string
	made    span
	removed span // zero if it never was
	changes []change
	syncs   []span
}

// A change writes data at an offset or, without data, cuts the file at it.
type change struct {
	span
	offset int64
	data   []byte
	cut    bool
}

// forgotten are files that mean nothing after a power cut: the index of the
// write-ahead log is made anew, and the lock dies with its holder.
var forgotten = []string{"waybill.db-shm", "waybill.lock"}

// diskOf gathers what a recording did to its data folder. A call that changes
// files in a way this does not follow is an error.
func diskOf(r *recording) (*disk, error) {
	d := &disk{}
	present := map[string]*file{}
	never := int(^uint(0) >> 1)
	for _, c := range r.calls {
		s := span{c.begun, c.ended}
		if c.ended == 0 {
			s.ended = never // it may have done its work all the same
		}
		if c.failed() && c.ended != 0 {
			continue
		}
		path, flags := "", ""
		switch c.name {
		case "open":
			path, flags = string(c.text(0)), c.args[1]
		case "openat":
			path, flags = string(c.text(1)), c.args[2]
		case "unlink", "rename", "link", "truncate", "creat":
			path = string(c.text(0))
		case "unlinkat", "renameat", "renameat2", "linkat":
			path = string(c.text(1))
		case "mmap":
			if strings.Contains(c.args[3], "MAP_SHARED") && strings.Contains(c.args[2], "PROT_WRITE") {
				path = c.file(4)
			}
		default:
			path = c.file(0)
		}
		if path == r.dir && (c.name == "fsync" || c.name == "fdatasync") {
			d.syncs = append(d.syncs, s)
			continue
		}
		name, inside := strings.CutPrefix(path, r.dir+string(filepath.Separator))
		if !inside || slices.Contains(forgotten, name) || c.name == "close" {
			continue
		}
		f := present[name]
		if flags != "" {
			if f == nil && strings.Contains(flags, "O_CREAT") {
				f = &file{name: name, made: s}
				present[name], d.files = f, append(d.files, f)
			}
			if strings.Contains(flags, "O_TRUNC") {
				f.changes = append(f.changes, change{span: s, cut: true})
			}
			continue
		}
		if f == nil {
			return nil, fmt.Errorf("line %d: %s of %s, which nobody has made", c.begun, c.name, name)
		}
		switch c.name {
		case "pwrite64":
			f.changes = append(f.changes, change{span: s, offset: c.number(3), data: c.text(1)})
		case "ftruncate":
			f.changes = append(f.changes, change{span: s, offset: c.number(1), cut: true})
		case "fsync", "fdatasync":
			f.syncs = append(f.syncs, s)
		case "unlink", "unlinkat":
			f.removed = s
			delete(present, name)
		default:
			return nil, fmt.Errorf("line %d: %s changes %s in a way that is not followed", c.begun, c.name, name)
		}
	}
	return d, nil
}

// lasting is the beginning of the last sync that had ended before the cut: what
// had ended before it lasts.
func lasting(syncs []span, cut int) int {
	last := 0
	for _, s := range syncs {
		if s.ended < cut {
			last = max(last, s.begun)
		}
	}
	return last
}

// A damage says what a power cut leaves of changes that were not synced.
type damage struct {
	name string
	// keep applies unsynced changes to a file's content.
	keep func(dice *rand.Rand, content []byte, unsynced []change) []byte
	// named is how likely an unsynced change of a name is there.
	named float64
}

var damages = []damage{
	{"lost", func(_ *rand.Rand, content []byte, _ []change) []byte { return content }, 0},
	{"kept", func(_ *rand.Rand, content []byte, unsynced []change) []byte {
		for _, c := range unsynced {
			content = c.apply(content)
		}
		return content
	}, 1},
	// Written in order up to some change, which is torn within.
	{"torn", func(dice *rand.Rand, content []byte, unsynced []change) []byte {
		if len(unsynced) == 0 {
			return content
		}
		whole := dice.IntN(len(unsynced))
		for _, c := range unsynced[:whole] {
			content = c.apply(content)
		}
		torn := unsynced[whole]
		if torn.cut {
			return content
		}
		sectors := torn.sectors()
		for _, s := range sectors[:dice.IntN(len(sectors)+1)] {
			content = s.apply(content)
		}
		return content
	}, 0.5},
	// Some changes, as a whole.
	{"some", func(dice *rand.Rand, content []byte, unsynced []change) []byte {
		for _, c := range unsynced {
			if dice.IntN(2) == 0 {
				content = c.apply(content)
			}
		}
		return content
	}, 0.5},
	// Some sectors of all changes.
	{"scattered", func(dice *rand.Rand, content []byte, unsynced []change) []byte {
		share := dice.Float64()
		for _, c := range unsynced {
			for _, s := range c.sectors() {
				if dice.Float64() < share {
					content = s.apply(content)
				}
			}
		}
		return content
	}, 0.5},
	// Some sectors, and of those that were written more than once any state.
	{"reordered", func(dice *rand.Rand, content []byte, unsynced []change) []byte {
		var all []change
		for _, c := range unsynced {
			all = append(all, c.sectors()...)
		}
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, s := range all[:dice.IntN(len(all)+1)] {
			content = s.apply(content)
		}
		return content
	}, 0.5},
}

func (c change) apply(content []byte) []byte {
	if c.cut && int64(len(content)) >= c.offset {
		return content[:c.offset:c.offset]
	}
	if grown := c.offset + int64(len(c.data)); int64(len(content)) < grown {
		content = append(content, make([]byte, grown-int64(len(content)))...)
	}
	copy(content[c.offset:], c.data)
	return content
}

// sectors are the parts of a change that a disk writes as wholes.
func (c change) sectors() []change {
	if c.cut {
		return []change{c}
	}
	var all []change
	for offset, data := c.offset, c.data; len(data) > 0; {
		n := min(int64(len(data)), sector-offset%sector)
		all = append(all, change{span: c.span, offset: offset, data: data[:n]})
		offset, data = offset+n, data[n:]
	}
	return all
}

// after is the folder as a power cut at a place of the record leaves it: what
// lasts, and of the rest what the damage does.
func (d *disk) after(cut int, how damage, dice *rand.Rand) map[string][]byte {
	folder := map[string][]byte{}
	names := lasting(d.syncs, cut)
	for _, f := range d.files {
		if f.made.begun >= cut || f.made.ended >= names && dice.Float64() >= how.named {
			continue
		}
		if f.removed.begun > 0 && f.removed.begun < cut {
			if f.removed.ended < names || dice.Float64() < how.named {
				continue
			}
		}
		synced := lasting(f.syncs, cut)
		var content []byte
		var unsynced []change
		for _, c := range f.changes {
			switch {
			case c.begun >= cut:
			case c.ended < synced && len(unsynced) == 0:
				content = c.apply(content)
			default:
				unsynced = append(unsynced, c)
			}
		}
		folder[f.name] = how.keep(dice, content, unsynced)
	}
	return folder
}
