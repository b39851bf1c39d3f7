package doctor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// The parts of linux/fuse.h that one connection needs. Numbers are in the
// machine's byte order; lengths are in bytes.
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opStatfs      = 17
	opInit        = 26
	opInterrupt   = 36
	opDestroy     = 38
	opBatchForget = 42

	inHeader, outHeader = 40, 16
	attrOut, initOut    = 104, 64
	statfsOut           = 80
	maxRequest          = 1 << 20

	flagInitExt     = 1 << 30
	flagPassthrough = 1 << 37
	flagResend      = 1 << 39

	ioctlBackingOpen = 0x4010e501
)

// session is what the kernel said on a FUSE connection, and did.
type session struct {
	Major       uint32 `json:"major"` // of the protocol
	Minor       uint32 `json:"minor"`
	Flags       uint64 `json:"flags"`
	Passthrough string `json:"passthrough"` // why not; "" is that it worked
	Overlay     string `json:"overlay"`
}

// connection is a FUSE file system with an empty root directory.
type connection struct {
	fd  int
	buf []byte
}

// probeFuse mounts a FUSE file system and tries what can be done with it. What
// would be passed through is descriptor 3.
func probeFuse() (any, error) {
	base, err := scratch("fuse", "upper", "work", "merged")
	if err != nil {
		return nil, err
	}
	dev, err := mount.FUSE(filepath.Join(base, "fuse"), mount.Options{Subtype: "deployfs-doctor"})
	if err != nil {
		return nil, err
	}
	defer dev.Close()
	c := &connection{fd: int(dev.Fd()), buf: make([]byte, maxRequest)}
	s := &session{}
	if err := c.init(s, 3); err != nil {
		return nil, err
	}
	s.Passthrough = text(c.register(3))
	s.Overlay = text(c.below(base))
	return s, nil
}

func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// scratch makes directories in a new file system that is in this namespace only.
func scratch(names ...string) (string, error) {
	base, err := "", error(unix.ENOENT)
	for _, base = range []string{os.TempDir(), "/run", "/var", "/mnt"} {
		if err = unix.Mount("tmpfs", base, "tmpfs", 0, "size=1m,mode=755"); err == nil {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, name := range names {
		if err := os.Mkdir(filepath.Join(base, name), 0o755); err != nil {
			return "", err
		}
	}
	return base, nil
}

// init answers INIT. The kernel sends it at once.
func (c *connection) init(s *session, sample int) error {
	op, in, err := c.next(time.Second)
	if err != nil {
		return err
	}
	if op != opInit || len(in) < inHeader+16 {
		return fmt.Errorf("the first request is %d, not INIT", op)
	}
	body := in[inHeader:]
	s.Major, s.Minor = word(body, 0), word(body, 4)
	s.Flags = uint64(word(body, 12))
	if s.Flags&flagInitExt != 0 && len(body) >= 20 {
		s.Flags |= uint64(word(body, 16)) << 32
	}
	out := make([]byte, initOut)
	put := binary.NativeEndian.PutUint32
	flags := s.Flags & (flagInitExt | flagPassthrough)
	put(out[0:], s.Major)
	put(out[4:], s.Minor)
	put(out[12:], uint32(flags))
	put(out[20:], 4096) // max_write
	put(out[24:], 1)    // time_gran
	put(out[32:], uint32(flags>>32))
	put(out[36:], stackDepth(sample))
	return c.reply(in, 0, out)
}

// stackDepth is how many file systems may lie below what is passed through: one,
// or two when it is on overlayfs itself.
func stackDepth(fd int) uint32 {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) == nil && st.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return 2
	}
	return 1
}

func word(b []byte, at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }

// next reads one request.
func (c *connection) next(wait time.Duration) (op uint32, request []byte, err error) {
	for end := time.Now().Add(wait); ; {
		poll := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		left := max(time.Until(end), 0)
		n, err := unix.Poll(poll, int(left.Milliseconds()))
		if n > 0 {
			n, err = unix.Read(c.fd, c.buf)
		}
		switch {
		case err == unix.EINTR || err == unix.EAGAIN || err == unix.ENOENT: // ENOENT: it was taken back
		case err != nil:
			return 0, nil, fmt.Errorf("read from the FUSE connection: %w", err)
		case n >= inHeader:
			return word(c.buf, 4), c.buf[:n], nil
		}
		if left == 0 {
			return 0, nil, os.ErrDeadlineExceeded
		}
	}
}

// reply answers a request with an errno, or with 0 and a body.
func (c *connection) reply(request []byte, errno unix.Errno, body []byte) error {
	out := make([]byte, outHeader, outHeader+len(body))
	binary.NativeEndian.PutUint32(out, uint32(outHeader+len(body)))
	binary.NativeEndian.PutUint32(out[4:], uint32(-int32(errno)))
	copy(out[8:16], request[8:16])
	_, err := unix.Write(c.fd, append(out, body...))
	return err
}

// register gives the kernel a file to read by itself, which it lets go when the
// connection ends.
func (c *connection) register(fd int) error {
	arg := struct {
		fd, flags uint32
		padding   uint64
	}{fd: uint32(fd)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c.fd), ioctlBackingOpen, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return errno
	}
	return nil
}

// below puts a writable layer on top. Another process does, to which this one
// answers: whoever waited for itself could not be ended.
func (c *connection) below(base string) error {
	var out bytes.Buffer
	cmd := childCommand("overlay")
	cmd.Dir = base
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, decode(out.Bytes(), new(bool)))
		default:
		}
		op, request, err := c.next(5 * time.Millisecond)
		if err == nil {
			err = c.answer(op, request)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// answer is that of an empty directory.
func (c *connection) answer(op uint32, request []byte) error {
	switch op {
	case opForget, opBatchForget, opInterrupt:
		return nil
	case opLookup:
		return c.reply(request, unix.ENOENT, nil)
	case opGetattr:
		out := make([]byte, attrOut)
		binary.NativeEndian.PutUint64(out[16:], 1) // inode
		binary.NativeEndian.PutUint32(out[76:], unix.S_IFDIR|0o755)
		binary.NativeEndian.PutUint32(out[80:], 2) // links
		return c.reply(request, 0, out)
	case opStatfs:
		out := make([]byte, statfsOut)
		binary.NativeEndian.PutUint32(out[40:], 4096)
		binary.NativeEndian.PutUint32(out[44:], unix.NAME_MAX)
		return c.reply(request, 0, out)
	case opDestroy:
		return c.reply(request, 0, nil)
	}
	return c.reply(request, unix.ENOSYS, nil)
}
