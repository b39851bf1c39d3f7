package bsdiff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// roundTrip makes a patch, applies it and returns its length.
func roundTrip(t testing.TB, old, new []byte) int {
	t.Helper()
	var patch, out bytes.Buffer
	if err := Diff(&patch, old, new); err != nil {
		t.Fatal(err)
	}
	if err := Patch(&out, bytes.NewReader(old), int64(len(old)), patch.Bytes(), int64(len(new))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), new) {
		t.Fatalf("a patch of %d bytes from %d bytes made %d other ones than the %d that it is for", patch.Len(), len(old), out.Len(), len(new))
	}
	return patch.Len()
}

// random returns n bytes below count.
func random(n, count int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.IntN(count))
	}
	return data
}

// TestDiff makes and applies patches, and looks at how many bytes are new in them.
func TestDiff(t *testing.T) {
	base := random(20000, 256, 1)
	moved := slices.Concat(base[9000:], []byte("between"), base[:9000])
	relocated := slices.Clone(base)
	for i := 100; i+4 < len(relocated); i += 50 {
		relocated[i]++
	}
	for _, c := range []struct {
		name     string
		old, new []byte
		steps    int // at most
		fresh    int // new bytes, at most
	}{
		{"nothing", nil, nil, 0, 0},
		{"from nothing", nil, []byte("text"), 1, 4},
		{"to nothing", []byte("text"), nil, 0, 0},
		{"one byte", []byte("a"), []byte("a"), 1, 1},
		{"two bytes", []byte("ab"), []byte("ab"), 1, 2},
		{"the same", base, base, 2, 0},
		{"moved", base, moved, 4, 10},
		{"changed bytes", base, relocated, 3, 0},
		{"in front", base, append([]byte("header"), base...), 3, 6},
		{"behind", base, append(slices.Clone(base), "trailer"...), 3, 7},
		{"zeros", make([]byte, 5000), make([]byte, 7000), 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			roundTrip(t, c.old, c.new)
			var patch bytes.Buffer
			if err := Diff(&patch, c.old, c.new); err != nil {
				t.Fatal(err)
			}
			steps, fresh := 0, 0
			for data := patch.Bytes(); len(data) > 0; steps++ {
				s := parseStep(data)
				fresh += int(s.copy)
				data = data[stepSize+s.add+s.copy:]
			}
			if steps > c.steps || fresh > c.fresh {
				t.Errorf("%d steps and %d new bytes, want at most %d and %d", steps, fresh, c.steps, c.fresh)
			}
		})
	}
}

// TestSortSuffixes compares the order of suffixes with that of a plain sort.
func TestSortSuffixes(t *testing.T) {
	texts := [][]byte{nil, []byte("a"), []byte("aa"), []byte("ab"), []byte("ba"), []byte("banana"), []byte("mississippi"), make([]byte, 300), bytes.Repeat([]byte("ab"), 200), bytes.Repeat([]byte("aab"), 100)}
	for seed := range uint64(60) {
		texts = append(texts, random(int(seed*7), 2, seed), random(int(seed*11), 4, seed), random(int(seed*13), 256, seed))
	}
	for _, text := range texts {
		sa := make([]int32, len(text))
		sortSuffixes(text, sa, 256)
		want := make([]int32, len(text))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortFunc(want, func(a, b int32) int { return bytes.Compare(text[a:], text[b:]) })
		if !slices.Equal(sa, want) {
			t.Fatalf("suffixes of %q are sorted as\n%v, want\n%v", text, sa, want)
		}
	}
}

// TestRepetitive makes patches of content that is hard for a diff, whose time has to be in
// proportion to its size.
func TestRepetitive(t *testing.T) {
	const size = 1 << 17
	period := bytes.Repeat(random(1000, 256, 2), size/1000)
	broken := slices.Clone(period)
	for i := 500; i < len(broken); i += 20_000 {
		broken[i]++
	}
	for name, pair := range map[string][2][]byte{
		"zeros to zeros with ones": {make([]byte, size), append(bytes.Repeat(append(make([]byte, 999), 1), size/2000), make([]byte, size/2)...)},
		"ones to zeros":            {append(bytes.Repeat(append(make([]byte, 999), 1), size/2000), make([]byte, size/2)...), make([]byte, size)},
		"a period":                 {period, broken},
		"a period, broken before":  {broken, period},
		"two letters":              {random(size, 2, 3), random(size, 2, 4)},
		"fibonacci":                {fibonacci(size), append([]byte("b"), fibonacci(size)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			n := roundTrip(t, pair[0], pair[1])
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%v for a patch of %d bytes", took, n)
			}
		})
	}
}

// fibonacci returns n letters of the Fibonacci word.
func fibonacci(n int) []byte {
	a, b := []byte("a"), []byte("ab")
	for len(b) < n {
		a, b = b, slices.Concat(b, a)
	}
	return b[:n]
}

// FuzzDiff makes patches of anything: applied, they give back what they were made of.
func FuzzDiff(f *testing.F) {
	f.Add([]byte("banana"), []byte("bandana"))
	f.Add([]byte{}, []byte{0})
	f.Add(make([]byte, 200), bytes.Repeat([]byte{0, 1}, 100))
	f.Fuzz(func(t *testing.T, old, new []byte) { roundTrip(t, old, new) })
}

// FuzzPatch applies anything: it ends, and writes no more than it may.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("old"), append(step{1, 2, -1}.append(nil), "abc"...), uint16(3))
	f.Fuzz(func(t *testing.T, old, patch []byte, size uint16) {
		var out bytes.Buffer
		err := Patch(&out, bytes.NewReader(old), int64(len(old)), patch, int64(size))
		if out.Len() > int(size) || err == nil && out.Len() != int(size) {
			t.Errorf("wrote %d bytes of %d, error %v", out.Len(), size, err)
		}
	})
}

func BenchmarkDiff(b *testing.B) {
	for _, size := range []int{1 << 16, 1 << 20} {
		old := random(size, 20, 5)
		new := slices.Concat(old[size/2:], old[:size/2])
		for i := 0; i < size; i += 40 {
			new[i]++
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				var patch bytes.Buffer
				if err := Diff(&patch, old, new); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
