package fs

import (
	"fmt"
	"os"
	"slices"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// registrar holds files that were registered.
type registrar struct {
	next int32
	held []int32
	fail bool
}

func (k *registrar) Register(int) (int32, error) {
	if k.fail {
		return 0, unix.EPERM
	}
	k.next++
	k.held = append(k.held, k.next)
	return k.next, nil
}

func (k *registrar) Unregister(number int32) {
	k.held = slices.DeleteFunc(k.held, func(n int32) bool { return n == number })
}

// again makes another view over the state of v, as another server does.
func (m *memory) again(v *view, root directory) *view { return m.againWith(v, root, Options{}) }

func (m *memory) againWith(v *view, root directory, opts Options) *view {
	m.t.Helper()
	fd, err := unix.FcntlInt(v.FS.state.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	if opts.State, err = OpenState(os.NewFile(uintptr(fd), "state")); err != nil {
		m.t.Fatal(err)
	}
	return m.show(root, opts)
}

// TestResume: what the kernel was told stays true for the next server.
func TestResume(t *testing.T) {
	m := newMemory(t)
	root := sampleTree(m)
	first := m.show(root, Options{})
	var before []gofuse.EntryOut
	paths := []string{"bin", "bin/sh", "lib/c", "lib/a", "file"}
	for _, path := range paths {
		before = append(before, first.walk(path))
	}
	next := m.again(first, root)
	for i, path := range paths {
		if got := next.walk(path); got != before[i] {
			t.Errorf("%s was %+v, is %+v", path, before[i], got)
		}
		attr, status := next.getAttr(before[i].NodeId)
		if !status.Ok() || attr.Attr != before[i].Attr {
			t.Errorf("%s by its node: %+v, %v, want %+v", path, attr.Attr, status, before[i].Attr)
		}
	}
	if a, b := first.Stats(), next.Stats(); a.Nodes != b.Nodes || b.Requests < a.Requests {
		t.Errorf("%+v, then %+v", a, b)
	}
}

// TestResumePassthrough: a file that the kernel reads by itself has the same
// number with the next server, as long as it is open, however often a request
// comes.
func TestResumePassthrough(t *testing.T) {
	m := newMemory(t)
	entry := entries{}
	for i := range 3 {
		entry[fmt.Sprint("file", i)] = m.file(fmt.Sprint("content ", i))
	}
	root := m.tree(entry)
	k := &registrar{}
	v := m.show(root, Options{})
	v.UsePassthrough(k)
	node := v.walk("file0").NodeId
	open := func(v *view, request uint64) gofuse.OpenOut {
		t.Helper()
		var out gofuse.OpenOut
		in := &gofuse.OpenIn{InHeader: header(node)}
		in.Unique = request
		if status := v.FS.Open(nil, in, &out); !status.Ok() {
			t.Fatalf("open: %v", status)
		}
		return out
	}
	release := func(v *view, handle uint64) {
		in := &gofuse.ReleaseIn{InHeader: header(node), Fh: handle}
		v.FS.Release(nil, in)
	}
	one := open(v, 2)
	if one.BackingID == 0 || one.OpenFlags&gofuse.FOPEN_PASSTHROUGH == 0 {
		t.Skipf("skipped: content is not in a file: %+v", one)
	}
	v = m.again(v, root)
	v.UsePassthrough(k)
	if same := open(v, 2|resentBit); same != one {
		t.Errorf("sent again: %+v, was %+v", same, one)
	}
	two := open(v, 4)
	if two.BackingID != one.BackingID || two.Fh == one.Fh {
		t.Errorf("another open: %+v, the first: %+v", two, one)
	}
	for range 3 {
		release(v, one.Fh)
	}
	v = m.again(v, root)
	v.UsePassthrough(k)
	if !slices.Equal(k.held, []int32{one.BackingID}) {
		t.Errorf("the kernel holds %v", k.held)
	}
	release(v, two.Fh)
	k.fail = true
	if again := open(v, 6); again.BackingID != one.BackingID {
		t.Errorf("an idle file is given anew: %+v", again)
	}
	node = v.walk("file1").NodeId
	asked := open(v, 8)
	if asked.OpenFlags&gofuse.FOPEN_PASSTHROUGH != 0 || asked.BackingID != 0 {
		t.Errorf("a file that the kernel does not take: %+v", asked)
	}
	k.fail = false
	v = m.again(v, root)
	v.UsePassthrough(k)
	if more := open(v, 10); more.BackingID != 0 {
		t.Errorf("a file is read in two ways at a time: %+v", more)
	}
}

// TestRegistrationsAreBounded: of files that nobody has open the kernel holds a
// bounded number; the bound of files that are open is an error of its own.
func TestRegistrationsAreBounded(t *testing.T) {
	m := newMemory(t)
	entry := entries{}
	const files = 3 * passedShards * maxIdlePassed
	for i := range files {
		entry[fmt.Sprint("file", i)] = m.file(fmt.Sprint("content ", i))
	}
	root := m.tree(entry)
	k := &registrar{}
	v := m.show(root, Options{})
	v.UsePassthrough(k)
	open := func(i int) (in *gofuse.OpenIn, out gofuse.OpenOut, status gofuse.Status) {
		in = &gofuse.OpenIn{InHeader: header(v.walk(fmt.Sprint("file", i)).NodeId)}
		status = v.FS.Open(nil, in, &out)
		return in, out, status
	}
	most := 0
	for i := range files {
		in, out, status := open(i)
		if !status.Ok() {
			t.Fatalf("open %d: %v", i, status)
		}
		v.FS.Release(nil, &gofuse.ReleaseIn{InHeader: in.InHeader, Fh: out.Fh})
		most = max(most, len(k.held))
	}
	if most > passedShards*maxIdlePassed+1 || most < maxIdlePassed {
		t.Errorf("the kernel held %d files that nobody had open", most)
	}
	for i := range uint64(maxOpens) {
		if _, err := v.passed.opens.add(i, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, status := open(0); status != gofuse.Status(unix.ENFILE) {
		t.Errorf("with %d files open: %v", maxOpens, status)
	}
	if len(v.reports) > 0 {
		t.Errorf("reported: %q", v.reports)
	}
}

// TestForeignState is refused.
func TestForeignState(t *testing.T) {
	for what, spoil := range map[string]func(s *State){
		"magic":   func(s *State) { s.first.magic[0]++ },
		"version": func(s *State) { s.first.version++ },
		"empty":   func(s *State) { s.first.rows.Store(0) },
		"short":   func(s *State) { s.file.Truncate(100) },
	} {
		s, err := NewState()
		if err != nil {
			t.Fatal(err)
		}
		s.first.rows.Store(1)
		spoil(s)
		fd, err := unix.Dup(int(s.file.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenState(os.NewFile(uintptr(fd), "state")); err == nil {
			t.Errorf("%s: a state", what)
		}
		s.Close()
	}
}
