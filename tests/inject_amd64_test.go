package tests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// puppet is a thread of another process, held by ptrace, which makes system calls for us.
type puppet struct {
	tid   int
	saved unix.PtraceRegs
}

// seize holds a thread that waits in the kernel. The caller must stay on its own thread, and release it.
func seize(tid int) (*puppet, error) {
	if err := unix.PtraceAttach(tid); err != nil {
		return nil, fmt.Errorf("attaching to %d: %w", tid, err)
	}
	p := &puppet{tid: tid}
	if _, err := unix.Wait4(tid, nil, unix.WALL, nil); err != nil {
		return nil, err
	}
	var code [2]byte
	err := unix.PtraceGetRegs(tid, &p.saved)
	if err == nil {
		_, err = unix.PtracePeekText(tid, uintptr(p.saved.Rip-2), code[:])
	}
	if err == nil && (code != [2]byte{0x0f, 0x05} || int64(p.saved.Orig_rax) < 0) {
		err = errors.New("the thread does not wait in a system call")
	}
	if err != nil {
		unix.PtraceDetach(tid)
		return nil, err
	}
	return p, nil
}

// call makes a system call in the thread. Strings are put below its stack.
func (p *puppet) call(number int, args ...any) (int, error) {
	regs := p.saved
	regs.Rax, regs.Orig_rax, regs.Rip = uint64(number), ^uint64(0), p.saved.Rip-2
	free := p.saved.Rsp - 128
	for i, arg := range args {
		value := uint64(0)
		switch arg := arg.(type) {
		case string:
			free = (free - uint64(len(arg)) - 1) &^ 7
			if _, err := unix.PtracePokeData(p.tid, uintptr(free), []byte(arg+"\x00")); err != nil {
				return 0, err
			}
			value = free
		case int:
			value = uint64(arg)
		}
		*[]*uint64{&regs.Rdi, &regs.Rsi, &regs.Rdx, &regs.R10, &regs.R8, &regs.R9}[i] = value
	}
	if err := unix.PtraceSetRegs(p.tid, &regs); err != nil {
		return 0, err
	}
	if err := p.step(); err != nil {
		return 0, err
	}
	if err := unix.PtraceGetRegs(p.tid, &regs); err != nil {
		return 0, err
	}
	if n := int64(regs.Rax); n < 0 {
		return 0, unix.Errno(-n)
	}
	return int(regs.Rax), nil
}

// step runs one instruction, whatever signals come.
func (p *puppet) step() error {
	for {
		if err := unix.PtraceSingleStep(p.tid); err != nil {
			return err
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(p.tid, &status, unix.WALL, nil); err != nil {
			return err
		}
		switch {
		case !status.Stopped():
			return fmt.Errorf("the thread ended: %#x", status)
		case status.StopSignal() == unix.SIGTRAP:
			return nil
		}
	}
}

// release lets the thread go on waiting where it waited.
func (p *puppet) release() error {
	regs := p.saved
	if err := unix.Errno(-int64(regs.Rax)); err >= 512 && err <= 516 { // the kernel's own, to begin the call again
		regs.Rax, regs.Rip = regs.Orig_rax, regs.Rip-2
		regs.Orig_rax = ^uint64(0)
	}
	return errors.Join(unix.PtraceSetRegs(p.tid, &regs), unix.PtraceDetach(p.tid))
}

// TestConfinedTries makes a server try what it would if somebody had taken it over.
func TestConfinedTries(t *testing.T) {
	if raceBuild {
		return // it is not confined, as TestConfined checks
	}
	needLandlock(t)
	repo := clone(t, sharedRepo(t, "bare", "plain"))
	cache := scratch(t) + "/cache"
	dir := mounted(t, "--repo="+repo, "--cache-dir="+cache, "--no-index", "plain")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := seizeAny(t, onlyServer(t))
	for _, c := range []struct {
		what   string
		want   error
		number int
		args   []any
	}{
		{"read the repository", nil, unix.SYS_OPEN, []any{repo + "/config", unix.O_RDONLY}},
		{"write to the cache", nil, unix.SYS_OPEN, []any{cache + "/new", unix.O_WRONLY | unix.O_CREAT, 0o600}},
		{"read another file", unix.EACCES, unix.SYS_OPEN, []any{"/etc/passwd", unix.O_RDONLY}},
		{"write to the repository", unix.EACCES, unix.SYS_OPEN, []any{repo + "/config", unix.O_WRONLY}},
		{"create in the repository", unix.EACCES, unix.SYS_OPEN, []any{repo + "/refs/new", unix.O_WRONLY | unix.O_CREAT, 0o600}},
		{"remove from the repository", unix.EACCES, unix.SYS_UNLINK, []any{repo + "/config"}},
		{"change a mode", unix.EPERM, unix.SYS_CHMOD, []any{repo + "/config", 0o666}},
		{"run a program", unix.EACCES, unix.SYS_EXECVE, []any{"/bin/true", 0, 0}},
		{"run itself", unix.EACCES, unix.SYS_EXECVE, []any{"/proc/self/exe", 0, 0}}, // with an index it might
		{"mount", unix.EPERM, unix.SYS_MOUNT, []any{"none", cache, "tmpfs", 0, 0}},
		{"unmount", unix.EPERM, unix.SYS_UMOUNT2, []any{dir, unix.MNT_DETACH}},
		{"a namespace", unix.EPERM, unix.SYS_UNSHARE, []any{unix.CLONE_NEWUSER}},
		{"network", unix.EPERM, unix.SYS_SOCKET, []any{unix.AF_INET, unix.SOCK_STREAM, 0}},
		{"trace another", unix.EPERM, unix.SYS_PTRACE, []any{unix.PTRACE_ATTACH, os.Getpid(), 0, 0}},
		{"signal another", unix.EPERM, unix.SYS_KILL, []any{os.Getpid(), 0}},
		{"read a file by its handle", unix.EPERM, unix.SYS_OPEN_BY_HANDLE_AT, []any{unix.AT_FDCWD, 0, 0}},
	} {
		got, err := p.call(c.number, c.args...)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %d, %v; want %v", c.what, got, err, c.want)
		}
	}
	if err := p.release(); err != nil {
		t.Error(err)
	}
	same(t, snapshot(t, forest(t, "plain")), snapshot(t, dir)) // none the worse for it
	umounted(t, dir)
}

// seizeAny holds some thread of a process.
func seizeAny(t *testing.T, pid int) *puppet {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	var errs []error
	for _, task := range tasks {
		var tid int
		fmt.Sscan(filepath.Base(task), &tid)
		p, err := seize(tid)
		if err == nil {
			return p
		}
		errs = append(errs, err)
	}
	t.Fatal("no thread can be held: ", errors.Join(errs...))
	return nil
}
