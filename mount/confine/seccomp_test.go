//go:build amd64 || arm64

package confine

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// judge runs the filter on a system call, as the kernel would.
func judge(t *testing.T, program []unix.SockFilter, machine, call uint32, args ...uint32) uint32 {
	t.Helper()
	data := map[uint32]uint32{atCall: call, atArch: machine}
	for i, arg := range args {
		data[uint32(atArgs+8*i)] = arg
	}
	loaded := uint32(0)
	for i := 0; i < len(program); i++ {
		step, holds := program[i], false
		switch step.Code {
		case unix.BPF_RET | unix.BPF_K:
			return step.K
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			loaded = data[step.K]
			continue
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ:
			holds = loaded == step.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JGE:
			holds = loaded >= step.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JSET:
			holds = loaded&step.K != 0
		default:
			t.Fatalf("step %d: code %#x", i, step.Code)
		}
		if holds {
			i += int(step.Jt)
		} else {
			i += int(step.Jf)
		}
	}
	t.Fatal("no answer")
	return 0
}

func TestFilter(t *testing.T) {
	const (
		yes  = unix.SECCOMP_RET_ALLOW
		no   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		none = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	for _, c := range []struct {
		what    string
		machine uint32
		call    uint32
		args    []uint32
		want    uint32
	}{
		{"read", arch, unix.SYS_READ, nil, yes},
		{"read of another architecture", unix.AUDIT_ARCH_I386, unix.SYS_READ, nil, no},
		{"x32", arch, foreign | unix.SYS_READ, nil, no},
		{"execve", arch, unix.SYS_EXECVE, nil, yes},
		{"a thread", arch, unix.SYS_CLONE, []uint32{unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD}, yes},
		{"a child", arch, unix.SYS_CLONE, []uint32{unix.CLONE_VFORK | unix.CLONE_VM | unix.CLONE_PIDFD | uint32(unix.SIGCHLD)}, yes},
		{"a child in a namespace", arch, unix.SYS_CLONE, []uint32{unix.CLONE_NEWUSER | uint32(unix.SIGCHLD)}, no},
		{"clone3", arch, unix.SYS_CLONE3, nil, none},
		{"a Unix socket", arch, unix.SYS_SOCKET, []uint32{unix.AF_UNIX}, yes},
		{"a netlink socket", arch, unix.SYS_SOCKET, []uint32{unix.AF_NETLINK}, no},
		{"another's limits", arch, unix.SYS_PRLIMIT64, []uint32{1}, no},
		{"its own limits", arch, unix.SYS_PRLIMIT64, []uint32{0}, yes},
		{"another's priority", arch, unix.SYS_SETPRIORITY, []uint32{unix.PRIO_PROCESS, 1}, no},
		{"a thread's own priority", arch, unix.SYS_SETPRIORITY, []uint32{unix.PRIO_PROCESS, 0}, yes},
		{"mode of an open file", arch, unix.SYS_FCHMOD, nil, yes},
		{"memory", arch, unix.SYS_MMAP, []uint32{0, 4096, unix.PROT_READ | unix.PROT_WRITE}, yes},
		{"executable memory", arch, unix.SYS_MMAP, []uint32{0, 4096, unix.PROT_READ | unix.PROT_EXEC}, no},
		{"memory made executable", arch, unix.SYS_MPROTECT, []uint32{0, 4096, unix.PROT_EXEC}, no},
	} {
		if got := judge(t, filter(false, false), c.machine, c.call, c.args...); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.what, got, c.want)
		}
	}
	for connect, want := range map[bool]uint32{false: no, true: yes} {
		if got := judge(t, filter(connect, false), arch, unix.SYS_CONNECT); got != want {
			t.Errorf("connect, when it is %v: %#x, want %#x", connect, got, want)
		}
	}
	for family, want := range map[uint32]uint32{unix.AF_INET: yes, unix.AF_INET6: yes, unix.AF_UNIX: no, unix.AF_NETLINK: no, unix.AF_PACKET: no} {
		if got := judge(t, filter(false, true), arch, unix.SYS_SOCKET, family); got != want {
			t.Errorf("a socket of family %d with a network: %#x, want %#x", family, got, want)
		}
	}
	for call, want := range map[uint32]uint32{unix.SYS_CONNECT: yes, unix.SYS_MOUNT: no, unix.SYS_PTRACE: no, unix.SYS_READ: yes} {
		if got := judge(t, filter(false, true), arch, call); got != want {
			t.Errorf("system call %d with a network: %#x, want %#x", call, got, want)
		}
	}
	for _, call := range slices.Concat(denied, nativeDenied) {
		if got := judge(t, filter(false, false), arch, call); got != no {
			t.Errorf("system call %d: %#x, want %#x", call, got, no)
		}
	}
}
