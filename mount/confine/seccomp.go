//go:build amd64 || arm64

package confine

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denied are the system calls that a server of files never makes: each answers
// EPERM. Those of one architecture alone are in nativeDenied.
var denied = []uint32{
	// mounts, and what else changes the tree of files
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_MOVE_MOUNT,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_ACCT, unix.SYS_FANOTIFY_INIT, unix.SYS_OPEN_BY_HANDLE_AT,
	// what files are like, wherever they are: Landlock does not look at that
	unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT, unix.SYS_SETXATTR, unix.SYS_LSETXATTR,
	unix.SYS_FSETXATTR, unix.SYS_SETXATTRAT, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR, unix.SYS_REMOVEXATTRAT,
	// other processes, and what they share
	unix.SYS_SETNS, unix.SYS_UNSHARE, unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_SETAFFINITY,
	unix.SYS_IOPRIO_SET, unix.SYS_MOVE_PAGES, unix.SYS_MIGRATE_PAGES, unix.SYS_PROCESS_MRELEASE, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL,
	unix.SYS_MSGGET, unix.SYS_MSGSND, unix.SYS_MSGRCV, unix.SYS_MSGCTL, unix.SYS_SEMGET, unix.SYS_SEMOP, unix.SYS_SEMCTL, unix.SYS_MQ_OPEN,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	// the kernel itself, and its large doors
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_SYSLOG, unix.SYS_PERSONALITY, unix.SYS_LSM_SET_SELF_ATTR,
	// the machine
	unix.SYS_REBOOT, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP,
}

// namespaces are the flags with which clone makes new ones.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// Where the kernel's struct seccomp_data has what a filter looks at. Arguments
// are 64 bits wide, of which the lower half is first.
const (
	atCall = 0
	atArch = 4
	atArgs = 16
)

// denyCalls denies system calls to every thread. It reports whether the kernel
// can do that.
func denyCalls(rules *Rules) (done bool, err error) {
	program := filter(rules.Connect, len(rules.Ports) > 0)
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	other, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL: // a kernel without
		return false, nil
	case errno != 0:
		return false, errno
	case other != 0:
		return false, fmt.Errorf("thread %d has filters of its own", other)
	}
	return true, nil
}

// filter is the program that the kernel runs at each system call, the first time
// that it sees one: answers that hang on no argument are remembered.
func filter(connect, network bool) []unix.SockFilter {
	program := slices.Concat(
		load(atArch), when(unix.BPF_JEQ, arch, nil, answer(unix.EPERM)),
		load(atCall), when(unix.BPF_JGE, foreign, answer(unix.EPERM), nil))
	for _, call := range slices.Concat(denied, nativeDenied) {
		program = append(program, when(unix.BPF_JEQ, call, answer(unix.EPERM), nil)...)
	}
	deny := func(call uint32, arg int, op uint16, value uint32, yes, no []unix.SockFilter) {
		check := slices.Concat(load(atArgs+8*arg), when(op, value, yes, no))
		program = append(program, when(unix.BPF_JEQ, call, check, nil)...)
	}
	if !connect && !network { // root's way to the service manager, which does anything
		program = append(program, when(unix.BPF_JEQ, unix.SYS_CONNECT, answer(unix.EPERM), nil)...)
	}
	// clone3 has its flags in memory; who gets ENOSYS tries clone.
	program = append(program, when(unix.BPF_JEQ, unix.SYS_CLONE3, answer(unix.ENOSYS), nil)...)
	deny(unix.SYS_CLONE, 0, unix.BPF_JSET, namespaces, answer(unix.EPERM), allow)
	if network { // what is connected is never a Unix socket then
		inet := slices.Concat(when(unix.BPF_JEQ, unix.AF_INET, allow, nil), when(unix.BPF_JEQ, unix.AF_INET6, allow, answer(unix.EPERM)))
		program = append(program, when(unix.BPF_JEQ, unix.SYS_SOCKET, slices.Concat(load(atArgs), inet), nil)...)
	} else {
		deny(unix.SYS_SOCKET, 0, unix.BPF_JEQ, unix.AF_UNIX, allow, answer(unix.EPERM))
	}
	deny(unix.SYS_PRLIMIT64, 0, unix.BPF_JEQ, 0, allow, answer(unix.EPERM)) // 0 is the process itself
	deny(unix.SYS_SETPRIORITY, 1, unix.BPF_JEQ, 0, allow, answer(unix.EPERM))
	for _, call := range []uint32{unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_PKEY_MPROTECT} {
		deny(call, 2, unix.BPF_JSET, unix.PROT_EXEC, answer(unix.EPERM), allow)
	}
	return append(program, allow...)
}

var allow = []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}

func answer(errno unix.Errno) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}}
}

func load(at int) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(at)}}
}

// when goes on with yes if what was loaded compares to value, else with no, and
// behind them unless they answer. Yes answers if there is a no.
func when(op uint16, value uint32, yes, no []unix.SockFilter) []unix.SockFilter {
	jump := unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | op, K: value, Jf: uint8(len(yes))}
	if yes == nil {
		jump.Jt = uint8(len(no))
	}
	return slices.Concat([]unix.SockFilter{jump}, yes, no)
}
