package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
)

// server serves a repository, notes what it is asked for, and lies as it is told.
type server struct {
	*httptest.Server
	repo string

	mu    sync.Mutex
	lies  map[string][]byte // what is said of a path in the place of the truth; nil is that there is none
	asked []string
}

func serve(t *testing.T, r *objstore.Repo) *server {
	t.Helper()
	s := &server{repo: r.Path(), lies: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	s.asked = append(s.asked, name)
	data, lie := s.lies[name]
	s.mu.Unlock()
	if !lie {
		data, _ = os.ReadFile(filepath.Join(s.repo, name))
	}
	if data == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha256.Sum256(data)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// lie is what is said of a path from now on.
func (s *server) lie(path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lies[path] = data
}

// confess has the truth said again; requests of before may still be under way.
func (s *server) confess(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lies, path)
}

// requests are those since the last call, objects by what they are.
func (s *server) requests() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.asked {
		if strings.HasPrefix(name, "objects/") {
			name = path.Ext(name)
		}
		list = append(list, name)
	}
	s.asked = nil
	return list
}

// client is an empty repository whose remote origin the server is.
func (s *server) client(t *testing.T, mode objstore.Mode, settings string) *objstore.Repo {
	t.Helper()
	return newRepo(t, mode, "[remote \"origin\"]\nurl="+s.URL+"\ngpg-verify=false\n"+settings)
}

func publish(t *testing.T, r *objstore.Repo) {
	t.Helper()
	if err := summary.Update(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
}

func fetchAll(t *testing.T, dest *objstore.Repo, o RemoteOptions) Result {
	t.Helper()
	r, err := Remote(context.Background(), dest, "origin", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func asking(names ...string) RemoteOptions { return RemoteOptions{Options: Options{Refs: names}} }

// TestRequests: what a server is asked for, in order, first and when there is nothing new.
func TestRequests(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1")
	tree := []string{".commitmeta", ".commit", ".dirtree", ".dirmeta", ".dirtree", ".filez"}
	s := serve(t, src)
	for _, c := range []struct {
		name      string
		published bool
		mode      objstore.Mode
		want      []string
	}{
		{"main", false, objstore.Archive, append([]string{"summary.sig", "summary", "refs/heads/main"}, tree...)},
		{sum.String(), false, objstore.Archive, tree},
		{"main", true, objstore.Archive, append([]string{"summary.sig", "summary", "config"}, tree...)},
		{"main", true, objstore.Bare, append([]string{"summary.sig", "summary", "config", objstore.Delta{To: sum}.IndexPath()}, tree...)},
		{sum.String(), true, objstore.Bare, append([]string{"config", objstore.Delta{To: sum}.IndexPath()}, tree...)},
	} {
		if c.published {
			publish(t, src)
		}
		dest := s.client(t, c.mode, "")
		r := fetchAll(t, dest, asking(c.name))
		got := s.requests()
		if first := len(got) - 4; first > 0 { // the tree comes side by side
			slices.Sort(got[first:])
			slices.Sort(c.want[first:])
		}
		if !slices.Equal(got, c.want) || r.Content != 1 {
			t.Errorf("%s: asked for %q, want %q; %+v", c.name, got, c.want, r)
		}
		whole(t, dest, sum)
		fetchAll(t, dest, asking(c.name))
		if got := s.requests(); slices.Contains(got, ".commit") || !slices.Contains(got, ".commitmeta") {
			t.Errorf("%s: the next time asked for %q", c.name, got)
		}
	}
}

// lie is what a server says of a path, and how it is found out.
type lie struct {
	path string
	data []byte // nil is that there is no such file
	text string
}

// liesAbout are lies about a commit of main; other is one of another ref.
func liesAbout(t *testing.T, src *objstore.Repo, sum, other object.Checksum) map[string]lie {
	t.Helper()
	read := func(name object.Name) []byte {
		data, err := os.ReadFile(filepath.Join(src.Path(), objectFile(name).Path))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	c, err := src.Commit(sum)
	if err != nil {
		t.Fatal(err)
	}
	commit := objectFile(object.Name{Checksum: sum, Kind: object.KindCommit}).Path
	root := object.Name{Checksum: c.Root, Kind: object.KindDirTree}
	return map[string]lie{
		"a ref of another commit": {"refs/heads/main", []byte(other.String() + "\n"), "Commit " + other.String() + ": Commit has no requested ref ‘main’ in ref binding metadata (‘other’)"},
		"another commit":          {commit, read(object.Name{Checksum: other, Kind: object.KindCommit}), "Corrupted commit object; checksum expected='" + sum.String() + "' actual='" + other.String() + "'"},
		"no commit":               {commit, nil, "Server returned HTTP 404"},
		"a directory that is cut": {objectFile(root).Path, read(root)[1:], "Corrupted dirtree object; checksum expected='" + c.Root.String()},
		"no directory":            {objectFile(root).Path, nil, "Server returned HTTP 404"},
		"a page for a ref":        {"refs/heads/main", []byte("<html>\nno"), "Fetching checksum for ref ((empty), main): Invalid rev <html> no"},
	}
}

// TestLies: what is not what it should be is refused, and leaves no commit and no ref.
func TestLies(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1", "main")
	other := grow(t, src, "other", "2", "other")
	for name, lie := range liesAbout(t, src, sum, other) {
		s := serve(t, src)
		s.lie(lie.path, lie.data)
		dest := s.client(t, objstore.Bare, "")
		o := asking("main")
		o.Retries = new(int)
		if _, err := Remote(context.Background(), dest, "origin", o); err == nil || !strings.Contains(err.Error(), lie.text) {
			t.Errorf("%s: %v, want %s", name, err, lie.text)
		}
		if list, err := dest.Commits(); err != nil || len(list) > 0 {
			t.Errorf("%s: commits %v, %v", name, list, err)
		}
		if list, err := dest.Refs(); err != nil || len(list) > 0 {
			t.Errorf("%s: refs %v, %v", name, list, err)
		}
		s.confess(lie.path)
		fetchAll(t, dest, asking("main"))
		whole(t, dest, sum)
	}
}

// TestUnsigned: a commit that is refused was never written, not even aside.
func TestUnsigned(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	grow(t, src, "main", "1")
	s := serve(t, src)
	dest := s.client(t, objstore.Archive, "")
	o := asking("main")
	refusal := errors.New("no signature")
	o.VerifyCommit = func(object.Checksum, []byte, gvariant.Value) error { return refusal }
	if _, err := Remote(context.Background(), dest, "origin", o); !errors.Is(err, refusal) {
		t.Error(err)
	}
	for _, pattern := range []string{"state/*", "tmp/staging-*/*", "objects/*/*"} {
		if left, _ := filepath.Glob(filepath.Join(dest.Path(), pattern)); left != nil {
			t.Errorf("left: %q", left)
		}
	}
}

// publishEmpty has a summary without refs be served, of a time, with something for a signature.
func (s *server) publishEmpty(signature string, at byte) {
	entry := func(key string, v gvariant.Value) gvariant.Value {
		return gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v)))
	}
	meta := entry("ostree.summary.last-modified", gvariant.NewUint64(uint64(at)<<56)) // big endian
	s.lie("summary", gvariant.NewTuple(gvariant.NewArray("(s(taya{sv}))"), meta).Bytes())
	s.lie("summary.sig", entry("s", gvariant.NewString(signature)).Bytes())
}

// TestSummaryCache: a summary whose signature is the same is not fetched again, a cached one that
// does not fit it is, and an older one is told of.
func TestSummaryCache(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	grow(t, src, "main", "1")
	s := serve(t, src)
	dest := s.client(t, objstore.Archive, "")
	var warned []string
	fetch := func(verify func(data, signature []byte) error) *summary.Summary {
		t.Helper()
		o := RemoteOptions{Options: Options{VerifySummary: verify, Warn: func(err error) { warned = append(warned, err.Error()) }}}
		got, _, _, err := FetchSummary(context.Background(), dest, "origin", o)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	s.publishEmpty("one", 5)
	fetch(nil)
	s.requests()
	fetch(nil)
	if got := s.requests(); !slices.Equal(got, []string{"summary.sig"}) {
		t.Errorf("the same again: asked for %q", got)
	}
	kept := filepath.Join(dest.Path(), "tmp/cache/summaries/origin")
	if err := os.WriteFile(kept, []byte("junk"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.requests()
	calls := 0
	fetch(func(data, _ []byte) error {
		if calls++; string(data) == "junk" {
			return errors.New("it does not fit")
		}
		return nil
	})
	if got := s.requests(); !slices.Equal(got, []string{"summary.sig", "summary"}) || calls != 2 {
		t.Errorf("a damaged one: asked for %q, verified %d times", got, calls)
	}
	s.publishEmpty("two", 4)
	fetch(nil)
	if len(warned) != 1 || !strings.Contains(warned[0], "older than the one that came before") {
		t.Errorf("warned %q", warned)
	}
}

// TestMirror: refs keep their collections, and the summary comes along, without a stale signature.
func TestMirror(t *testing.T) {
	src := newRepo(t, objstore.Archive, "collection-id=org.example.Src\n")
	sum := grow(t, src, "main", "1")
	publish(t, src)
	s := serve(t, src)
	dest := s.client(t, objstore.Archive, "")
	if err := dest.Replace(dest.Dir(), "summary.sig", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	fetchAll(t, dest, RemoteOptions{Options: Options{Mirror: true, Unbound: true}})
	list, err := dest.MirroredRefs()
	if err != nil || len(list) != 1 || list[0].Collection != "org.example.Src" || list[0].Checksum != sum.String() {
		t.Errorf("refs %v, %v", list, err)
	}
	got, _ := os.ReadFile(filepath.Join(dest.Path(), "summary"))
	want, _ := os.ReadFile(filepath.Join(src.Path(), "summary"))
	if !bytes.Equal(got, want) {
		t.Error("the summary is another")
	}
	if _, err := os.Stat(filepath.Join(dest.Path(), "summary.sig")); err == nil {
		t.Error("a signature has stayed that is of nothing")
	}

	named := refs.Name{Collection: "org.example.Src", Ref: "main"}
	plain := s.client(t, objstore.Archive, "")
	fetchAll(t, plain, RemoteOptions{Options: Options{CollectionRefs: []refs.Name{named}, Unbound: true}})
	if got, err := plain.Resolve("origin:main"); err != nil || got != sum {
		t.Errorf("origin:main is %s, %v", got, err)
	}
	named.Collection = "org.example.None"
	_, err = Remote(context.Background(), plain, "origin", RemoteOptions{Options: Options{CollectionRefs: []refs.Name{named}}})
	if err == nil || err.Error() != "No such branch (org.example.None, main) in repository summary" {
		t.Error(err)
	}
}

// TestNewer: an older commit is refused where a newer one is asked for.
func TestNewer(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	dest := newRepo(t, objstore.Archive, "")
	dated := func(seconds uint64) object.Checksum {
		t.Helper()
		tx, err := transaction.Begin(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Close()
		sum := grow(t, src, "main", "x")
		c, err := src.Commit(sum)
		if err != nil {
			t.Fatal(err)
		}
		c.Timestamp = seconds
		if sum, err = tx.WriteMetadata(object.KindCommit, c.Encode()); err != nil {
			t.Fatal(err)
		}
		tx.SetRef(refs.Name{Ref: "main"}, sum)
		if err := tx.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	newest := dated(2000)
	local(t, dest, src, Options{Refs: []string{"main"}})
	old := dated(1000)
	want := "Upgrade target revision '" + old.String() + "' with timestamp 'Thu Jan  1 00:16:40 1970' is chronologically older than current revision '" +
		newest.String() + "' with timestamp 'Thu Jan  1 00:33:20 1970'; use --allow-downgrade to permit"
	for _, o := range []Options{{Newer: true}, {NewerThan: "main"}, {NewerThan: newest.String()}} {
		o.Refs = []string{"main"}
		if _, err := Local(context.Background(), dest, src, o); err == nil || err.Error() != want {
			t.Errorf("%+v: %v", o, err)
		}
	}
	local(t, dest, src, Options{Refs: []string{"main"}})
}

// TestCache: what a repository of this machine has is not fetched, and is checked all the same.
func TestCache(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1")
	s := serve(t, src)
	cache := newRepo(t, objstore.Bare, "")
	local(t, cache, src, Options{})
	dest := s.client(t, objstore.Bare, "")
	o := asking("main")
	o.Caches = []*objstore.Repo{cache}
	r := fetchAll(t, dest, o)
	if got := s.requests(); slices.Contains(got, ".filez") || slices.Contains(got, ".commit") || r.ImportedContent != 1 || r.ImportedMetadata != 4 {
		t.Errorf("asked for %q, %+v", got, r)
	}
	whole(t, dest, sum)

	damage(t, cache)
	if _, err := Remote(context.Background(), s.client(t, objstore.Bare, ""), "origin", o); err == nil || !strings.Contains(err.Error(), "Corrupted file object") {
		t.Error(err)
	}
}

// damage changes the one file of a bare repository.
func damage(t *testing.T, r *objstore.Repo) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(r.Path(), "objects/??/*.file"))
	if len(found) != 1 {
		t.Fatalf("files: %q", found)
	}
	if err := errors.Join(os.Remove(found[0]), os.WriteFile(found[0], []byte("2"), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestManyRefs: a mirror of all refs takes a time that grows with their number, not with its square,
// even where the summary is not sorted; of two refs of one name the first counts.
func TestManyRefs(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	first, second := grow(t, src, "main", "1"), grow(t, src, "main", "2")
	const n = 20000
	var entries []gvariant.Value
	add := func(i int, sum object.Checksum) {
		about := gvariant.NewTuple(gvariant.NewUint64(1000), gvariant.NewBytes(sum[:]), gvariant.NewArray("{sv}"))
		entries = append(entries, gvariant.NewTuple(gvariant.NewString(fmt.Sprintf("r%06d", i)), about))
	}
	for i := range n {
		add(n-i, second)
	}
	add(1, first)
	l, err := list(gvariant.NewTuple(gvariant.NewArray("(s(taya{sv}))", entries...), gvariant.NewArray("{sv}")).Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	all := l.all()
	if len(all) != n || all[n-1].commit != second || l.sizes[second] != 1000 {
		t.Errorf("%d refs, the last %+v", len(all), all[len(all)-1])
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}
