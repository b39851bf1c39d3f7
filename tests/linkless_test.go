package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// linklessFilter has the kernel do as with a file system that knows one name a file and no more, as vfat
// does, and no way to rename only to what is free.
func linklessFilter() []unix.SockFilter {
	const load, jumpIs, jumpBits, end = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	fail := func(err unix.Errno) unix.SockFilter {
		return unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(err)}
	}
	return []unix.SockFilter{
		{Code: load, K: 0},
		{Code: jumpIs, K: unix.SYS_LINKAT, Jt: 5},
		{Code: jumpIs, K: unix.SYS_RENAMEAT2, Jt: 5},
		{Code: jumpIs, K: unix.SYS_OPENAT, Jf: 2},
		{Code: load, K: 16 + 2*8}, // the flags' lower half
		{Code: jumpBits, K: unix.O_TMPFILE &^ unix.O_DIRECTORY, Jt: 3},
		{Code: end, K: unix.SECCOMP_RET_ALLOW},
		fail(unix.EPERM), fail(unix.EINVAL), fail(unix.EOPNOTSUPP),
	}
}

// linkless is a helper: it becomes another program, on such a file system.
func linkless() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := linklessFilter()
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, helperEnv+"=") })
	return unix.Exec(os.Args[1], os.Args[1:], env)
}

// TestWithoutLinks: a file system where a file has one name is enough to commit, to pull and to check out.
func TestWithoutLinks(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, mode := range []string{"archive", "bare", "bare-user", "bare-user-only"} {
		dir := scratch(t)
		run := func(args ...string) {
			t.Helper()
			command{args: append([]string{"/proc/self/exe", binary(t, "deployfs")}, args...), dir: dir, env: []string{helperEnv + "=linkless"}}.must(t)
		}
		src := deedSources(t)
		must(t, "cp", "-a", src+"/new", dir+"/again")
		run("init", "--repo=repo", "--mode="+mode)
		run("commit", "--repo=repo", "-b", "main", "--canonical-permissions", src+"/new")
		run("commit", "--repo=repo", "-b", "main", "--canonical-permissions", "--consume", "again") // all is there
		if mode == "archive" {
			run("pull-local", "--repo=repo", src+"/far")
		}
		ostree(t, dir+"/repo", "fsck")
		for _, options := range [][]string{{}, {"--union"}, {"--union"}, {"--union-add"}, {"-U", "--union"}, {"-U", "--union"}} {
			run(append([]string{"checkout", "--repo=repo", "main", "out"}, options...)...)
			must(t, "diff", "-r", "--no-dereference", src+"/new", dir+"/out")
			if len(options) == 0 {
				must(t, "rm", "-r", dir+"/out")
			}
		}
		if left, _ := filepath.Glob(dir + "/out/.checkout*"); left != nil {
			t.Errorf("%s: left behind: %q", mode, left)
		}
	}
}
