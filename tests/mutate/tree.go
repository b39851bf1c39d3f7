package mutate

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
)

// entry is a name, with its NUL, and one checksum of a file or two of a directory.
type entry [][]byte

// dirtree is a dirtree taken apart.
type dirtree struct{ files, dirs []entry }

func parseTree(data []byte) (d dirtree) {
	lists := members(data, 2)
	for _, e := range elements(lists[0]) {
		d.files = append(d.files, members(e, 2))
	}
	for _, e := range elements(lists[1]) {
		d.dirs = append(d.dirs, members(e, 3))
	}
	return d
}

func (d dirtree) bytes() []byte {
	var lists [2][][]byte
	for i, list := range [][]entry{d.files, d.dirs} {
		for _, e := range list {
			lists[i] = append(lists[i], tuple(e...))
		}
	}
	return tuple(array(lists[0]...), array(lists[1]...))
}

// badNames are names that no entry may have, or that are strange.
var badNames = []string{
	"\x00", ".\x00", "..\x00", "/\x00", "a/b\x00", "../x\x00", "/etc/passwd\x00", "a\x00b\x00", "a\x00\x00", "a", "", "\xff\xfe\x00", "\n\x00",
	"\x1b[2J\x00", strings.Repeat("n", 255) + "\x00", strings.Repeat("n", 256) + "\x00", strings.Repeat("n", 70000) + "\x00", "\x01\x00",
	"~\x00", "zzzz\x00", "%s\x00",
}

// treeChanges change what a dirtree says and leave it in normal form, but for
// its names.
var treeChanges = []func(r *rand.Rand, d *dirtree){
	func(r *rand.Rand, d *dirtree) { one(r, d)[0] = []byte(badNames[r.IntN(len(badNames))]) },
	func(r *rand.Rand, d *dirtree) { one(r, d)[0] = one(r, d)[0] },
	func(r *rand.Rand, d *dirtree) { e := one(r, d); e[0] = Bytes(r, e[0]) },
	func(r *rand.Rand, d *dirtree) { e := one(r, d); e[1+r.IntN(len(e)-1)] = badSum(r, e[1]) },
	func(r *rand.Rand, d *dirtree) { e := one(r, d); o := one(r, d); e[len(e)-1] = o[len(o)-1] }, // of another kind, perhaps
	func(r *rand.Rand, d *dirtree) { slices.Reverse(d.files) },
	func(r *rand.Rand, d *dirtree) { slices.Reverse(d.dirs) },
	func(r *rand.Rand, d *dirtree) { d.files = append(d.files, d.files...) },
	func(r *rand.Rand, d *dirtree) { d.dirs = append(d.dirs, d.dirs...) },
	func(r *rand.Rand, d *dirtree) { // a name that is a file's and a directory's
		for _, e := range d.files {
			d.dirs = append(d.dirs, entry{e[0], e[1], e[1]})
		}
	},
	func(r *rand.Rand, d *dirtree) { d.files = nil },
	func(r *rand.Rand, d *dirtree) { d.dirs = nil },
	func(r *rand.Rand, d *dirtree) { // many names, in order
		e := one(r, d)
		d.files = nil
		for i := range 1 + r.IntN(2000) {
			d.files = append(d.files, entry{[]byte("m" + string(rune('a'+i/676)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26)) + "\x00"), e[1]})
		}
	},
}

// changeTree changes what a dirtree says.
func changeTree(r *rand.Rand, data []byte) []byte {
	d := parseTree(bytes.Clone(data))
	for more := true; more; more = r.IntN(4) == 0 {
		treeChanges[r.IntN(len(treeChanges))](r, &d)
	}
	return d.bytes()
}

// one is an entry of d, or one that is not in d when there is none.
func one(r *rand.Rand, d *dirtree) entry {
	all := append(slices.Clone(d.files), d.dirs...)
	if len(all) == 0 {
		return entry{[]byte("none\x00"), make([]byte, 32)}
	}
	return all[r.IntN(len(all))]
}

// badSum is a checksum that is none, or of no object.
func badSum(r *rand.Rand, sum []byte) []byte {
	return [][]byte{nil, sum[:3], sum[:31], append(bytes.Clone(sum), 0), make([]byte, 32), bytes.Repeat([]byte{0xff}, 32), make([]byte, 5000)}[r.IntN(7)]
}
