package identity

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// statOf is a file's stat.
func statOf(inode uint64) *unix.Stat_t {
	at := unix.Timespec{Sec: 1700000000, Nsec: 5}
	return &unix.Stat_t{Dev: 1, Ino: inode, Size: 10, Mtim: at, Ctim: at}
}

func sum(n byte) object.Checksum { return object.Checksum{n, 1} }

func TestKey(t *testing.T) {
	base := KeyOf(statOf(1), 0)
	if KeyOf(statOf(1), 0) != base {
		t.Error("one file has two keys")
	}
	for what, change := range map[string]func(*unix.Stat_t){
		"device": func(st *unix.Stat_t) { st.Dev++ }, "inode": func(st *unix.Stat_t) { st.Ino++ },
		"size": func(st *unix.Stat_t) { st.Size++ }, "mtime": func(st *unix.Stat_t) { st.Mtim.Nsec++ },
		"ctime": func(st *unix.Stat_t) { st.Ctim.Nsec++ }, "ctime's second": func(st *unix.Stat_t) { st.Ctim.Sec++ },
	} {
		st := statOf(1)
		if change(st); KeyOf(st, 0) == base {
			t.Errorf("another %s makes no other key", what)
		}
	}
	if KeyOf(statOf(1), 1) == base {
		t.Error("another variant makes no other key")
	}
}

func TestTrusted(t *testing.T) {
	now := time.Unix(1000, 500)
	for _, test := range []struct {
		ctime unix.Timespec
		want  bool
	}{
		{unix.Timespec{Sec: 900, Nsec: 1}, true},
		{unix.Timespec{Sec: 997, Nsec: 1}, true},
		{unix.Timespec{Sec: 997, Nsec: 501}, false},
		{unix.Timespec{Sec: 999, Nsec: 1}, false},
		{unix.Timespec{Sec: 2000, Nsec: 1}, false}, // the clock was set back
		{unix.Timespec{Sec: 900}, false},           // made up
		{unix.Timespec{}, false},
	} {
		if got := Trusted(&unix.Stat_t{Ctim: test.ctime}, now); got != test.want {
			t.Errorf("%+v: %v", test.ctime, got)
		}
	}
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "identities")
	c := Open(dir, "/tree")
	if _, ok := c.Lookup(KeyOf(statOf(1), 0)); ok {
		t.Error("an empty cache knows something")
	}
	for i := range byte(50) {
		c.Add(KeyOf(statOf(uint64(i)), 0), sum(i))
	}
	if got, ok := c.Lookup(KeyOf(statOf(7), 0)); !ok || got != sum(7) {
		t.Error("what was just added is not known")
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	c = Open(dir, "/tree")
	c.Add(KeyOf(statOf(100), 0), sum(100))
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	c = Open(dir, "/tree")
	for _, i := range []byte{0, 7, 49, 100} {
		if got, ok := c.Lookup(KeyOf(statOf(uint64(i)), 0)); !ok || got != sum(i) {
			t.Errorf("%d: %v, %v", i, got, ok)
		}
	}
	if _, ok := c.Lookup(KeyOf(statOf(50), 0)); ok {
		t.Error("what was never added is known")
	}
	if _, ok := Open(dir, "/other").Lookup(KeyOf(statOf(7), 0)); ok {
		t.Error("another tree's file was read")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(dir + "/.new*"); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

// TestBounds: what was asked for stays when there is too much, and the oldest files go.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	c := Open(dir, "full")
	for i := range uint64(20) {
		c.Add(KeyOf(statOf(i), 0), sum(1))
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	c = Open(dir, "full")
	c.limit = 10
	c.Lookup(KeyOf(statOf(19), 0))
	for i := range uint64(20) {
		c.Add(KeyOf(statOf(100+i), 0), sum(1))
	}
	if len(c.added) != 10 {
		t.Errorf("%d were added, of at most 10", len(c.added))
	}
	c.limit = 11
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	c = Open(dir, "full")
	_, wanted := c.Lookup(KeyOf(statOf(19), 0))
	if n := len(c.records) / recordSize; n != 11 || !wanted {
		t.Errorf("%d records; that which was asked for is there: %v", n, wanted)
	}
	os.Remove(c.path)
	for i := range maxFiles + 5 {
		c := Open(dir, string(rune('a'+i)))
		c.Add(KeyOf(statOf(1), 0), sum(1))
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-100) * time.Second)
		os.Chtimes(c.path, old, old)
	}
	if names, _ := filepath.Glob(dir + "/*"); len(names) != maxFiles {
		t.Errorf("%d files are left", len(names))
	}
	if c := Open(dir, "a"); c.records != nil {
		t.Error("the oldest file has stayed")
	}
	if c := Open(dir, "u"); c.records == nil {
		t.Error("the newest file is gone")
	}
}

// TestRefuses: a file that another could have written, or that is damaged, is nothing.
func TestRefuses(t *testing.T) {
	good := encode([][]byte{bytes.Repeat([]byte{1}, recordSize), bytes.Repeat([]byte{2}, recordSize)})
	path := filepath.Join(t.TempDir(), "file")
	write := func(data []byte, mode os.FileMode) {
		os.Remove(path)
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, mode)
	}
	if write(good, 0o600); len(load(path)) != 2*recordSize {
		t.Fatal("a good file was not read")
	}
	if write(good, 0o620); load(path) != nil {
		t.Error("a file that a group can write was read")
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if write(bad, 0o600); load(path) != nil {
			t.Errorf("byte %d is damaged, and the file was read", i)
		}
	}
	for _, n := range []int{0, 1, len(magic), len(good) - 1} {
		if write(good[:n], 0o600); len(load(path)) > 0 {
			t.Errorf("%d bytes were read as a file", n)
		}
	}
	write(good, 0o600)
	link := path + ".link"
	if os.Symlink(path, link); load(link) != nil {
		t.Error("a symbolic link was followed")
	}
	if load(filepath.Dir(path)) != nil {
		t.Error("a directory was read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode([][]byte{bytes.Repeat([]byte{1}, recordSize)}))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		records := decode(data)
		if records == nil {
			return
		}
		if len(records)%recordSize != 0 || !bytes.Equal(encode([][]byte{records}), data) {
			t.Errorf("%d bytes of records", len(records))
		}
		(&Cache{records: records, used: map[int]bool{}}).Lookup(Key{1})
	})
}
