package lazy

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// TestLieOfAnother: a header that one server lies about is not shown to who asks another.
func TestLieOfAnother(t *testing.T) {
	liar, honest, dir := newOrigin(t, 5), newOrigin(t, 5), private(t)
	sum := liar.files[4] // more than what is fetched for a header
	lie := object.Header{Mode: object.ModeRegular | 0o777, Size: 1}
	liar.answers(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".filez") {
			w.Header().Set("Content-Length", "100000")
			w.Write(append(lie.EncodeFilez(), make([]byte, 99000)...))
			return true
		}
		return false
	})
	told, asking := liar.open(t, dir, 1<<30, Options{}), honest.open(t, dir, 1<<30, Options{})
	if h, err := told.Repo().Header(sum); err != nil || h.Mode != lie.Mode {
		t.Fatalf("%+v, %v", h, err)
	}
	if h, err := asking.Repo().Header(sum); err != nil || h.Mode == lie.Mode {
		t.Errorf("%+v, %v", h, err)
	}
	if data, err := read(asking, sum); err != nil || !bytes.Equal(data, content(4)) {
		t.Error(err)
	}
	if _, err := read(told, sum); !isCorrupt(err) {
		t.Errorf("who was told the lie gets another file: %v", err)
	}
}

// metaOf is detached metadata with a text in it.
func metaOf(text string) gvariant.Value {
	return gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("key"), gvariant.NewVariant(gvariant.NewString(text))))
}

// TestDetachedOfAnother: what one server says of a commit stays when another says something else.
func TestDetachedOfAnother(t *testing.T) {
	first, other, none, dir := newOrigin(t, 1), newOrigin(t, 1), newOrigin(t, 1), private(t)
	for text, o := range map[string]*origin{"first": first, "other": other} {
		if err := transaction.WriteDetached(o.repo, o.commit, metaOf(text)); err != nil {
			t.Fatal(err)
		}
	}
	var sources []*Source
	for _, o := range []*origin{first, other, none} {
		s := o.open(t, dir, 1<<30, Options{})
		sources = append(sources, s)
		if _, err := s.Resolve(Target{Ref: "os/main"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"first", "other", ""} {
		meta, ok, err := sources[i].Repo().CommitMeta(first.commit)
		if err != nil || ok != (want != "") || ok && !bytes.Equal(meta.Bytes(), metaOf(want).Bytes()) {
			t.Errorf("server %d: %v, %v", i, ok, err)
		}
		data, err := offline{sources[i]}.detached(first.commit)
		if err != nil || (data != nil) != ok {
			t.Errorf("server %d, offline: %d bytes, %v", i, len(data), err)
		}
	}
	to, err := objstore.Create(t.TempDir()+"/kept", objstore.Setup{Mode: objstore.Archive})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	names := first.commit.String() + ".commit\n" + first.commit.String() + ".commitmeta\n"
	job := Keeping{Cache: dir, Server: sources[1].ID(), Repo: to.Path(), Commit: first.commit}
	if err := Keep(t.Context(), job, strings.NewReader(names)); err != nil {
		t.Fatal(err)
	}
	if meta, ok, err := to.CommitMeta(first.commit); err != nil || !ok || !bytes.Equal(meta.Bytes(), metaOf("other").Bytes()) {
		t.Errorf("kept: %v, %v", ok, err)
	}
}

// TestDetachedHealed: detached metadata that is damaged here is fetched again.
func TestDetachedHealed(t *testing.T) {
	o := newOrigin(t, 1)
	if err := transaction.WriteDetached(o.repo, o.commit, metaOf("text")); err != nil {
		t.Fatal(err)
	}
	s := o.open(t, private(t), 1<<30, Options{})
	for range 2 {
		if _, ok, err := s.Repo().CommitMeta(o.commit); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := os.WriteFile(s.said.detachedFile(o.commit), []byte("junk"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCollections: a commit that is not bound to a remote's collection is refused.
func TestCollections(t *testing.T) {
	o := newOrigin(t, 1)
	cache, err := OpenCache(private(t), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(cache, Server{URL: o.server.URL, Fetch: fetch.Config{URLs: []string{o.server.URL}}, Collections: []string{"org.B"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, target := range []Target{{Ref: "os/main"}, {Ref: o.commit.String()}} {
		if _, err := s.Resolve(target, nil); err == nil || err.Error() != "Expected commit metadata to have collection ID binding information, found none" {
			t.Errorf("%+v: %v", target, err)
		}
	}
}

// TestMemory: metadata that comes waits for room, which is no fault of the server; what is read
// ahead is small, but who needs it gets all of it.
func TestMemory(t *testing.T) {
	o := newOrigin(t, 20)
	s := o.open(t, private(t), 1<<30, Options{Timeout: 150 * time.Millisecond})
	commit := object.Name{Checksum: o.commit, Kind: object.KindCommit}
	_, release, err := s.memory.ReadAll(t.Context(), strings.NewReader(""), heldMost)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.bring(commit) }()
	select {
	case err := <-done:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	c, err := s.Repo().Commit(o.commit)
	if err != nil {
		t.Fatal(err)
	}
	o.answers(func(http.ResponseWriter, *http.Request) bool { time.Sleep(20 * time.Millisecond); return false })
	root := object.Name{Checksum: c.Root, Kind: object.KindDirTree}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if i%2 == 0 {
				s.bringUpTo(root, 10)
			} else if err := s.bring(root); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if !s.holds(root) {
		t.Error("what is needed did not come")
	}
}
