package tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cutCalls are the calls before which a program may be killed: those that change names or make
// something durable. What is written into a file is cut off by the next of them.
var cutCalls = []uint32{
	unix.SYS_OPENAT, unix.SYS_MKDIRAT, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNCFS, unix.SYS_FTRUNCATE, unix.SYS_FCHMODAT, unix.SYS_UTIMENSAT,
}

// cutFilter has the kernel ask before each of these calls; of openat those that make a file.
func cutFilter() []unix.SockFilter {
	const load, jumpIs, jumpBits, end = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	n := uint8(len(cutCalls))
	prog := []unix.SockFilter{{Code: load, K: 0}}
	for i, call := range cutCalls {
		jump := n - uint8(i) + 3 // to the end, where it is asked
		if i == 0 {
			jump = n // to the flags of openat
		}
		prog = append(prog, unix.SockFilter{Code: jumpIs, K: call, Jt: jump})
	}
	return append(prog,
		unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: load, K: 16 + 2*8}, // the flags' lower half
		unix.SockFilter{Code: jumpBits, K: unix.O_CREAT | unix.O_TMPFILE&^unix.O_DIRECTORY, Jt: 1},
		unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: end, K: unix.SECCOMP_RET_USER_NOTIF},
	)
}

// cuttable is a helper: it becomes another program, whose calls the process at the other end of
// descriptor 3 is asked for.
func cuttable() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := cutFilter()
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0); err != nil {
		return err
	}
	unix.CloseOnExec(3)
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, helperEnv+"=") })
	return unix.Exec(os.Args[1], os.Args[1:], append(env, "GODEBUG=asyncpreemptoff=1"))
}

// notification is the kernel's struct seccomp_notif.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	call  int32
	arch  uint32
	_     [7]uint64
}

// response is the kernel's struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

// cutAt runs a command and kills it before its n-th call; with 0 never. It returns how many calls came.
func cutAt(t testing.TB, c command, n int) (calls int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "")
	defer unix.Close(pair[0])
	cmd := exec.Command("/proc/self/exe", c.args...)
	cmd.Dir, cmd.Env = c.dir, append(append(cleanEnv(), c.env...), helperEnv+"=cuttable")
	cmd.ExtraFiles = []*os.File{theirs}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	listener, err := receiveFD(pair[0])
	if err == nil {
		calls, err = answer(listener, func(call int) bool {
			if call == n {
				cmd.Process.Kill()
			}
			return call != n
		})
		unix.Close(listener)
	}
	waitErr := cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil || n == 0 && waitErr != nil && !errors.As(waitErr, &exit) {
		t.Fatalf("%s: %v, %v\n%s", strings.Join(c.args, " "), err, waitErr, out.String())
	}
	return calls
}

func receiveFD(socket int) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, 0)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return 0, fmt.Errorf("no descriptor came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

// answer lets calls through as long as goOn says so, until the process ends.
func answer(listener int, goOn func(call int) bool) (calls int, err error) {
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, 60000); err == unix.EINTR {
			continue
		} else if err != nil {
			return calls, err
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			return calls, nil // the process has ended
		}
		var asked notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&asked))); errno == unix.ENOENT || errno == unix.EINTR {
			continue
		} else if errno != 0 {
			return calls, errno
		}
		calls++
		if !goOn(calls) {
			continue
		}
		reply := response{id: asked.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&reply))); errno != 0 && errno != unix.ENOENT {
			return calls, errno
		}
	}
}
