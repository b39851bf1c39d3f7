package objstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

func TestOpen(t *testing.T) {
	for _, mode := range allModes {
		b := build(t, mode)
		r := b.open()
		if want := strings.Replace(mode, "archive-z2", "archive", 1); r.Path() != b.path ||
			strings.TrimSuffix(r.Mode().String(), "-z2") != want || r.Parent() != nil {
			t.Errorf("%s: opened %s of mode %s", mode, r.Path(), r.Mode())
		}
		if version, _ := r.Config().Get("core", "repo_version"); version != "1" {
			t.Errorf("%s: version %q", mode, version)
		}
		if st, err := r.Statfs(); err != nil || st.Blocks == 0 {
			t.Errorf("%s: statfs %+v, %v", mode, st, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: close: %v", mode, err)
		}
	}
}

func TestDefaultMode(t *testing.T) {
	b := build(t, "bare")
	b.write("config", []byte("[core]\nrepo_version=1\n"))
	if mode := b.open().Mode(); mode != Bare {
		t.Errorf("without a mode: %s", mode)
	}
}

// TestOpenRefuses wants ostree's words, and no descriptor left behind.
func TestOpenRefuses(t *testing.T) {
	before := descriptors(t)
	for _, c := range []struct {
		what  string
		spoil func(b *builder) error
		want  string
	}{
		{"no objects", func(b *builder) error { return os.Remove(b.file("objects")) },
			"opendir(objects): No such file or directory"},
		{"no config", func(b *builder) error { return os.Remove(b.file("config")) },
			"openat(config): No such file or directory"},
		{"a directory as config", func(b *builder) error {
			return errors.Join(os.Remove(b.file("config")), os.Mkdir(b.file("config"), 0o755))
		}, "openat(config): not a regular file"},
		{"no key file", config("junk"), "Couldn't parse config file: Key file contains line “junk”"},
		{"no core", config("[other]\na=b"), "Key file does not have group “core”"},
		{"no version", config("[core]\nmode=bare"), "Key file does not have key “repo_version” in group “core”"},
		{"version 2", config("[core]\nrepo_version=2"), "Invalid repository version '2'"},
		{"an unknown mode", config("[core]\nrepo_version=1\nmode=non\tsense"),
			"Invalid mode 'non?sense' in repository configuration"},
		{"no boolean", config("[core]\nrepo_version=1\ndisable-xattrs=maybe"), "Key file contains key “disable-xattrs” which has a value that cannot be interpreted."},
		{"no parent", config("[core]\nrepo_version=1\nparent=/nonexistent"),
			"While checking parent repository '/nonexistent': opening repo: opendir(/nonexistent): No such file or directory"},
		{"a parent that no line can hold", config("[core]\nrepo_version=1\nparent=/a\x1b[31m\x00"), "opendir(/a?[31m?): "},
		{"a parent beyond all paths", config("[core]\nrepo_version=1\nparent=/" + strings.Repeat("p/", 3000)), "parent repository: a path of 6001 bytes"},
		{"itself as parent", config("[core]\nrepo_version=1\nparent=."), "more than 16 in a chain"},
		{"a large config", config("[core]\n" + strings.Repeat("#", maxConfig)), "openat(config): 1048583 bytes, at most 1048576 are allowed"},
	} {
		b := build(t, "bare")
		b.check(c.spoil(b))
		_, err := Open(b.path)
		if !errors.Is(err, ErrOpen) || !strings.HasPrefix(err.Error(), "opening repo: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
	for _, path := range []string{"", filepath.Join(t.TempDir(), "absent"), "repo_test.go"} {
		if _, err := Open(path); !errors.Is(err, ErrOpen) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func config(text string) func(*builder) error {
	return func(b *builder) error { return os.WriteFile(b.file("config"), []byte(text), 0o644) }
}

// descriptors counts this process's open files.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// chain makes repositories that are each the parent of the one before.
func chain(t *testing.T, modes ...string) []*builder {
	t.Helper()
	list := make([]*builder, len(modes))
	parent := ""
	for i := len(modes) - 1; i >= 0; i-- {
		list[i] = build(t, modes[i], "parent="+parent)
		parent = list[i].path
	}
	return list
}

// TestParents looks for objects, refs, detached metadata and partial marks in parent repositories.
func TestParents(t *testing.T) {
	list := chain(t, "bare-user", "archive", "bare-user-only")
	content := []byte("in the last of three")
	last := list[2]
	sum := last.content(last.regular(content), content)
	commit := last.commit("subject", object.Checksum{})
	last.ref("heads/main", commit)
	last.write("state/"+commit.String()+".commitpartial", nil)
	last.write(last.object(commit, object.KindCommitMeta), nil)
	r := list[0].open()
	if r.Parent() == nil || r.Parent().Parent() == nil || r.Parent().Mode() != Archive {
		t.Fatal("no chain of parents")
	}
	checkContent(t, r, "file", sum, last.regular(content), content)
	if got, err := r.Resolve("main"); err != nil || got != commit {
		t.Errorf("main is %s, %v", got, err)
	}
	if got, err := r.Resolve(commit.String()[:7]); err != nil || got != commit {
		t.Errorf("a prefix is %s, %v", got, err)
	}
	if refs, err := r.Refs(); err != nil || len(refs) != 0 {
		t.Errorf("lists %v, %v: not the repository's own", refs, err)
	}
	if c, err := r.Commit(commit); err != nil || c.Subject != "subject" {
		t.Errorf("commit %+v, %v", c, err)
	}
	if _, found, err := r.CommitMeta(commit); !found || err != nil {
		t.Errorf("detached metadata: %v, %v", found, err)
	}
	if found, err := r.HasObject(object.Name{Checksum: sum, Kind: object.KindFile}); !found || err != nil {
		t.Errorf("has the file: %v, %v", found, err)
	}
	if !r.IsPartial(commit) {
		t.Error("not partial")
	}
}

// TestParentIsLast: what the repository has itself counts, also when it is damaged.
func TestParentIsLast(t *testing.T) {
	list := chain(t, "archive", "archive")
	content := []byte("content")
	sum := list[1].content(list[1].regular(content), content)
	list[0].write(list[0].object(sum, object.KindFile), []byte("damaged"))
	_, err := use(list[0].open(), sum)
	wantCorrupt(t, "a damaged object above a good one", object.Name{Checksum: sum, Kind: object.KindFile}, err)
	child, parent := list[0].commit("child", object.Checksum{}), list[1].commit("parent", object.Checksum{})
	list[0].ref("heads/main", child)
	list[1].ref("heads/main", parent)
	if got, err := list[0].open().Resolve("main"); err != nil || got != child {
		t.Errorf("main is %s, %v", got, err)
	}
}

func TestLongChain(t *testing.T) {
	for n, ok := range map[int]bool{maxParents + 1: true, maxParents + 2: false} {
		modes := make([]string, n)
		for i := range modes {
			modes[i] = "bare"
		}
		r, err := Open(chain(t, modes...)[0].path)
		if (err == nil) != ok {
			t.Errorf("%d repositories: %v", n, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

// TestRelativeParent is relative to the repository, wherever the process is.
func TestRelativeParent(t *testing.T) {
	b := build(t, "bare", "parent=../"+"parent")
	b.check(os.Symlink(build(t, "archive").path, filepath.Join(filepath.Dir(b.path), "parent")))
	if mode := b.open().Parent().Mode(); mode != Archive {
		t.Errorf("parent of mode %s", mode)
	}
}

// TestConcurrentReaders uses one repository from many goroutines.
func TestConcurrentReaders(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		content := noise(10000)
		sum := b.content(b.regular(content), content)
		commit := b.commit("subject", object.Checksum{})
		b.ref("heads/main", commit)
		r := b.open()
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := use(r, sum)
				_, err2 := r.Resolve("main")
				_, err3 := r.Commit(commit)
				_, err4 := r.Stat(sum)
				if _, err := r.Commit(object.Checksum{1}); err == nil {
					err4 = errors.Join(err4, fmt.Errorf("an absent commit is read"))
				}
				done <- errors.Join(err, err2, err3, err4)
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
