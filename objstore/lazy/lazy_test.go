package lazy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
	"deployfs/objstore/tree"
)

// origin is a repository on a server.
type origin struct {
	repo   *objstore.Repo
	commit object.Checksum
	files  []object.Checksum
	server *httptest.Server

	mu       sync.Mutex
	requests []string
	answer   func(w http.ResponseWriter, r *http.Request) bool // true when it has answered
}

// content is that of file i.
func content(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d ", i), 10+i*500) }

// newOrigin makes one whose ref os/main is a directory of so many files.
func newOrigin(t *testing.T, files int) *origin {
	t.Helper()
	o := &origin{}
	repo, err := objstore.Create(t.TempDir()+"/repo", objstore.Setup{Mode: objstore.Archive})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	o.repo = repo
	repo.DisableFsync()
	tx, err := transaction.Begin(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	must := func(sum object.Checksum, err error) object.Checksum {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	var entries []object.File
	for i := range files {
		data := content(i)
		sum := must(tx.WriteContent(object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(data))}, bytes.NewReader(data)))
		entries, o.files = append(entries, object.File{Name: fmt.Sprintf("%04d", i), Content: sum}), append(o.files, sum)
	}
	meta := must(tx.WriteMetadata(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode()))
	dir := must(tx.WriteMetadata(object.KindDirTree, object.EncodeDirTree(entries, nil)))
	root := must(tx.WriteMetadata(object.KindDirTree, object.EncodeDirTree(nil, []object.Dir{{Name: "dir", Tree: dir, Meta: meta}})))
	bound := gvariant.NewEntry(gvariant.NewString("ostree.ref-binding"), gvariant.NewVariant(gvariant.NewArray("s", gvariant.NewString("os/main"))))
	commit := object.Commit{Metadata: gvariant.NewArray("{sv}", bound), Subject: "subject", Timestamp: 1, Root: root, RootMeta: meta}
	o.commit = must(tx.WriteMetadata(object.KindCommit, commit.Encode()))
	tx.SetRef(refs.Name{Ref: "os/main"}, o.commit)
	tx.SetRef(refs.Name{Ref: "os/wrong"}, o.commit)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	files2 := http.FileServer(http.Dir(repo.Path()))
	o.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, r.URL.Path)
		answer := o.answer
		o.mu.Unlock()
		if answer == nil || !answer(w, r) {
			files2.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(o.server.Close)
	return o
}

// asked are the requests since the last call whose paths end so.
func (o *origin) asked(suffix string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, path := range o.requests {
		if strings.HasSuffix(path, suffix) {
			n++
		}
	}
	o.requests = nil
	return n
}

func (o *origin) answers(with func(w http.ResponseWriter, r *http.Request) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = with
}

// open opens a Source of o with a cache in dir.
func (o *origin) open(t *testing.T, dir string, limit int64, opts Options) *Source {
	t.Helper()
	cache, err := OpenCache(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	if opts.Timeout == 0 {
		opts.Timeout = 5 * time.Second
	}
	s, err := Open(cache, Server{URL: o.server.URL, Fetch: fetch.Config{URLs: []string{o.server.URL}, Retries: 1}}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(s *Source, sum object.Checksum) ([]byte, error) {
	c, err := s.Repo().Content(sum)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(c)
}

func TestReadAsIfHere(t *testing.T) {
	o := newOrigin(t, 60)
	dir := private(t)
	s := o.open(t, dir, 1<<30, Options{ReadAhead: true})
	found, err := s.Resolve(Target{Ref: "os/main"}, nil)
	if err != nil || found.Commit != o.commit || found.Offline != nil {
		t.Fatal(found, err)
	}
	commit, err := s.Repo().Commit(found.Commit)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = tree.Walk(s.Repo(), tree.Root(commit), func(e tree.Entry) error {
		if e.IsDir() {
			return nil
		}
		h, err := s.Repo().Header(e.Content)
		if err == nil && (int(h.Size) != len(content(seen)) || h.Mode != object.ModeRegular|0o644) {
			t.Errorf("%s: %+v", e.Path, h)
		}
		seen++
		return err
	})
	if err != nil || seen != 60 {
		t.Fatal(seen, err)
	}
	if n := o.asked(".filez"); n != 60 {
		t.Errorf("%d headers of 60 were asked for", n)
	}
	for i, sum := range o.files {
		if data, err := read(s, sum); err != nil || !bytes.Equal(data, content(i)) {
			t.Fatalf("file %d: %d bytes, %v", i, len(data), err)
		}
	}
	stats := s.Stats()
	o.asked("")
	s.Close()
	again := o.open(t, dir, 1<<30, Options{})
	for _, sum := range o.files {
		if _, err := read(again, sum); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.asked(""); n != 0 || stats.Hits == 0 || stats.Objects == 0 || stats.Fetched == 0 || again.Stats().Fetched != 0 {
		t.Errorf("%d requests; %+v, then %+v", n, stats, again.Stats())
	}
}

// TestAtOnce: what many want at once, in two processes, is fetched once.
func TestAtOnce(t *testing.T) {
	o := newOrigin(t, 1)
	dir := private(t)
	a, b := o.open(t, dir, 1<<30, Options{}), o.open(t, dir, 1<<30, Options{})
	o.answers(func(http.ResponseWriter, *http.Request) bool { time.Sleep(50 * time.Millisecond); return false })
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := read([]*Source{a, b}[i%2], o.files[0]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := o.asked(".filez"); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
}

func TestResolveRefuses(t *testing.T) {
	o := newOrigin(t, 1)
	s := o.open(t, private(t), 1<<30, Options{Timeout: time.Second})
	for _, c := range []struct {
		target Target
		want   string
	}{
		{Target{Ref: "os/wrong"}, "Commit has no requested ref ‘os/wrong’ in ref binding metadata (‘os/main’)"},
		{Target{Ref: "none"}, "the server has neither a summary nor a ref 'none'"},
		{Target{}, "a ref is needed"},
		{Target{Ref: "os/main", Back: 1}, "has no parent"},
		{Target{Ref: strings.Repeat("0", 64)}, "No such metadata object"},
	} {
		if _, err := s.Resolve(c.target, nil); err == nil || !strings.Contains(err.Error(), c.want) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v, want %s", c.target, err, c.want)
		}
	}
	if err := summary.Update(t.Context(), o.repo, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resolve(Target{}, nil); err == nil || !strings.Contains(err.Error(), "the server has 2") {
		t.Errorf("of two refs: %v", err)
	}
	if _, err := s.Resolve(Target{Ref: "none"}, nil); err == nil || err.Error() != "No such branch 'none' in repository summary" {
		t.Errorf("a ref that is not in the summary: %v", err)
	}
}

// picky is a policy that trusts or does not.
type picky struct{ summary, commit error }

func (picky) WantsSummary() bool                                     { return true }
func (p picky) Summary([]byte, []byte) error                         { return p.summary }
func (picky) WantsCommit() bool                                      { return true }
func (p picky) Commit(object.Checksum, []byte, gvariant.Value) error { return p.commit }

func TestResolveTrusts(t *testing.T) {
	o := newOrigin(t, 1)
	if err := summary.Update(t.Context(), o.repo, nil); err != nil {
		t.Fatal(err)
	}
	s := o.open(t, private(t), 1<<30, Options{Timeout: 300 * time.Millisecond})
	bad := errors.New("not trusted")
	target := Target{Ref: "os/main"}
	for _, p := range []picky{{summary: bad}, {commit: bad}} {
		if _, err := s.Resolve(target, p); !errors.Is(err, bad) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	o.answers(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	outage := (*OutageError)(nil)
	if _, err := s.Resolve(target, picky{}); !errors.As(err, &outage) {
		t.Errorf("what was never trusted is known: %v", err)
	}
	o.answers(nil)
	time.Sleep(askAgain)
	if _, err := s.Resolve(target, picky{}); err != nil {
		t.Fatal(err)
	}
	o.answers(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	if found, err := s.Resolve(target, picky{}); err != nil || found.Commit != o.commit || found.Offline == nil {
		t.Errorf("%+v, %v", found, err)
	}
	for _, p := range []picky{{summary: bad}, {commit: bad}} {
		if _, err := s.Resolve(target, p); !errors.Is(err, bad) {
			t.Errorf("what is trusted no more, offline: %v", err)
		}
	}
}

// TestServed: what a server sends that is not what the name says is refused, and not kept.
func TestServed(t *testing.T) {
	o := newOrigin(t, 3)
	last := o.files[2]
	name := object.Name{Checksum: last, Kind: object.KindFile}
	_, path := o.repo.ObjectFile(name)
	good, err := os.ReadFile(o.repo.Path() + "/objects/" + path)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{
		"nothing":      {},
		"short":        good[:5],
		"half":         good[:len(good)/2],
		"other bytes":  append(bytes.Clone(good[:len(good)-4]), 0, 0, 0, 0),
		"a large head": append([]byte{0xff, 0xff, 0xff, 0xff}, good[4:]...),
		"much behind":  append(bytes.Clone(good), make([]byte, 2*slack)...),
		"no filez":     []byte(strings.Repeat("<html>", 1000)),
	} {
		s := o.open(t, private(t), 1<<30, Options{})
		o.answers(func(w http.ResponseWriter, r *http.Request) bool { w.Write(data); return true })
		if _, err := read(s, last); !isCorrupt(err) {
			t.Errorf("%s: %v", what, err)
		}
		if s.cache.holds(name) {
			t.Errorf("%s: it is kept", what)
		}
		o.answers(nil)
		if data, err := read(s, last); err != nil || !bytes.Equal(data, content(2)) {
			t.Errorf("after %s: %v", what, err)
		}
		if left, _ := os.ReadDir(s.cache.path("tmp")); len(left) > 1 { // and cache
			t.Errorf("%s: %d files are left", what, len(left))
		}
	}
}

// TestHealed: what was damaged in the cache is fetched again.
func TestHealed(t *testing.T) {
	o := newOrigin(t, 1)
	s := o.open(t, private(t), 1<<30, Options{})
	commit, err := s.Repo().Commit(o.commit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Repo().DirTree(commit.Root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.cache.file(object.Name{Checksum: commit.Root, Kind: object.KindDirTree}), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Repo().DirTree(commit.Root); err != nil {
		t.Error(err)
	}
}

// TestEvicted: the cache keeps to its limit, and what went can be had again.
func TestEvicted(t *testing.T) {
	o := newOrigin(t, 40)
	const limit = 200 << 10
	s := o.open(t, private(t), limit, Options{})
	for round := range 2 {
		for i, sum := range o.files {
			if data, err := read(s, sum); err != nil || !bytes.Equal(data, content(i)) {
				t.Fatalf("round %d, file %d: %v", round, i, err)
			}
		}
	}
	s.cache.evictor.Wait()
	var total int64
	for _, f := range s.cache.scan("objects") {
		total += cost(f.size)
	}
	used, _ := s.cache.Used()
	if total > limit+limit/4 || used < total || used > total+limit/4 || total == 0 { // what comes during an eviction may count twice until the next
		t.Errorf("%d bytes are kept, counted are %d, the limit is %d", total, used, limit)
	}
}

// TestSilent: a server that says nothing is one that does not answer, soon.
func TestSilent(t *testing.T) {
	o := newOrigin(t, 2)
	var told []error
	s := o.open(t, private(t), 1<<30, Options{Timeout: 200 * time.Millisecond, Outage: func(err error) { told = append(told, err) }})
	stop := make(chan struct{})
	o.answers(func(w http.ResponseWriter, r *http.Request) bool { <-stop; return true })
	began, outage := time.Now(), (*OutageError)(nil)
	for range 20 {
		if _, err := read(s, o.files[0]); !errors.As(err, &outage) {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it takes %v", took)
	}
	close(stop)
	o.answers(nil)
	time.Sleep(askAgain)
	if _, err := read(s, o.files[0]); err != nil {
		t.Error(err)
	}
	if len(told) != 2 || told[0] == nil || told[1] != nil {
		t.Errorf("told was %v", told)
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]Target{
		"http://h/r#a/b":                      {URL: "http://h/r", Ref: "a/b"},
		"https://u:p@h/r/":                    {URL: "https://u:p@h/r"},
		"file:///r#a^^":                       {URL: "file:///r", Ref: "a", Back: 2},
		"origin:a/b^":                         {Remote: "origin", Ref: "a/b", Back: 1},
		"http://h#" + strings.Repeat("a", 64): {URL: "http://h", Ref: strings.Repeat("a", 64)},
	} {
		if got, err := ParseTarget(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "main", "origin:", "a b:c", "http://h#../x", "http://h#^", "http://h#-x", "ftp://h#x"} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if got := Shown("https://u:secret@h/r#x"); got != "https://u@h/r#x" {
		t.Error(got)
	}
}

// TestAhead: who goes through a directory has more fetched each time, who looks at single entries nothing.
func TestAhead(t *testing.T) {
	d := &directory{files: 10000, names: make([]object.Name, 10000)}
	asked := map[int]bool{}
	look := func(at int) {
		from, until := d.look(at, !asked[at])
		for i := from; i < until; i++ {
			if asked[i] {
				t.Fatalf("entry %d is asked for twice", i)
			}
			asked[i] = true
		}
	}
	for i, waited := 0, 0; i < 10000; i++ {
		if !asked[i] {
			if waited++; waited > 2 {
				t.Fatalf("entry %d was not asked for", i)
			}
		}
		look(i)
	}
	d, asked = &directory{files: 10000, names: make([]object.Name, 10000)}, map[int]bool{}
	for _, at := range []int{5000, 17, 9999, 300, 4} {
		look(at)
	}
	if len(asked) > 0 {
		t.Errorf("%d entries are asked for beside single ones", len(asked))
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, text := range []string{"http://h/r#a/b^", "origin:a", "file:///x", "https://u:p@h#" + strings.Repeat("0", 64)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text)
		if err == nil && (target.URL == "") == (target.Remote == "") {
			t.Errorf("%q: %+v", text, target)
		}
	})
}

// FuzzTold reads headers that were kept, whatever has become of them.
func FuzzTold(f *testing.F) {
	h := object.Header{Mode: object.ModeRegular | 0o644, Size: 5}
	f.Add(h.EncodeFilez())
	f.Add([]byte("short"))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0})
	cache, err := OpenCache(f.TempDir()+"/cache", 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { cache.Close() })
	said := word{cache, "server"}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := said.tell(object.Checksum{1}, data); err != nil {
			t.Fatal(err)
		}
		h, err := said.told(object.Checksum{1})
		if err == nil && !bytes.Equal(h.EncodeFilez(), data) && h.Check() != nil {
			t.Errorf("%x: %+v", data, h)
		}
	})
}
