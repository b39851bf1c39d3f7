package pull

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"deployfs/objstore/object"
)

// TestFollow: what of an entry is wanted where only some paths are.
func TestFollow(t *testing.T) {
	for _, c := range []struct {
		path, way, name string
		dir             bool
		next            string
		wanted          bool
	}{
		{"/usr/bin", "/", "usr", true, "/usr/", true},
		{"/usr/bin", "/", "usr", false, "", false},
		{"/usr/bin", "/", "us", true, "", false},
		{"/usr/bin", "/usr/", "bin", true, "", true},
		{"/usr/bin", "/usr/", "bin", false, "", true},
		{"/usr/bin", "/usr/", "bind", true, "", false},
		{"usr//bin/", "/usr/", "bin", true, "", true},
		{"/usr/../etc", "/", "etc", true, "", true},
		{"/", "/", "usr", true, "", true},
		{"/x", "", "y", true, "", true},
	} {
		next, wanted := follow(cleaned([]string{c.path}), c.way, c.name, c.dir)
		if wanted != c.wanted || wanted && next != c.next {
			t.Errorf("%+v: %q %v", c, next, wanted)
		}
	}
}

// listingOf is a directory of so many files, each other than those of other seeds.
func listingOf(t *testing.T, seed byte, files, dirs int) (object.DirTree, int) {
	t.Helper()
	var f []object.File
	for i := range files {
		f = append(f, object.File{Name: fmt.Sprintf("f%06d", i), Content: object.Checksum{seed, byte(i), byte(i >> 8)}})
	}
	var d []object.Dir
	for i := range dirs {
		d = append(d, object.Dir{Name: fmt.Sprintf("d%06d", i), Tree: object.Checksum{seed, 1, byte(i), byte(i >> 8)}, Meta: object.Checksum{9}})
	}
	data := object.EncodeDirTree(f, d)
	tree, err := object.DecodeDirTree(data)
	if err != nil {
		t.Fatal(err)
	}
	return tree, len(data)
}

// TestQueue: directories come first, level by level, files once, and no more directories than fit.
func TestQueue(t *testing.T) {
	p := new(Progress)
	q := newQueue(p, nil, nil)
	tree, size := listingOf(t, 1, 2, 3)
	q.expand(object.Name{}, tree, size, "")
	q.expand(object.Name{}, tree, size, "") // the same again: its files are in flight
	var got string
	for {
		next, ok := q.next()
		if !ok {
			t.Fatal("the queue has ended")
		}
		got += next.name.Kind.String()[:4] + " "
		if next.name.Kind == object.KindFile && q.files == 2 {
			break
		}
	}
	if want := "dirt dirm dirt dirt file file "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	ended := make(chan bool)
	go func() { _, ok := q.next(); ended <- ok }()
	select {
	case ok := <-ended:
		t.Errorf("a file that is in flight came again: %v", ok)
	case <-time.After(10 * time.Millisecond):
	}
	failure := errors.New("failed")
	if !q.done(part{}, failure) {
		t.Error("a failure does not end it")
	}
	if <-ended || q.failed != failure {
		t.Errorf("after the failure: %v", q.failed)
	}
}

// TestQueueBound: while many listings are held, files come before directories.
func TestQueueBound(t *testing.T) {
	q := newQueue(new(Progress), nil, nil)
	tree, size := listingOf(t, 1, 1000, 1)
	for q.bytes < maxListings {
		q.expand(object.Name{}, tree, size, "")
	}
	if next, ok := q.next(); !ok || next.name.Kind != object.KindFile {
		t.Errorf("%v, %v", next, ok)
	}
}

// TestDescribe: a pull in ostree's words.
func TestDescribe(t *testing.T) {
	for want, r := range map[string]Result{
		"1 metadata, 2 content objects imported; 0 bytes content written":                                                 {Metadata: 1, Content: 2},
		"1 metadata, 0 content objects imported; 7 B transferred in 3 seconds; 0 bytes content written":                   {Metadata: 1, Detached: 7},
		"4 metadata, 2 content objects fetched; 2 KiB transferred in 3 seconds; 1.5\u00a0kB content written":              {Far: true, Metadata: 4, Content: 2, Transferred: 2050, Written: 1500},
		"2 delta parts, 6 loose fetched (1 meta, 0 content local); 9 B transferred in 3 seconds; 0 bytes content written": {Far: true, Metadata: 4, Content: 2, DeltaParts: 2, ImportedMetadata: 1, Transferred: 9},
	} {
		if got := r.Describe(3500 * time.Millisecond); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
