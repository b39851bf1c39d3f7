package backing

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// smallDisk puts a depot's cache on a filesystem of the given size. Only root can,
// in a process with mounts of its own: then it runs the test again in one, and
// reports that this is not it.
func smallDisk(t *testing.T, d *depot, size string) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	const inside = "BACKING_TEST_INSIDE"
	if os.Getenv(inside) == "" {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), inside+"=1")
		again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return false
	}
	if err := os.MkdirAll(d.cacheDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", d.cacheDir(), "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(d.cacheDir(), unix.MNT_DETACH) })
	return true
}

// TestFullDisk: what does not fit on the disk is held in memory, and what is
// larger nowhere. Both are right, and verified.
func TestFullDisk(t *testing.T) {
	for _, check := range []bool{true, false} {
		d := depotOf(t, false)
		if !smallDisk(t, d, "1m") {
			return
		}
		s := d.store(nil, roomy)
		large := pattern(maxMemfd + 1)
		for n, content := range []string{"small", pattern(2 << 20), large} {
			d.put(n, content)
			f := acquire(t, s, n, check)
			wantContent(t, f, content)
			if disk, memory := f.memory == 0, f.fd >= 0 && f.memory == int64(len(content)); n == 0 && !disk || n == 1 && !memory || n == 2 && f.Fd() != -1 {
				t.Errorf("object %d is in the wrong place: %+v", n, f)
			}
			s.Release(f)
		}
		d.wrong[large] = true
		if _, err := s.Reopen(sum(2)); err != errWrong {
			t.Errorf("wrong content: %v", err)
		}
		if s.Close(); s.memory.Load() != 0 || d.open != 0 {
			t.Errorf("%d bytes of memory, %d contents are open", s.memory.Load(), d.open)
		}
	}
}

// TestAgain: content that is read again may have another header by then, and it
// is that one that is verified.
func TestAgain(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "content")
	for name, place := range map[string]func(*File, Content) error{"memory": s.toMemory, "nowhere": s.toNowhere} {
		f := &File{sum: sum(1), checked: true, fd: -1, Header: object.Header{Mode: forgedMode}}
		if err := s.again(f, place); err != nil || f.Header.Mode != rightMode {
			t.Errorf("%s: %+v, %v", name, f.Header, err)
		}
		s.discard(f)
	}
}

// TestFullOfCache: a disk that the cache filled has room again.
func TestFullOfCache(t *testing.T) {
	d := depotOf(t, false)
	if !smallDisk(t, d, "1m") {
		return
	}
	s := NewStore(d.Open, NewInflated(d.cacheDir(), 1<<30), nil, Limits{Files: 1})
	t.Cleanup(s.Close)
	onDisk := 0
	for n := range 40 {
		content := strings.Repeat("x", 100000+n)
		d.put(n, content)
		f := acquire(t, s, n, true)
		wantContent(t, f, content)
		if f.memory == 0 {
			onDisk++
		}
		s.Release(f)
		s.inflated.evictor.Wait()
	}
	if onDisk < 20 || len(d.cached()) < 5 {
		t.Errorf("%d of 40 were put on the disk, %d are left", onDisk, len(d.cached()))
	}
}

// TestMemory bounds what is in memory: unused content makes room, and when all is
// used there is none.
func TestMemory(t *testing.T) {
	d := depotOf(t, false)
	if !smallDisk(t, d, "64k") {
		return
	}
	s := d.store(nil, Limits{Files: 100})
	content := strings.Repeat("x", 12<<20)
	for n := range 8 {
		d.put(n, content)
		s.Release(acquire(t, s, n, true))
	}
	if memory := s.memory.Load(); memory != 60<<20 {
		t.Errorf("%d bytes of memory", memory)
	}
	for n := range 8 {
		f := acquire(t, s, n, true)
		if nowhere := f.Fd() == -1; nowhere != (n >= 5) {
			t.Errorf("object %d is nowhere: %v", n, nowhere)
		}
	}
}

// TestHugeClaim: content that promises more than the disk holds is not believed,
// and nothing is written for it.
func TestHugeClaim(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "small")
	d.claim = 1 << 60
	if f, err := s.Acquire(sum(1), true); err == nil {
		t.Errorf("got %d bytes", f.Size)
	}
	d.claim = 0
	wantContent(t, acquire(t, s, 1, true), "small")
}

// TestCopyTo tells errors of the disk from those of the content.
func TestCopyTo(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	if _, err := copyTo(int(full.Fd()), strings.NewReader("content")); !errors.Is(err, errNoRoom) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("full disk: %v", err)
	}
	d := depotOf(t, false)
	d.put(1, "wrong")
	d.wrong["wrong"] = true
	content, err := d.Open(sum(1))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := copyTo(int(null.Fd()), content); err != errWrong {
		t.Errorf("wrong content: %v", err)
	}
}
