package main

import (
	"bytes"
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
	Date       string   `json:"date"`
	Took       string   `json:"took"`
	Kernel     string   `json:"kernel"`
	Processor  string   `json:"processor"`
	Cores      int      `json:"cores"`
	Memory     int      `json:"memory"` // GiB
	Filesystem string   `json:"filesystem"`
	Go         string   `json:"go"`
	GoFUSE     string   `json:"go_fuse"`
	OSTree     string   `json:"ostree"`
	Packages   []string `json:"packages"`    // of the peers, with versions
	LoadBefore string   `json:"load_before"` // of the last minute
	LoadAfter  string   `json:"load_after"`
}

// machineFacts tells about this machine, the program and the filesystem of dir. Before is the load
// when the run began.
func machineFacts(program, dir, before string) facts {
	f := facts{
		Date: time.Now().Format(time.DateOnly), Took: time.Since(started).Round(time.Second).String(),
		Processor: processor(), Cores: runtime.NumCPU(), Go: runtime.Version(),
		Filesystem: filesystem(dir), GoFUSE: "unknown", Packages: packages(), LoadBefore: before, LoadAfter: load(),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.Kernel = "Linux " + unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		f.Memory = int((uint64(info.Totalram)*uint64(info.Unit) + 1<<29) >> 30)
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

// String is a sentence on where the figures come from.
func (f facts) String() string {
	peers := strings.Join(f.Packages, ", ")
	if peers == "" {
		peers = "versions of the peers unknown"
	}
	return fmt.Sprintf("%s, %s, %d cores, %d GiB, %s, %s, go-fuse %s, ostree %s, %s; %s, in %s; load %s before and %s after.",
		f.Kernel, f.Processor, f.Cores, f.Memory, f.Filesystem, f.Go, f.GoFUSE, f.OSTree, peers, f.Date, f.Took, f.LoadBefore, f.LoadAfter)
}

// processor is its model.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor unknown"
}

// packages are those of Debian that the peers come from, as far as they are installed.
func packages() (list []string) {
	out, _ := exec.Command("dpkg-query", "-W", "-f", "${Package} ${Version}\n", "erofs-utils", "squashfs-tools", "squashfuse", "nginx").Output()
	for line := range bytes.Lines(out) {
		if fields := strings.Fields(string(line)); len(fields) == 2 {
			list = append(list, strings.Join(fields, " "))
		}
	}
	return list
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
