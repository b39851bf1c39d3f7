package objstore

import (
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

func TestDeltaNames(t *testing.T) {
	sum := strings.Repeat("A", 42) + "E"
	for name, want := range map[string]bool{
		sum: true, sum + "-" + sum: true, sum[1:]: false, sum + "A": false, sum + "-": false, "-" + sum: false, sum[:42] + "B": false,
		sum + "-" + sum + "-" + sum: false, strings.Repeat("_", 42) + "8": true, strings.Repeat("+", 42) + "8": true, strings.Repeat("/", 42) + "8": false, "": false,
		strings.Repeat("A", 43): false,
	} {
		d, ok := splitDelta(name, deltaSum)
		if ok != want || ok && d.Base64() != name {
			t.Errorf("%q: %v, %v, want %v", name, d, ok, want)
		}
		if again, parsed := ParseDelta(d.String()); want && (!parsed || again != d) {
			t.Errorf("%s: %v, %v", d, again, parsed)
		}
	}
}

func TestEachDelta(t *testing.T) {
	b := build(t, "archive")
	one, two := Delta{To: object.Checksum{0xff, 1}}, Delta{From: object.Checksum{0xff, 1}, To: object.Checksum{2}}
	for _, d := range []Delta{one, two} {
		b.write(d.Path()+"/superblock", nil)
		b.write(d.IndexPath(), nil)
	}
	b.mkdir(Delta{To: object.Checksum{3}}.Path())
	b.write("deltas/xx/file", nil)
	b.write("deltas/file", nil)
	b.link("xx", "deltas/yy")
	b.write("delta-indexes/xx/y.index", nil)
	b.write("delta-indexes/file", nil)
	r := b.open()
	var deltas []string
	b.check(r.EachDelta(func(d Delta) error { deltas = append(deltas, d.Path()); return nil }))
	if want := []string{one.Path(), two.Path()}; !slices.Equal(deltas, want) {
		t.Errorf("deltas %q, want %q", deltas, want)
	}
	var to []object.Checksum
	b.check(r.EachDeltaIndex(func(sum object.Checksum) error { to = append(to, sum); return nil }))
	if want := []object.Checksum{two.To, one.To}; !slices.Equal(to, want) {
		t.Errorf("indexes %v, want %v", to, want)
	}
}
