package session

import (
	"testing"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// serveTree serves f, and returns what Serve will return.
func serveTree(t *testing.T, f *tree) (*device, *Session, <-chan error) {
	t.Helper()
	d, file := newDevice(t)
	f.RawFileSystem = gofuse.NewDefaultRawFileSystem()
	s := newSession(t, f, file)
	d.send(initRequest(0))
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	d.receive()
	return d, s, d.serve(s)
}

func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never:", what)
		}
	}
}

// TestOneReader is enough for who asks one thing at a time.
func TestOneReader(t *testing.T) {
	d, s, served := serveTree(t, &tree{})
	for i := range uint64(100) {
		d.send(getAttr(i + 1))
		d.receive()
	}
	eventually(t, "the reader is back", func() bool { return s.active.Load() == 0 })
	if s.grown.Load() || s.waiting.Load() != 1 {
		t.Errorf("%d readers wait", s.waiting.Load())
	}
	unix.Shutdown(d.fd, unix.SHUT_RDWR)
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("goes on after the end of the connection")
	}
}

// TestRelief: a request does not wait for another that takes long, whenever it
// comes; the reader that sees to it does not stay.
func TestRelief(t *testing.T) {
	f := &tree{hold: make(chan struct{})}
	d, s, _ := serveTree(t, f)
	eventually(t, "the watch has ended for want of requests", func() bool { return !s.watched.Load() })
	for i := range int32(5) {
		d.send(getAttr(uint64(i) + 1))
		eventually(t, "a request is read while others are held", func() bool { return f.asked.Load() == i+1 })
	}
	close(f.hold)
	for range 5 {
		d.receive()
	}
	eventually(t, "one reader is left", func() bool {
		d.send(getAttr(9))
		d.receive()
		return s.spare.Load() == 1 && s.waiting.Load()+s.active.Load() == 1
	})
	eventually(t, "the watch ends", func() bool { return !s.watched.Load() })
}
