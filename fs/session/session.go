// Package session serves a FUSE connection that outlives its servers.
//
// The kernel keeps a connection as long as somebody holds its descriptor. A
// server that is started for one that an earlier server has served replays the
// kernel's first request, INIT, to itself, so that it believes what the kernel
// was told, and asks for what was in flight to be sent again. Node ids and
// handles mean the same to all servers; see fs.State.
//
// The requests are read by a few threads, each of which answers what it has
// read: a hand-over to another one would take as long as the answer. See
// readers.go for how many.
package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const (
	// initSize bounds an INIT request or its answer, in bytes.
	initSize = 8192
	// replySize is what an answer takes beside its content, in bytes.
	replySize = 4096
	opInit    = 26 // FUSE_INIT
)

// Session is a connection while it is served.
type Session struct {
	device  *os.File // is not closed as long as it is here
	fd      int      // of device
	server  *gofuse.ProtocolServer
	maxSize int // bytes of the content of the largest request or answer
	init    []byte
	log     func(format string, args ...any)

	mu     sync.Mutex
	unused []*buffers

	readers  sync.WaitGroup // and the watch
	waiting  atomic.Int32   // readers that wait for a request
	spare    atomic.Int32   // how many may
	grown    atomic.Bool    // there was a need for more
	watched  atomic.Bool    // the watch runs
	active   atomic.Int32   // requests that are being answered
	begun    atomic.Uint64  // requests that were read
	writing  atomic.Int32   // answers that are being written
	stopping atomic.Bool

	once    sync.Once
	ended   chan struct{} // closed when a reader has seen the end
	failure error         // why
}

// New makes a session of the connection that device is, which stays the caller's,
// and open. The options must be the same for all servers of a connection; of a
// request no more than opts.MaxWrite bytes are content. Log is told of answers
// that the kernel refuses.
func New(device *os.File, fs gofuse.RawFileSystem, opts *gofuse.MountOptions, log func(format string, args ...any)) *Session {
	return &Session{device: device, fd: int(device.Fd()), server: gofuse.NewProtocolServer(fs, opts), maxSize: opts.MaxWrite, log: log, ended: make(chan struct{})}
}

// Begin reads the kernel's first request and answers it.
func (s *Session) Begin() error {
	buf := make([]byte, max(initSize, s.maxSize+replySize))
	n, err := retry(func() (int, error) { return unix.Read(s.fd, buf) })
	if err != nil {
		return fmt.Errorf("fuse: reading INIT: %w", err)
	}
	s.init = buf[:n:n]
	reply, err := s.negotiate()
	if err != nil {
		return err
	}
	if _, err := retry(func() (int, error) { return unix.Write(s.fd, reply) }); err != nil {
		return fmt.Errorf("fuse: answering INIT: %w", err)
	}
	return nil
}

// Resume goes on with a connection whose first request was init. What other
// servers have read and not answered comes again; there must be none left.
func (s *Session) Resume(init []byte) error {
	s.init = init
	if _, err := s.negotiate(); err != nil {
		return err
	}
	return resend(s.fd)
}

var errInit = errors.New("fuse: the kernel's first request is not a valid INIT")

// negotiate lets the server answer INIT.
func (s *Session) negotiate() (reply []byte, err error) {
	const header = int(unsafe.Sizeof(gofuse.InHeader{}))
	if len(s.init) < header+16 || len(s.init) > initSize || binary.NativeEndian.Uint32(s.init[4:]) != opInit {
		return nil, errInit
	}
	reply = make([]byte, initSize)
	n, status := s.server.HandleRequest([][]byte{s.init}, [][]byte{reply})
	if !status.Ok() || n < 16 || *(*int32)(unsafe.Pointer(&reply[4])) != 0 {
		return nil, errInit
	}
	return reply[:n], nil
}

// Init is the kernel's first request, for [Session.Resume].
func (s *Session) Init() []byte { return s.init }

// Offers reports whether the kernel offered a capability, one of the CAP
// constants.
func (s *Session) Offers(capability uint64) bool {
	var in gofuse.InitIn
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&in)), unsafe.Sizeof(in)), s.init)
	return in.Flags64()&capability != 0
}

// Resends reports whether the kernel can send requests again, which another server
// has to have.
func (s *Session) Resends() bool { return s.Offers(gofuse.CAP_HAS_RESEND) }

// notifyResend is FUSE_NOTIFY_RESEND, since Linux 6.9.
const notifyResend = 7

// resend asks the kernel to send again what was not answered.
func resend(fd int) error {
	note := struct {
		length uint32
		code   int32
		unique uint64
	}{16, notifyResend, 0}
	if _, err := unix.Write(fd, unsafe.Slice((*byte)(unsafe.Pointer(&note)), 16)); err != nil {
		return fmt.Errorf("fuse: asking for requests again: %w", err)
	}
	return nil
}

// Serve answers requests until the connection ends, which is when it returns
// nil, or after [Session.Stop].
func (s *Session) Serve() error {
	s.spare.Store(1)
	if err := s.start(); err != nil {
		return err
	}
	s.readers.Wait()
	return s.failure
}

// Stop returns when no request is being answered, and none will be: one that is
// read now is not, and comes again for the next server. It gives up after some
// time, as an answer may wait for a disk.
func (s *Session) Stop(patience time.Duration) bool {
	s.stopping.Store(true)
	for end := time.Now().Add(patience); s.active.Load() > 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// Stopped reports whether Stop was called.
func (s *Session) Stopped() bool { return s.stopping.Load() }

// answer answers a request of n bytes. That the kernel does not wait for an
// answer is none of our business: its caller was killed, or it got an earlier one.
func (s *Session) answer(b *buffers, n int) {
	size, status := s.server.HandleRequest([][]byte{b.in[:n]}, [][]byte{b.out})
	if !status.Ok() || size == 0 {
		return
	}
	s.writing.Add(1)
	defer s.writing.Add(-1)
	if err := b.reply(s.fd, size); err != nil && err != unix.ENOENT && err != unix.ENODEV {
		s.log("answer of %d bytes: %v", size, err)
	}
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR && err != unix.EAGAIN {
			return n, err
		}
	}
}
