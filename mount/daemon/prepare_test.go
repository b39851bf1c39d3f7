package daemon

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	gofs "deployfs/fs"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// newRepo makes an archive repository whose ref main is a commit of one
// directory, sub, and one file, file, whose object is absent.
func newRepo(t *testing.T, mode string) string {
	t.Helper()
	repo := t.TempDir()
	write := func(path string, data []byte) {
		t.Helper()
		path = filepath.Join(repo, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	put := func(kind object.Kind, data []byte) gvariant.Value {
		sum := object.Checksum(sha256.Sum256(data))
		name := object.Name{Checksum: sum, Kind: kind}.String()
		write("objects/"+name[:2]+"/"+name[2:], data)
		return gvariant.NewBytes(sum[:])
	}
	str := gvariant.NewString
	write("config", []byte("[core]\nrepo_version=1\nlock-timeout-secs=0\nmode="+mode+"\n"))
	meta := put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o1777}.Encode())
	sub := put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)"), gvariant.NewArray("(sayay)")).Bytes())
	file := gvariant.NewTuple(str("file"), gvariant.NewBytes([]byte(strings.Repeat("f", 32))))
	root := put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)", file),
		gvariant.NewArray("(sayay)", gvariant.NewTuple(str("sub"), sub, meta))).Bytes())
	commit := put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(nil), gvariant.NewArray("(say)"),
		str("subject"), str(""), gvariant.NewUint64(0x10000000), root, meta).Bytes())
	write("refs/heads/main", []byte(object.Checksum(commit.Bytes()).String()+"\n"))
	return repo
}

func silent(string, error) {}

// TestPrepare shows the root directory as the configuration says, and keeps
// deleters out until it is unlocked.
func TestPrepare(t *testing.T) {
	private(t)
	for _, c := range []struct {
		mode        string
		cfg         Config
		wantMode    uint32
		wantMtime   uint64
		wantLinks   uint32
		wantDeleter bool // may delete
	}{
		{"archive", Config{}, object.ModeDir | 0o1777, 0, 3, false},
		{"bare", Config{Subpath: "/sub/", CommitMtime: true}, object.ModeDir | 0o1777, 0x10 << 32, 2, false},
		{"bare-user-only", Config{Verify: gofs.VerifyNone, NoLock: true}, object.ModeDir | 0o775, 0, 3, true},
	} {
		c.cfg.Repo, c.cfg.Rev, c.cfg.CacheSize = newRepo(t, c.mode), "main", 77
		v, err := prepare(t.Context(), &c.cfg, silent)
		if err != nil {
			t.Fatal(c.mode, err)
		}
		in, out := &gofuse.GetAttrIn{InHeader: gofuse.InHeader{NodeId: gofuse.FUSE_ROOT_ID}}, gofuse.AttrOut{}
		if status := v.fs.GetAttr(nil, in, &out); !status.Ok() || out.Mode != c.wantMode || out.Mtime != c.wantMtime || out.Nlink != c.wantLinks {
			t.Errorf("%s: %+v, %v", c.mode, out, status)
		}
		if n := v.fs.Stats().CacheLimit; n != 77 {
			t.Errorf("%s: a cache of %d bytes", c.mode, n)
		}
		if ok := deleterMay(t, c.cfg.Repo); ok != c.wantDeleter {
			t.Errorf("%s: a deleter gets the lock: %v", c.mode, ok)
		}
		v.unlock()
		if !deleterMay(t, c.cfg.Repo) {
			t.Errorf("%s: still locked", c.mode)
		}
		v.Close()
	}
}

// deleterMay reports whether somebody could take the repository's lock alone.
func deleterMay(t *testing.T, repo string) bool {
	t.Helper()
	f, err := os.OpenFile(repo+"/.lock", os.O_RDWR|os.O_CREATE, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}) == nil
}

// TestPrepareFails leaves nothing open, and nothing locked.
func TestPrepareFails(t *testing.T) {
	private(t)
	repo := newRepo(t, "archive")
	before := descriptors(t)
	for _, c := range []struct {
		cfg  Config
		want func(error) bool
	}{
		{Config{Repo: repo + "/absent", Rev: "main"}, func(err error) bool { return errors.Is(err, objstore.ErrOpen) }},
		{Config{Repo: repo, Rev: "nope"}, func(err error) bool { return errors.As(err, new(*objstore.RevError)) }},
		{Config{Repo: repo, Rev: strings.Repeat("0", 64)}, func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
		{Config{Repo: repo, Rev: "main", Subpath: "nope"}, func(err error) bool { return errors.As(err, new(*tree.Error)) }},
		{Config{Repo: repo, Rev: "main", Subpath: "file"}, func(err error) bool { return err != nil }},
		{Config{Repo: repo, Rev: "main", Subpath: "file/x"}, func(err error) bool { return err != nil }},
	} {
		v, err := prepare(t.Context(), &c.cfg, silent)
		if v != nil || !c.want(err) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	if !deleterMay(t, repo) {
		t.Error("still locked")
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
