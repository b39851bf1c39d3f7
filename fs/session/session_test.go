package session

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const opGetAttr = 3

// tree answers GETATTR.
type tree struct {
	gofuse.RawFileSystem
	asked atomic.Int32
	hold  chan struct{} // GETATTR waits for it
}

func (f *tree) GetAttr(_ <-chan struct{}, in *gofuse.GetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	f.asked.Add(1)
	if f.hold != nil {
		<-f.hold
	}
	out.Ino = in.NodeId
	return gofuse.OK
}

// device is the kernel's end of a connection that is a socket pair.
type device struct {
	t  *testing.T
	fd int
}

func newDevice(t *testing.T) (*device, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]) })
	unix.SetsockoptTimeval(fds[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})
	file := os.NewFile(uintptr(fds[1]), "device")
	t.Cleanup(func() { file.Close() })
	return &device{t, fds[0]}, file
}

// request makes a message of the kernel's.
func request(op uint32, unique uint64, body any) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, gofuse.InHeader{Opcode: op, Unique: unique, NodeId: 1})
	binary.Write(&b, binary.LittleEndian, body)
	data := b.Bytes()
	binary.LittleEndian.PutUint32(data, uint32(len(data)))
	return data
}

// initRequest is a kernel's INIT, of 104 bytes.
func initRequest(flags uint64) []byte {
	body := [16]uint32{7, 45, 128 << 10, uint32(flags), uint32(flags >> 32)}
	return request(opInit, 2, body)
}

func getAttr(unique uint64) []byte { return request(opGetAttr, unique, [4]uint32{}) }

func (d *device) send(data []byte) {
	d.t.Helper()
	if _, err := unix.Write(d.fd, data); err != nil {
		d.t.Fatal(err)
	}
}

// receive returns the number and error of the next answer, and the rest of it.
func (d *device) receive() (unique uint64, code int32, body []byte) {
	d.t.Helper()
	buf := make([]byte, 1<<16)
	n, err := unix.Read(d.fd, buf)
	if err != nil || n < 16 {
		d.t.Fatalf("an answer of %d bytes, %v", n, err)
	}
	return binary.LittleEndian.Uint64(buf[8:]), int32(binary.LittleEndian.Uint32(buf[4:])), buf[16:n]
}

func (d *device) quiet() bool {
	fds := []unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 100)
	return n == 0
}

func newSession(t *testing.T, fs gofuse.RawFileSystem, file *os.File) *Session {
	return New(file, fs, &gofuse.MountOptions{MaxWrite: 64 << 10}, t.Logf)
}

// serve has s answer until the test ends, and returns what Serve returns.
func (d *device) serve(s *Session) <-chan error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(); close(served) }()
	d.t.Cleanup(func() { // before the descriptor's number is another's
		unix.Shutdown(d.fd, unix.SHUT_RDWR)
		<-served
	})
	return served
}

// TestResume: what an earlier server has agreed with the kernel holds for the
// next, which asks for what was not answered, and says nothing else.
func TestResume(t *testing.T) {
	d, file := newDevice(t)
	first := newSession(t, &tree{RawFileSystem: gofuse.NewDefaultRawFileSystem()}, file)
	d.send(initRequest(gofuse.CAP_PASSTHROUGH))
	if err := first.Begin(); err != nil {
		t.Fatal(err)
	}
	if unique, code, body := d.receive(); unique != 2 || code != 0 || len(body) < int(unsafe.Sizeof(gofuse.InitOut{})) {
		t.Errorf("INIT: number %d, error %d, %d bytes", unique, code, len(body))
	}
	if !first.Offers(gofuse.CAP_PASSTHROUGH) || first.Offers(gofuse.CAP_ALLOW_IDMAP) {
		t.Error("what the kernel offers is not told")
	}
	next := newSession(t, &tree{RawFileSystem: gofuse.NewDefaultRawFileSystem()}, file)
	if err := next.Resume(first.Init()); err != nil {
		t.Fatal(err)
	}
	if unique, code, body := d.receive(); unique != 0 || code != notifyResend || len(body) != 0 {
		t.Errorf("the next says: number %d, code %d, %d bytes", unique, code, len(body))
	}
	d.serve(next)
	for i := range uint64(100) {
		d.send(getAttr(1<<63 | i))
		if unique, code, _ := d.receive(); unique != 1<<63|i || code != 0 {
			t.Fatalf("request %d: number %#x, error %d", i, unique, code)
		}
	}
}

// TestBadInit is refused.
func TestBadInit(t *testing.T) {
	for what, init := range map[string][]byte{
		"none":          nil,
		"short":         initRequest(0)[:50],
		"another":       getAttr(1),
		"other version": request(opInit, 2, [16]uint32{8, 0}),
		"too long":      append(initRequest(0), make([]byte, initSize)...),
	} {
		_, file := newDevice(t)
		if err := newSession(t, &tree{RawFileSystem: gofuse.NewDefaultRawFileSystem()}, file).Resume(init); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// TestStop: what is being answered is answered, and what comes then is not.
func TestStop(t *testing.T) {
	d, file := newDevice(t)
	f := &tree{RawFileSystem: gofuse.NewDefaultRawFileSystem(), hold: make(chan struct{})}
	s := newSession(t, f, file)
	d.send(initRequest(0))
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	d.receive()
	d.serve(s)
	for i := range uint64(10) { // all at once: no reader waits for another
		d.send(getAttr(i + 10))
	}
	for end := time.Now().Add(5 * time.Second); f.asked.Load() < 10; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of 10 requests are being answered", f.asked.Load())
		}
	}
	if s.Stop(10 * time.Millisecond) {
		t.Error("stopped while requests are being answered")
	}
	d.send(getAttr(99))
	close(f.hold)
	seen := map[uint64]bool{}
	for range 10 {
		unique, _, _ := d.receive()
		seen[unique] = true
	}
	if len(seen) != 10 || seen[99] {
		t.Errorf("answered: %v", seen)
	}
	if !s.Stop(5*time.Second) || !s.Stopped() {
		t.Error("not stopped")
	}
	if !d.quiet() {
		t.Error("an answer after the stop")
	}
}

// TestLargeAnswers go through a pipe, and small ones don't need one.
func TestLargeAnswers(t *testing.T) {
	d, file := newDevice(t)
	b, err := newBuffers(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{16, 4096, 4097, 40000} {
		for i := range b.out[:size] {
			b.out[i] = byte(i * size)
		}
		if err := b.reply(int(file.Fd()), size); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if piped := b.pipe[0] >= 0; piped != (size > 4096) {
			t.Errorf("%d bytes: through a pipe: %v", size, piped)
		}
		buf := make([]byte, 1<<16)
		got := 0
		for got < size { // a socket may take it in parts
			n, err := unix.Read(d.fd, buf[got:])
			if err != nil || n == 0 {
				t.Fatalf("%d of %d bytes, %v", got, size, err)
			}
			got += n
		}
		if !bytes.Equal(buf[:got], b.out[:size]) {
			t.Errorf("%d bytes became others", size)
		}
	}
	b.closePipe()
}
