package rollsum

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func random(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// check fails unless matches are what they say.
func check(t testing.TB, m *Matches, old, new []byte) {
	t.Helper()
	at, size := int64(0), int64(0)
	for _, match := range m.List {
		if match.To < at || match.Size <= 0 {
			t.Fatalf("%+v is not behind %d", match, at)
		}
		at = match.To + match.Size
		size += match.Size
		if !bytes.Equal(old[match.From:][:match.Size], new[match.To:at]) {
			t.Fatalf("%+v is no match", match)
		}
	}
	if at > int64(len(new)) || size != m.Size || m.Equal > m.Chunks || m.Sums > m.Chunks {
		t.Fatalf("%+v of %d bytes", m, len(new))
	}
}

// TestCompare looks at what is found in content that was changed in some way.
func TestCompare(t *testing.T) {
	old := random(400_000, 1)
	inserted := slices.Concat(old[:150_000], []byte("inserted"), old[150_000:])
	for _, c := range []struct {
		name     string
		old, new []byte
		size     int // bytes that are found, at least
		most     int // and at most
		list     int // matches, at most
	}{
		{"nothing", nil, nil, 0, 0, 0},
		{"from nothing", nil, old, 0, 0, 0},
		{"the same", old, old, len(old), len(old), 1},
		{"in front", old, append([]byte("header"), old...), len(old) - 64<<10, len(old), 1},
		{"inserted", old, inserted, len(old) - 64<<10, len(old), 2},
		{"swapped", old, slices.Concat(old[200_000:], old[:200_000]), len(old) - 96<<10, len(old), 3},
		{"something else", old, random(400_000, 2), 0, 0, 0},
		{"zeros", make([]byte, 200_000), make([]byte, 300_000), 280_000, 300_000, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Compare(c.old, c.new)
			check(t, m, c.old, c.new)
			if int(m.Size) < c.size || int(m.Size) > c.most || len(m.List) > c.list {
				t.Errorf("%d bytes in %d matches, want %d to %d in at most %d", m.Size, len(m.List), c.size, c.most, c.list)
			}
		})
	}
}

// TestChunks holds how chunks are cut: on average each 8 KiB, at most 32.
func TestChunks(t *testing.T) {
	data := random(4<<20, 3)
	n := 0
	for at := 0; at < len(data); n++ {
		size := nextChunk(data[at:])
		if size < 1 || size > maxChunk {
			t.Fatalf("a chunk of %d bytes", size)
		}
		at += size
	}
	if mean := len(data) / n; mean < 6<<10 || mean > 10<<10 {
		t.Errorf("chunks of %d bytes on average", mean)
	}
}

// FuzzCompare has every match be one.
func FuzzCompare(f *testing.F) {
	f.Add([]byte("old"), []byte("new"), uint16(3))
	f.Fuzz(func(t *testing.T, a, b []byte, repeat uint16) {
		old := slices.Concat(bytes.Repeat(a, int(repeat%64)), b)
		new := slices.Concat(b, bytes.Repeat(a, int(repeat%64)))
		check(t, Compare(old, new), old, new)
	})
}
