package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// facts tell where figures come from.
type facts struct {
	Date       string `json:"date"`
	Kernel     string `json:"kernel"`
	Cores      int    `json:"cores"`
	Filesystem string `json:"filesystem"`
	Go         string `json:"go"`
	GoFUSE     string `json:"go_fuse"`
	OSTree     string `json:"ostree"`
	LoadBefore string `json:"load_before"` // of the last minute
	LoadAfter  string `json:"load_after"`
}

// machineFacts tells about this machine, the program and the filesystem of dir. Before is the load
// when the run began.
func machineFacts(program, dir, before string) facts {
	f := facts{
		Date: time.Now().Format(time.DateOnly), Cores: runtime.NumCPU(), Go: runtime.Version(),
		Filesystem: filesystem(dir), GoFUSE: "unknown", LoadBefore: before, LoadAfter: load(),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.Kernel = "Linux " + unix.ByteSliceToString(name.Release[:])
	}
	if info, err := buildinfo.ReadFile(program); err == nil {
		f.Go = info.GoVersion
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/hanwen/go-fuse/") {
				f.GoFUSE = m.Version
			}
		}
	}
	if out, err := exec.Command("ostree", "--version").Output(); err == nil {
		f.OSTree = version(string(out))
	}
	return f
}

// version finds it in what `ostree --version` prints.
func version(text string) string {
	_, rest, _ := strings.Cut(text, "Version: '")
	v, _, _ := strings.Cut(rest, "'")
	return v
}

// load is the load of the last minute; "?" when it is not known.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, ok := strings.Cut(string(text), " ")
	if !ok {
		return "?"
	}
	return one
}

func filesystem(dir string) string {
	names := map[int64]string{
		unix.EXT4_SUPER_MAGIC: "ext4", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.XFS_SUPER_MAGIC: "xfs",
		unix.TMPFS_MAGIC: "tmpfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs", unix.F2FS_SUPER_MAGIC: "f2fs",
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "?"
	}
	if name, ok := names[int64(st.Type)]; ok {
		return name
	}
	return fmt.Sprintf("filesystem %#x", st.Type)
}
