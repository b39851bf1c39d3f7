package fsck

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// store is a repository in the making.
type store struct {
	t    testing.TB
	repo *objstore.Repo
	meta object.Checksum // of every directory
}

func newStore(t testing.TB) *store {
	t.Helper()
	repo, err := objstore.Create(t.TempDir()+"/repo", objstore.Setup{Mode: objstore.BareUserOnly})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	s := &store{t: t, repo: repo}
	s.meta = s.put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode(), nil)
	return s
}

// put writes an object; what is hashed before the data is not stored.
func (s *store) put(kind object.Kind, data, hashed []byte) object.Checksum {
	s.t.Helper()
	sum := object.Checksum(sha256.Sum256(append(hashed, data...)))
	path := s.path(object.Name{Checksum: sum, Kind: kind})
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return sum
}

func (s *store) path(name object.Name) string {
	objects, path := s.repo.ObjectFile(name)
	return filepath.Join(s.repo.Path(), objects.Name(), path)
}

func (s *store) file(text string) object.Checksum {
	h := object.Header{Mode: object.ModeRegular | 0o644}
	return s.put(object.KindFile, []byte(text), h.Hashed())
}

// dir is a dirtree with one file and these subdirectories.
func (s *store) dir(file object.Checksum, subs ...object.Checksum) object.Checksum {
	var dirs []object.Dir
	for i, sub := range subs {
		dirs = append(dirs, object.Dir{Name: fmt.Sprint(i), Tree: sub, Meta: s.meta})
	}
	return s.put(object.KindDirTree, object.EncodeDirTree([]object.File{{Name: "f", Content: file}}, dirs), nil)
}

func (s *store) commit(root object.Checksum, subject string) object.Checksum {
	c := object.Commit{Metadata: gvariant.NewArray("{sv}"), Subject: subject, Root: root, RootMeta: s.meta}
	return s.put(object.KindCommit, c.Encode(), nil)
}

// check returns what is told, with names instead of checksums.
func (s *store) check(names map[object.Checksum]string, o Options) (told []string, err error) {
	o.Events.Problem = func(p Problem) {
		var commits []string
		for _, sum := range p.Commits {
			commits = append(commits, names[sum])
		}
		slices.Sort(commits)
		told = append(told, fmt.Sprint(names[p.Object.Checksum], " ", p.Missing, " ", strings.Join(commits, "+")))
	}
	o.Events.Partial = func(sum object.Checksum) { told = append(told, "marked "+names[sum]) }
	var count Count
	result, err := Run(s.t.Context(), s.repo, o, &count)
	if err == nil && count.Objects.Load() != count.Total.Load() {
		s.t.Errorf("%d of %d objects were checked", count.Objects.Load(), count.Total.Load())
	}
	if result.Problems == 0 && errors.Is(err, ErrCorrupt) {
		s.t.Error(err, result)
	}
	slices.Sort(told)
	return told, err
}

// TestOwners: an object's commits are found by all ways, also where 2^40 lead there.
func TestOwners(t *testing.T) {
	s := newStore(t)
	names := map[object.Checksum]string{}
	name := func(sum object.Checksum, name string) object.Checksum { names[sum] = name; return sum }
	deep, other, own := name(s.file("deep"), "deep"), name(s.file("other"), "other"), name(s.file("own"), "own")
	tree := s.dir(deep)
	for range 40 {
		tree = s.dir(other, tree, tree)
	}
	name(s.commit(tree, "a"), "a")
	name(s.commit(s.dir(other, s.dir(own), tree), "b"), "b")
	name(s.commit(s.dir(own), "c"), "c")
	if told, err := s.check(names, Options{}); told != nil || err != nil {
		t.Fatal(told, err)
	}
	for _, sum := range []object.Checksum{deep, other} {
		os.Remove(s.path(object.Name{Checksum: sum, Kind: object.KindFile}))
	}
	os.WriteFile(s.path(object.Name{Checksum: own, Kind: object.KindFile}), []byte("x"), 0o644)
	want := []string{"deep true a+b", "marked a", "marked b", "other true a+b", "own false b+c"}
	if told, err := s.check(names, Options{All: true}); !slices.Equal(told, want) || err != ErrCorrupt {
		t.Errorf("%q, %v", told, err)
	}
	want = []string{"marked c", "own false c"}
	if told, err := s.check(names, Options{Delete: true}); !slices.Equal(told, want) || err != ErrCorrupt {
		t.Errorf("%q, %v", told, err)
	}
	var partial *PartialError
	if told, err := s.check(names, Options{}); told != nil || !errors.As(err, &partial) || partial.Commits != 3 {
		t.Errorf("%q, %v", told, err)
	}
}

// TestLate: what comes while a check waits for others was not absent, and what a
// directory that comes holds is checked.
func TestLate(t *testing.T) {
	for _, kind := range []object.Kind{object.KindFile, object.KindDirTree} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newStore(t)
			below := s.file("below")
			deep := s.dir(below)
			s.commit(s.dir(s.file("late"), deep), "a")
			late := map[object.Kind]object.Checksum{object.KindFile: s.file("late"), object.KindDirTree: deep}[kind]
			path := s.path(object.Name{Checksum: late, Kind: kind})
			if err := os.Rename(path, path+".not"); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(s.path(object.Name{Checksum: below, Kind: object.KindFile}), []byte("damaged"), 0o644)
			writer, err := s.repo.LockShared(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var count Count
			var problems []string
			o := Options{All: true, Events: Events{Objects: func(int) {
				go func() {
					for count.Total.Load() == 0 {
					}
					os.Rename(path+".not", path)
					writer.Close()
				}()
			}, Problem: func(p Problem) { problems = append(problems, p.Object.Checksum.String()) }}}
			if _, err := Run(t.Context(), s.repo, o, &count); err != ErrCorrupt || !slices.Equal(problems, []string{below.String()}) {
				t.Errorf("%v, %q, want %s alone", err, problems, below)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	s := newStore(t)
	s.commit(s.dir(s.file("f")), "a")
	ctx, cancel := context.WithCancel(t.Context())
	var count Count
	_, err := Run(ctx, s.repo, Options{Events: Events{Objects: func(int) { cancel() }}}, &count)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
