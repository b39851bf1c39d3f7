package mount

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the test server shows: a root directory with one file.
const (
	greetingName = "greeting"
	greetingText = "hello from the lower directory\n"
	rootMode     = 0o1751
	rootUID      = 12
	rootGID      = 34
	rootTime     = 86400
)

var rootXattrs = map[string]string{
	"security.selinux": "system_u:object_r:root_t:s0\x00",
	"user.binary":      "\x00\xff\n",
}

// startServer serves the connection by another process until the test ends or
// the process is killed, and closes dev here.
func startServer(t *testing.T, dev *os.File, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.ExtraFiles = []*os.File{dev}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dev.Close()
	t.Cleanup(func() { stop(cmd) })
	return cmd
}

// stop kills a server. Killing it twice is no error.
func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// waitEnd reports whether the server ended by itself, as it does when its
// filesystem does.
func waitEnd(cmd *exec.Cmd) bool {
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err == nil
	case <-time.After(5 * time.Second):
		return false
	}
}

// serve answers the requests on the connection until it ends.
func serve(fd int, hang bool) {
	in := make([]byte, 1<<20)
	for {
		n, err := unix.Read(fd, in)
		if err == unix.EINTR || err == unix.ENOENT {
			continue
		}
		if err != nil || n < 40 {
			return // ENODEV: unmounted
		}
		op := binary.LittleEndian.Uint32(in[4:])
		if hang && op != 26 {
			continue
		}
		if op == 2 || op == 42 || op == 36 { // FORGET, BATCH_FORGET, INTERRUPT
			continue
		}
		body, errno := answer(op, binary.LittleEndian.Uint64(in[16:]), in[40:n])
		reply(fd, binary.LittleEndian.Uint64(in[8:]), body, errno)
	}
}

func reply(fd int, unique uint64, body []byte, errno unix.Errno) {
	out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	out = binary.LittleEndian.AppendUint32(out, uint32(-int32(errno)))
	out = binary.LittleEndian.AppendUint64(out, unique)
	_, _ = unix.Write(fd, append(out, body...))
}

// answer is the filesystem: node 1 is the root, node 2 the file.
func answer(op uint32, node uint64, arg []byte) ([]byte, unix.Errno) {
	switch op {
	case 26: // INIT: version 7.31, 64 KiB at a time
		return pack(uint32(7), uint32(31), uint32(1<<17), uint32(0), uint16(12), uint16(9), uint32(1<<16), uint32(1), [9]uint32{}), 0
	case 1: // LOOKUP
		if node != 1 || cString(arg) != greetingName {
			return nil, unix.ENOENT
		}
		return append(pack(uint64(2), uint64(0), uint64(60), uint64(60), [2]uint32{}), attributes(2)...), 0
	case 3: // GETATTR
		return append(pack(uint64(60), uint64(0)), attributes(node)...), 0
	case 15: // READ
		return []byte(greetingText)[min(binary.LittleEndian.Uint64(arg[8:]), uint64(len(greetingText))):], 0
	case 28: // READDIR
		if binary.LittleEndian.Uint64(arg[8:]) > 0 {
			return nil, 0
		}
		return append(pack(uint64(2), uint64(1), uint32(len(greetingName)), uint32(8)), greetingName...), 0
	case 17: // STATFS
		return pack([5]uint64{}, uint32(4096), uint32(255), uint32(4096), [7]uint32{}), 0
	case 22, 23: // GETXATTR, LISTXATTR
		return xattrs(op == 23, node, arg)
	case 38: // DESTROY
		return nil, 0
	}
	return nil, unix.ENOSYS
}

func attributes(node uint64) []byte {
	size, mode, uid, gid := uint64(0), uint32(unix.S_IFDIR|rootMode), uint32(rootUID), uint32(rootGID)
	if node == 2 {
		size, mode, uid, gid = uint64(len(greetingText)), unix.S_IFREG|0o644, 0, 0
	}
	t := uint64(rootTime)
	return pack(node, size, uint64(1), t, t, t, [3]uint32{}, mode, uint32(1), uid, gid, uint32(0), uint32(4096), uint32(0))
}

// xattrs answers GETXATTR and LISTXATTR, for the size first where it is asked.
func xattrs(list bool, node uint64, arg []byte) ([]byte, unix.Errno) {
	var value string
	if list && node == 1 {
		for name := range rootXattrs {
			value += name + "\x00"
		}
	}
	if !list {
		var ok bool
		if value, ok = rootXattrs[cString(arg[8:])]; !ok || node != 1 {
			return nil, unix.ENODATA
		}
	}
	if binary.LittleEndian.Uint32(arg) == 0 {
		return pack(uint32(len(value)), uint32(0)), 0
	}
	return []byte(value), 0
}

func pack(fields ...any) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		_ = binary.Write(&b, binary.LittleEndian, f)
	}
	return b.Bytes()
}

func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
