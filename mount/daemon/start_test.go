package daemon

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/mount"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// TestRemedies: an error that a user can do something about says what.
func TestRemedies(t *testing.T) {
	name := object.Name{Kind: object.KindCommit}
	for _, c := range []struct {
		err  error
		want string // a part of the hint, "" when there is none
	}{
		{&objstore.RevError{Rev: "x"}, "deployfs refs"},
		{&objstore.RevError{Rev: "x", Ambiguous: true}, "more digits"},
		{&object.NotExistError{Object: name}, "ostree pull"},
		{object.Corrupt(name, errors.New("junk")), "ostree fsck"},
		{&tree.Error{Path: "/x", Err: unix.ENOENT}, "deployfs ls"},
		{objstore.ErrOpen, "--repo=PATH"},
		{errors.Join(objstore.ErrOpen, fs.ErrPermission), "as root"},
		{&mount.Error{Remedy: "the mount's own", Err: unix.EPERM}, "the mount's own"},
		{&Failure{Text: "text", Remedy: "its own"}, "its own"},
		{errors.New("another"), ""},
		{nil, ""},
	} {
		err := WithRemedy(c.err)
		if (err == nil) != (c.err == nil) || err != nil && err.Error() != c.err.Error() {
			t.Errorf("%v became %v", c.err, err)
		}
		hint, known := "", hinter(nil)
		if errors.As(err, &known) {
			hint = known.Hint()
		}
		if (hint == "") != (c.want == "") || !strings.Contains(hint, c.want) {
			t.Errorf("%v: remedy %q, want %q", c.err, hint, c.want)
		}
	}
}

func TestAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Repo: "repo", Mountpoint: "/mnt/../x", Rev: "main", Subpath: "sub"}
	if err := cfg.absolute(); err != nil {
		t.Fatal(err)
	}
	if cfg.Repo != dir+"/repo" || cfg.Mountpoint != "/x" || cfg.Overlay != "" || cfg.Rev != "main" || cfg.Subpath != "sub" {
		t.Errorf("%+v", cfg)
	}
}
