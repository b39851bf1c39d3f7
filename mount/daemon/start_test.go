package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// TestStart waits for the server's word.
func TestStart(t *testing.T) {
	for how, want := range map[string]struct{ err, hint string }{
		"ready":   {"", ""},
		"failure": {"mount: what went wrong", "what helps"},
		"error":   {"what went wrong", ""},
		"death":   {"the server ended before the tree could be used: exit status 3", ""},
	} {
		err := Start(t.Context(), []string{fakeServer, how})
		var known hinter
		switch {
		case want.err == "":
			if err != nil {
				t.Errorf("%s: %v", how, err)
			}
		case err == nil || err.Error() != want.err:
			t.Errorf("%s: %v, want %s", how, err, want.err)
		case errors.As(err, &known) && known.Hint() != want.hint || known == nil && want.hint != "":
			t.Errorf("%s: a remedy of %v, want %s", how, known, want.hint)
		}
	}
	if Background() {
		t.Error("the tests run in the background")
	}
}

// TestStartCancel ends the server that does not come to be.
func TestStartCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := Start(ctx, []string{fakeServer, "hang"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %s", d)
	}
}

func TestBadReady(t *testing.T) {
	t.Setenv(readyEnv, "three")
	if s, err := newStarter(); err == nil {
		t.Errorf("starter %v", s)
	}
	if !Background() {
		t.Error("not in the background")
	}
}

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
