package tree

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// memory is a loader of dirtrees by made-up checksums.
type memory map[object.Checksum]object.DirTree

var errAbsent = errors.New("absent")

func (m memory) DirTree(sum object.Checksum) (object.DirTree, error) {
	t, ok := m[sum]
	if !ok {
		return t, errAbsent
	}
	return t, nil
}

// sum is the checksum number n.
func sum(n int) object.Checksum { return object.Checksum{byte(n), byte(n >> 8), 1} }

// dir is the directory entry of dirtree n, which is the tree's root.
func dir(n int) Entry { return Entry{Path: "/", Tree: sum(n), Meta: sum(0)} }

// add makes dirtree n of files and directories, name to number.
func (m memory) add(n int, files, dirs map[string]int) {
	var f, d []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f = append(f, gvariant.NewTuple(gvariant.NewString(name), bytesOf(sum(files[name]))))
	}
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		d = append(d, gvariant.NewTuple(gvariant.NewString(name), bytesOf(sum(dirs[name])), bytesOf(sum(0))))
	}
	t, err := object.DecodeDirTree(gvariant.NewTuple(gvariant.NewArray("(say)", f...), gvariant.NewArray("(sayay)", d...)).Bytes())
	if err != nil {
		panic(err)
	}
	m[sum(n)] = t
}

func bytesOf(sum object.Checksum) gvariant.Value { return gvariant.NewBytes(sum[:]) }

// sample is /etc/{hosts,ssh/config}, /empty, /usr/bin/{env,ls}, /z.
func sample() memory {
	m := memory{}
	m.add(1, map[string]int{"z": 101}, map[string]int{"etc": 2, "empty": 3, "usr": 4, "broken": 99})
	m.add(2, map[string]int{"hosts": 102}, map[string]int{"ssh": 5})
	m.add(3, nil, nil)
	m.add(4, nil, map[string]int{"bin": 6})
	m.add(5, map[string]int{"config": 103}, nil)
	m.add(6, map[string]int{"env": 104, "ls": 105}, nil)
	return m
}

func TestRoot(t *testing.T) {
	got := Root(object.Commit{Root: sum(1), RootMeta: sum(0)})
	if got != dir(1) || !got.IsDir() {
		t.Errorf("root %+v", got)
	}
}

func TestLookup(t *testing.T) {
	m := sample()
	for path, want := range map[string]Entry{
		"":                         dir(1),
		"/":                        dir(1),
		"//.///":                   dir(1),
		"..":                       dir(1),
		"/../../etc/..":            dir(1),
		"z":                        {Path: "/z", Content: sum(101)},
		"/z":                       {Path: "/z", Content: sum(101)},
		"usr/bin/ls":               {Path: "/usr/bin/ls", Content: sum(105)},
		"/usr/./bin//../bin/ls":    {Path: "/usr/bin/ls", Content: sum(105)},
		"/usr/bin":                 {Path: "/usr/bin", Tree: sum(6), Meta: sum(0)},
		"/nowhere/../etc/ssh":      {Path: "/etc/ssh", Tree: sum(5), Meta: sum(0)},
		"/broken":                  {Path: "/broken", Tree: sum(99), Meta: sum(0)},
		"/../../../../etc/./hosts": {Path: "/etc/hosts", Content: sum(102)},
	} {
		if got, err := Lookup(m, dir(1), path); err != nil || got != want {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
	}
	usr, err := Lookup(m, dir(1), "usr")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Lookup(m, usr, "/bin/ls"); err != nil || got.Path != "/usr/bin/ls" {
		t.Errorf("below usr: %+v, %v", got, err)
	}
	if got, err := Lookup(m, usr, "../etc"); err == nil {
		t.Errorf("left usr for %+v", got)
	}
}

func TestLookupFails(t *testing.T) {
	m := sample()
	for path, want := range map[string]string{
		"/nope":           "No such file or directory: /nope",
		"/usr/nope/below": "No such file or directory: /usr/nope",
		"/us":             "No such file or directory: /us",
		"/usr/bin/lsx":    "No such file or directory: /usr/bin/lsx",
		"/z/below":        "Not a directory",
		"/etc/hosts/x/y":  "Not a directory",
		"/etc/hosts/":     "Not a directory",
		"etc/hosts/.":     "Not a directory",
	} {
		got, err := Lookup(m, dir(1), path)
		var lost *Error
		if !errors.As(err, &lost) || err.Error() != want || got != (Entry{}) {
			t.Errorf("%q: %+v, %v, want %s", path, got, err, want)
		}
		if notDir := strings.HasPrefix(want, "Not"); errors.Is(err, unix.ENOTDIR) != notDir || errors.Is(err, unix.ENOENT) == notDir {
			t.Errorf("%q: %v is of the wrong kind", path, err)
		}
	}
	var lost *Error
	if _, err := Lookup(m, dir(1), "/broken/x"); err != errAbsent || errors.As(err, &lost) {
		t.Errorf("in a directory that is absent: %v", err)
	}
}

// failing is a loader whose objects can't be read.
type failing struct{ err error }

func (f failing) DirTree(object.Checksum) (object.DirTree, error) { return object.DirTree{}, f.err }

// TestLoaderErrors: what the loader meets says nothing about the path.
func TestLoaderErrors(t *testing.T) {
	for _, cause := range []error{unix.EIO, unix.ENOTDIR, unix.ENOENT, &object.NotExistError{}} {
		l := failing{fmt.Errorf("reading object: %w", cause)}
		_, lookup := Lookup(l, dir(1), "/a/b")
		_, children := Children(l, dir(1))
		walk := Walk(l, dir(1), func(Entry) error { return nil })
		for what, err := range map[string]error{"lookup": lookup, "children": children, "walk": walk} {
			if err != l.err {
				t.Errorf("%s: %v, want %v", what, err, l.err)
			}
		}
	}
}

func TestChildren(t *testing.T) {
	m := sample()
	got, err := Children(m, dir(1))
	want := []Entry{
		{Path: "/z", Content: sum(101)},
		{Path: "/broken", Tree: sum(99), Meta: sum(0)},
		{Path: "/empty", Tree: sum(3), Meta: sum(0)},
		{Path: "/etc", Tree: sum(2), Meta: sum(0)},
		{Path: "/usr", Tree: sum(4), Meta: sum(0)},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Children(m, dir(3)); err != nil || len(got) != 0 {
		t.Errorf("an empty directory: %+v, %v", got, err)
	}
	if got, err := Children(m, want[0]); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("a file: %+v, %v", got, err)
	}
}
