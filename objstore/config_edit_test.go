package objstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestEditConfig holds that a config keeps who may read it, and that one with which the repository
// could not be opened is not written.
func TestEditConfig(t *testing.T) {
	r, err := Create(filepath.Join(t.TempDir(), "repo"), Setup{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := r.Path() + "/config"
	os.Chmod(path, 0o600)
	set := func(group, key, value string) error {
		return r.EditConfig(func(data []byte) ([]byte, error) { return SetKey(data, group, key, value) })
	}
	if err := set("core", "x", "1"); err != nil {
		t.Error(err)
	}
	for key, value := range map[string]string{"mode": "foo", "parent": "/nonexistent", "repo_version": "2", "disable-xattrs": "maybe"} {
		if err := set("core", key, value); err == nil {
			t.Errorf("%s=%s was taken", key, value)
		}
	}
	data, err := os.ReadFile(path)
	if info, _ := os.Stat(path); err != nil || string(data) != "[core]\nrepo_version=1\nmode=bare\nx=1\n" || info.Mode() != 0o600 {
		t.Errorf("%q, %s, %v", data, info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	if err := set("core", "x", "1"); err != nil {
		t.Error(err)
	}
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("what is the same was written")
	}
	if left, _ := filepath.Glob(r.Path() + "/tmp/*"); strings.Contains(strings.Join(left, ","), "deployfs") {
		t.Errorf("left behind: %q", left)
	}
}

// TestEditConfigTogether: what several change at the same time is all there.
func TestEditConfigTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "repo")
	r, err := Create(path, Setup{})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	const writers, edits = 4, 5
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for j := range edits {
				r, err := Open(path)
				if err == nil {
					err = errors.Join(r.WantTombstones(), r.EditConfig(func(data []byte) ([]byte, error) {
						return SetKey(data, "test", fmt.Sprintf("key%d-%d", i, j), "value")
					}), r.Close())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if r, err = Open(path); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if keys := r.Config().Keys("test"); len(keys) != writers*edits {
		t.Errorf("%d keys of %d: %q", len(keys), writers*edits, keys)
	}
	if wanted, err := r.Tombstones(); !wanted || err != nil {
		t.Error("no tombstones are wanted:", err)
	}
}
