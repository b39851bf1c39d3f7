package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"deployfs/objstore/object"
)

// naive splits a text into rows as the pager should: it reads all of it.
func naive(text string) (begins []int64) {
	begin, last := 0, 0 // of the row, and of the line
	for i := range len(text) + 1 {
		switch {
		case i == len(text) || i > begin && text[i-1] == '\n', i > begin && i%maxRow == 0 && i >= last+maxRow:
			if i > begin {
				begins = append(begins, int64(begin))
			}
			if begin = i; i > 0 && text[i-1] == '\n' {
				last = i
			}
		}
	}
	return begins
}

// TestPagerRows holds that rows are the same from every side.
func TestPagerRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	ctx := context.Background()
	for range 200 {
		var b strings.Builder
		for range rnd.IntN(12) {
			b.WriteString(strings.Repeat("x", []int{0, 1, 80, 4095, 4096, 4097, 9000, 30000}[rnd.IntN(8)]))
			if rnd.IntN(4) > 0 {
				b.WriteByte('\n')
			}
		}
		text := b.String()
		p := pager{content: &content{size: int64(len(text)), at: strings.NewReader(text)}}
		want := naive(text)
		got, err := p.rows(ctx, 0, 1<<20)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d rows, want %d, %v", len(got), len(want), err)
		}
		off := int64(len(text))
		for i := len(want) - 1; i >= 0; i-- {
			if got[i].off != want[i] {
				t.Fatalf("row %d at %d, want %d", i, got[i].off, want[i])
			}
			if off, err = p.back(ctx, off); err != nil || off != want[i] {
				t.Fatalf("row %d from behind at %d, want %d, %v", i, off, want[i], err)
			}
			if at, err := p.begin(ctx, want[i]+rnd.Int64N(int64(len(got[i].data))+1)); err != nil || i < len(want)-1 && at > want[i+1] || at < want[i] {
				t.Fatalf("row %d from within at %d, want %d, %v", i, at, want[i], err)
			}
		}
	}
}

// pattern is a file without end of lines of 16 bytes, each its number.
type pattern struct{ off int64 }

func (p *pattern) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		line := []byte("000000000000000\n")
		for i, rest := 14, p.off/16; rest > 0; i, rest = i-1, rest/10 {
			line[i] += byte(rest % 10)
		}
		copied := copy(b[n:], line[p.off%16:])
		n, p.off = n+copied, p.off+int64(copied)
	}
	return n, nil
}

// TestHugeFiles holds that a file of any size opens at once, and is read only where it is looked at.
func TestHugeFiles(t *testing.T) {
	const huge = 4 << 30
	sparse, err := os.Create(t.TempDir() + "/sparse")
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	if err := sparse.Truncate(huge); err != nil {
		t.Skip(err)
	}
	sparse.WriteAt([]byte("needle"), huge-6)
	r := newMemory()
	packedFile := &stored{Reader: io.LimitReader(&pattern{}, huge), size: huge}
	plainFile := &stored{Reader: sparse, size: huge, plain: sparse}
	for i, c := range []*stored{packedFile, plainFile} {
		name := []string{"packed", "plain"}[i]
		sum := checksumOf(name)
		r.headers[sum] = object.Header{Mode: object.ModeRegular | 0o644, Size: huge}
		r.contents[sum] = func() Content { return c }
		r.ref(name, r.commit(0, object.Checksum{}, name, "", r.dir(map[string]object.Checksum{name: sum})))
	}
	d := drive(t, Config{Repo: r}, 80, 24)
	start := time.Now()
	d.keys("t enter pgdown")
	if packedFile.read > 1<<20 || !strings.Contains(d.line(1), "000000000000020") || !strings.Contains(d.line(-2), "not checked") {
		t.Errorf("%d bytes were read\n%s", packedFile.read, d.screen())
	}
	d.keys("q q j t enter G")
	if !strings.Contains(d.screen(), "needle") || !strings.Contains(d.line(-2), "100%") {
		t.Error(d.screen())
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestPackedWindow holds what is read again of a file that can only be read forward.
func TestPackedWindow(t *testing.T) {
	const length = 20 << 20
	opens := 0
	c, err := openContent(opener(func() Content {
		opens++
		return &stored{Reader: io.LimitReader(&pattern{}, length), size: length}
	}), object.Checksum{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	ctx := context.Background()
	for _, at := range []struct{ off, opens int }{{0, 1}, {12 << 20, 1}, {11 << 20, 1}, {1 << 20, 2}, {length - 16, 2}} {
		data, err := c.read(ctx, int64(at.off), 100)
		if want := fmt.Sprintf("%015d\n", at.off/16); err != nil || !strings.HasPrefix(string(data), want) || opens != at.opens {
			t.Errorf("at %d: %q, %v, opened %d times", at.off, data, err, opens)
		}
	}
	if len(c.packed.window) > windowSize {
		t.Errorf("%d bytes are kept", len(c.packed.window))
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.read(canceled, 0, 100); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if data, err := c.read(ctx, 32, 16); err != nil || string(data) != fmt.Sprintf("%015d\n", 2) {
		t.Errorf("after that: %q, %v", data, err)
	}
}

// opener is a repository of one file.
type opener func() Content

func (o opener) Open(object.Checksum) (Content, error) { return o(), nil }

// TestFileSearch looks for text in every direction, over the parts in which it is read.
func TestFileSearch(t *testing.T) {
	text := strings.Repeat("x\n", searchChunk/2-1) + "Needle\n" + strings.Repeat("y\n", searchChunk) + "needle\nend\n"
	p := pager{content: &content{size: int64(len(text)), at: strings.NewReader(text)}}
	first, last := int64(strings.Index(text, "Needle")), int64(strings.Index(text, "needle"))
	for _, c := range []struct {
		query     string
		off       int64
		direction int
		want      int64
	}{
		{"needle", 0, 1, first}, {"Needle", 0, 1, first}, {"needle", first + 1, 1, last}, {"Needle", first + 1, 1, -1},
		{"needle", last, -1, first}, {"needle", first, -1, -1}, {"needle", int64(len(text)) - 1, -1, last}, {"end\n", 0, 1, last + 7},
	} {
		if got, err := p.find(context.Background(), query{c.query}, c.off, c.direction); got != c.want || err != nil {
			t.Errorf("%q from %d, %d: %d, want %d, %v", c.query, c.off, c.direction, got, c.want, err)
		}
	}
}
