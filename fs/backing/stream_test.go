package backing

import (
	"bytes"
	"io"
	"math/rand"
	"sync"
	"testing"
)

// pattern is content in which every place looks different.
func pattern(size int) string {
	data := make([]byte, size)
	rand.New(rand.NewSource(1)).Read(data)
	return string(data)
}

// streamed makes a stream over object 1 of a depot.
func streamed(t *testing.T, content string) (*stream, *depot) {
	d := depotOf(t, false)
	d.put(1, content)
	s := newStream(func() (Content, error) { return d.Open(sum(1)) }, int64(len(content)))
	t.Cleanup(s.close)
	return s, d
}

// wantAt reads from a stream and compares.
func wantAt(t *testing.T, s *stream, content string, off, length int) {
	t.Helper()
	buf := make([]byte, length)
	n, err := s.readAt(buf, int64(off))
	want := content[min(off, len(content)):min(off+length, len(content))]
	if string(buf[:n]) != want || (err == io.EOF) != (len(want) < length) || err != nil && err != io.EOF {
		t.Fatalf("%d bytes at %d: read %d, %v", length, off, n, err)
	}
}

// TestStream inflates once for reads that go on, also when they come a little
// out of order, and once more for each that goes far back.
func TestStream(t *testing.T) {
	content := pattern(3*streamWindow + 12345)
	s, d := streamed(t, content)
	const step = 128 << 10
	for off := 0; off < len(content)+step; off += 2 * step {
		wantAt(t, s, content, off+step, step)
		wantAt(t, s, content, off, step)
	}
	if d.opened != 1 {
		t.Errorf("opened %d times", d.opened)
	}
	wantAt(t, s, content, len(content)-streamWindow, 1)
	if d.opened != 1 {
		t.Errorf("opened %d times for what the window holds", d.opened)
	}
	wantAt(t, s, content, len(content)-streamWindow-1, len(content))
	wantAt(t, s, content, 100, 1)
	if d.opened != 3 {
		t.Errorf("opened %d times", d.opened)
	}
	s.close()
	if len(s.ring) != streamWindow || d.open != 0 {
		t.Errorf("a window of %d, %d are open", len(s.ring), d.open)
	}
}

// TestStreamRandom reads anywhere, from several goroutines.
func TestStreamRandom(t *testing.T) {
	content := pattern(streamWindow + 54321)
	s, _ := streamed(t, content)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewSource(int64(worker)))
			for range 30 {
				wantAt(t, s, content, random.Intn(len(content)+10), random.Intn(300000))
			}
		})
	}
	wg.Wait()
}

// TestStreamFails when the content is no longer what it was, and works again when
// it is.
func TestStreamFails(t *testing.T) {
	content := string(bytes.Repeat([]byte("content "), 1000))
	s, d := streamed(t, content)
	buf := make([]byte, 10000)
	d.wrong[content] = true
	if _, err := s.readAt(buf, 0); err != errWrong {
		t.Errorf("wrong content: %v", err)
	}
	d.wrong[content] = false
	wantAt(t, s, content, 5, 100)
	s.stop()
	d.put(1, "short")
	if _, err := s.readAt(buf, 0); err == nil || err == io.EOF {
		t.Errorf("content of another size: %v", err)
	}
	d.put(1, content)
	wantAt(t, s, content, 5, 100)
	if s.stop(); d.open != 0 {
		t.Errorf("%d are open", d.open)
	}
}
