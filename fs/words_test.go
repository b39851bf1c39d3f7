package fs

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// reopened is the words that another server finds in a state.
func reopened(t *testing.T, s *State) *words {
	t.Helper()
	fd, err := unix.FcntlInt(s.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.first.rows.Store(max(s.first.rows.Load(), 1)) // a state without rows is none
	again, err := OpenState(os.NewFile(uintptr(fd), "state"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWords(again)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWords: a word stands for one record for ever, in the next server, too, and
// beyond the first piece of memory.
func TestWords(t *testing.T) {
	s, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := newWords(s)
	if err != nil {
		t.Fatal(err)
	}
	var records []record
	for i := range 3 * wordsPiece / 200 {
		records = append(records, record{row(i % 7), NameKind(i%4 + 1), fmt.Sprint("name", i), strings.Repeat("v", i%400)})
	}
	records = append(records, record{1, NameLink, strings.Repeat("n", maxName), strings.Repeat("v", 1<<16-1)})
	given := make([]word, len(records))
	for i, r := range records {
		if given[i], err = w.put(r); err != nil {
			t.Fatal(err)
		}
		if given[i] >= wordBit || i > 0 && given[i] <= given[i-1] {
			t.Fatalf("record %d: word %d after %d", i, given[i], given[i-1])
		}
	}
	for _, w := range []*words{w, reopened(t, s)} {
		for i, r := range records {
			if got := w.get(given[i]); got != r {
				t.Fatalf("word %d is %v, want %v", given[i], got, r)
			}
			if n, err := w.put(r); n != given[i] || err != nil {
				t.Fatalf("%v again: %d, %v, want %d", r, n, err, given[i])
			}
		}
	}
	next := reopened(t, s)
	if n, err := next.put(record{9, NameDir, "new", ""}); err != nil || n <= given[len(given)-1] {
		t.Errorf("a new record: %d, %v", n, err)
	}
}

// TestWordsRest: what a server leaves that dies while it writes is not taken for a
// record, wherever the next ones end.
func TestWordsRest(t *testing.T) {
	s, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, _ := newWords(s)
	long := strings.Repeat("v", 1<<16-1)
	for range 14 {
		if _, err := w.put(record{1, NameLink, fmt.Sprint("n", w.used.Load()), long}); err != nil {
			t.Fatal(err)
		}
	}
	at := int(w.used.Load()) * wordUnit
	for i := range 1 << 16 {
		w.at(at)[i] = 0xff
	}
	short, err := w.put(record{2, NameDir, "short", ""})
	if err != nil {
		t.Fatal(err)
	}
	var last word
	for i := range 3 { // the second or third is in the next piece
		if last, err = w.put(record{3, NameLink, fmt.Sprint("long", i), long}); err != nil {
			t.Fatal(err)
		}
	}
	next := reopened(t, s)
	for want, r := range map[word]record{short: {2, NameDir, "short", ""}, last: {3, NameLink, "long2", long}} {
		if got, err := next.put(r); got != want || err != nil {
			t.Errorf("%s: word %d, %v, was %d", r.name, got, err, want)
		}
	}
}

// TestWordsRefused: what does not fit is refused, and leaves nothing behind.
func TestWordsRefused(t *testing.T) {
	s, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, _ := newWords(s)
	for _, r := range []record{
		{0, NameDir, "", ""},
		{0, NameDir, strings.Repeat("n", maxName+1), ""},
		{0, NameLink, "n", strings.Repeat("v", 1<<16)},
	} {
		if n, err := w.put(r); err == nil {
			t.Errorf("name of %d, value of %d bytes: word %d", len(r.name), len(r.value), n)
		}
	}
	w.used.Store(maxWords/wordUnit - 1)
	if _, err := w.put(record{0, NameDir, "name", ""}); err != errNoWords {
		t.Errorf("full: %v", err)
	}
}

// TestWordsAtOnce: the same records from many sides get the same words.
func TestWordsAtOnce(t *testing.T) {
	s, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, _ := newWords(s)
	const count = 500
	var given [4][count]word
	var all sync.WaitGroup
	for side := range given {
		all.Go(func() {
			for i := range count {
				n, err := w.put(record{3, NameFile, fmt.Sprint(i), "value"})
				if err != nil || w.get(n).name != fmt.Sprint(i) {
					t.Errorf("%d: %v, %v", i, w.get(n), err)
				}
				given[side][i] = n
			}
		})
	}
	all.Wait()
	for side := range given {
		if given[side] != given[0] {
			t.Errorf("side %d got other words", side)
		}
	}
}
