package fs

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"deployfs/fs/backing"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/index"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
	"deployfs/tests/mutate"
)

// user does with a hostile repository what there is to do with one.
type user struct {
	t    testing.TB
	repo *mutate.Repo
	dir  string // for caches
	what string // the change

	forged bool // an index may tell lies, as its writer is believed

	whole, part, refused int
}

// begin makes the index, and reads the repository while it is good.
func (u *user) begin() {
	u.what = "no change"
	r, err := objstore.Open(u.repo.Path)
	if err != nil {
		u.t.Fatal(err)
	}
	defer r.Close()
	root, err := rootOf(r, "main")
	if err != nil {
		u.t.Fatal(err)
	}
	store := index.OpenStore(r, u.dir)
	defer store.Close()
	m, err := store.Make(context.Background(), r, root)
	if err != nil {
		u.t.Fatal(err)
	}
	m.Close()
	for n := range uint64(6) {
		u.use(n)
	}
	if u.whole != 6 || u.t.Failed() {
		u.t.Fatal("the repository can't be read before it is changed")
	}
	u.whole = 0
}

// said checks that an error can be a line for people, and tells nothing of what
// lies outside.
func (u *user) said(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	bad := func(c rune) bool { return unicode.IsControl(c) || c == unicode.ReplacementChar }
	if text == "" || strings.IndexFunc(text, bad) >= 0 || len(text) > 10_000 || strings.Contains(text, "%!") || strings.Contains(text, u.repo.Canary.Secret) {
		u.errorf("this is no good line: %q", text)
	}
}

// use reads all there is.
func (u *user) use(n uint64) {
	r, err := objstore.Open(u.repo.Path)
	if u.said(err); err != nil {
		u.refused++
		return
	}
	defer r.Close()
	u.list(r, n)
	root, err := rootOf(r, "main")
	if u.said(err); err != nil {
		u.refused++
		return
	}
	errs := u.walk(r, root)
	errs += u.mount(r, root, Verify(n%3), n%2 == 0)
	if errs > 0 {
		u.part++
	} else {
		u.whole++
	}
}

// rootOf is what a mount of rev would show.
func rootOf(r *objstore.Repo, rev string) (root index.Root, err error) {
	sum, err := r.Resolve(rev)
	if err != nil {
		return root, err
	}
	c, err := r.Commit(sum)
	if err != nil {
		return root, err
	}
	if _, err := r.DirTree(c.Root); err != nil {
		return root, err
	}
	_, err = r.DirMeta(c.RootMeta)
	return index.Root{Tree: c.Root, Meta: c.RootMeta}, err
}

// list reads what is not the tree: refs, commits and what is said about them.
func (u *user) list(r *objstore.Repo, n uint64) {
	refs, err := r.Refs()
	u.said(err)
	mirrored, err := r.MirroredRefs()
	u.said(err)
	for _, ref := range append(refs, mirrored...) {
		if strings.Contains(ref.Checksum, u.repo.Canary.Secret) {
			u.errorf("ref %s leads out of the repository: %q", ref, ref.Checksum)
		}
	}
	if n%8 == 0 { // it reads 256 directories
		_, err = r.Commits()
		u.said(err)
	}
	for _, rev := range []string{"main", "old", "main^", "main^^", "z/alias", "far", "origin:far", "a/b", "0", "main^^^"} {
		sum, err := r.Resolve(rev)
		if u.said(err); err != nil {
			continue
		}
		r.IsPartial(sum)
		c, err := r.Commit(sum)
		if u.said(err); err != nil {
			continue
		}
		gvariant.Print(c.Metadata, true, true)
		_, err = c.Sizes()
		u.said(err)
		meta, ok, err := r.CommitMeta(sum)
		if u.said(err); ok {
			gvariant.Print(meta, true, true)
		}
	}
	u.summary()
}

// summary reads the summary, which nothing but show does.
func (u *user) summary() {
	path := filepath.Join(u.repo.Path, "summary")
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		u.t.Fatal(err)
	}
	if v, err := gvariant.Parse("(a(s(taya{sv}))a{sv})", data); err == nil {
		gvariant.Print(v, true, true)
	}
}

// walk reads the tree as the verbs do, and returns how many errors there were.
func (u *user) walk(r *objstore.Repo, root index.Root) (errs int) {
	err := tree.Walk(r, tree.Entry{Path: "/", Tree: root.Tree, Meta: root.Meta}, func(e tree.Entry) error {
		if err := object.CheckName([]byte(filepath.Base(e.Path))); err != nil || strings.Contains(e.Path, "//") {
			u.errorf("path %q: %v", e.Path, err)
		}
		var err error
		if e.IsDir() {
			_, err = r.DirMeta(e.Meta)
		} else {
			err = u.content(r, e.Content)
		}
		if u.said(err); err != nil {
			errs++
		}
		return nil
	})
	if u.said(err); err != nil {
		errs++
	}
	return errs
}

// content reads a content object, and fails the test unless that is what the
// checksum says, or an error.
func (u *user) content(r *objstore.Repo, sum object.Checksum) error {
	stat, err := r.Stat(sum)
	if u.said(err); err != nil {
		return err
	}
	header, err := r.Header(sum)
	if u.said(err); err != nil {
		return err
	}
	c, err := r.Content(sum)
	if err != nil {
		return err
	}
	defer c.Close()
	data, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if stat.Mode != header.Mode || stat.Size != header.Size || string(header.Hashed()) != string(c.Header.Hashed()) {
		u.errorf("object %s is described in three ways: %+v, %+v, %+v", sum, stat, header, c.Header)
	}
	u.right(sum, &c.Header, data)
	return nil
}

// right fails the test unless a content object of this header and content is called sum.
func (u *user) right(sum object.Checksum, h *object.Header, data []byte) {
	if found := object.Checksum(sha256.Sum256(append(h.Hashed(), data...))); found != sum {
		u.errorf("object %s is read as %s: %+v, %.100q", sum, found, *h, data)
	}
}

// mount reads the tree as the kernel does, and returns how many errors there were.
func (u *user) mount(r *objstore.Repo, root index.Root, verify Verify, indexed bool) (errs int) {
	open := func(sum object.Checksum) (backing.Content, error) { return r.Content(sum) }
	files := backing.NewStore(open, backing.NewInflated("", 1<<20), nil, backing.Limits{Files: 20, Bytes: 1 << 20})
	report := func(path string, err error) {
		if len(path) > 5000 {
			u.errorf("a path of %d bytes", len(path))
		}
		u.said(err)
	}
	f, err := New(r, files, root.Tree, root.Meta, Options{Verify: verify, Memory: 1 << 20, Report: report})
	if err != nil {
		u.t.Fatal(err)
	}
	defer f.Close()
	k := &kernel{user: u, fs: f, verified: verify != VerifyNone}
	if indexed {
		close := k.useIndex(r, root)
		defer close()
	}
	k.directory(1)
	return k.errs
}

// useIndex answers from the index that is there, or from a new one.
func (k *kernel) useIndex(r *objstore.Repo, root index.Root) (close func()) {
	store := index.OpenStore(r, k.dir)
	defer store.Close()
	store.Totals(root)
	m, err := store.Open(root)
	if err == nil {
		k.fs.UseIndex(m.Index, func(err error) { k.said(err) })
		return func() { m.Close() }
	}
	if !errors.Is(err, os.ErrNotExist) {
		k.errorf("opening the index: %v", err)
	}
	data, err := index.Build(context.Background(), r, root, 0)
	if err != nil {
		k.errorf("building the index: %v", err)
		return func() {}
	}
	x, err := index.Parse(data)
	if err != nil {
		k.errorf("the index that was built: %v", err)
		return func() {}
	}
	k.fs.UseIndex(x, func(err error) { k.said(err) })
	return func() {}
}
