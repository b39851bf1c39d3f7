package doctor

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// version is that of the kernel.
type version struct {
	major, minor int
	text         string
}

func kernelVersion() (v version) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return v
	}
	v.text = unix.ByteSliceToString(u.Release[:])
	fmt.Sscanf(v.text, "%d.%d", &v.major, &v.minor) // 0.0 is older than all
	return v
}

func (v version) least(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}

// kernelAge tells the versions.
func (m *machine) kernelAge(context.Context) Finding {
	evidence := "Linux " + m.kernel.text
	if m.tried == nil {
		evidence += fmt.Sprintf(", FUSE %d.%d", m.session.Major, m.session.Minor)
	}
	if m.kernel.least(6, 9) {
		return yes(evidence)
	}
	return partly(evidence, "passthrough and resend of Linux 6.9, mounts beneath others of 6.5", "a newer kernel")
}

// beneath tells whether a live mount can be switched without a gap.
func (m *machine) beneath(ctx context.Context) Finding {
	const missing = "a switch of a live mount that no path walk notices"
	var ok bool
	own, err := m.child(ctx, &ok, "beneath")
	switch {
	case err == nil && ok && own:
		return partly("tried in a user namespace of its own", "root", remedyRoot)
	case err == nil && ok:
		return yes("a mount was put beneath another")
	case err == nil:
		return no("a mount that was put beneath another is not in the mount table", missing, "")
	case m.kernel.least(6, 5):
		return partly("not tried: "+err.Error()+"; the kernel is new enough", "", remedyAdmin)
	}
	return no(err.Error(), missing, "Linux 6.5")
}

// userNamespaces tells whether users can make them.
func (m *machine) userNamespaces(ctx context.Context) Finding {
	err := m.run(ctx, ownNamespace(), new(bool), "namespace", nil)
	if err == nil {
		if isRoot() {
			return yes("made one, as root" + limits())
		}
		return yes("made one")
	}
	return no(err.Error()+limits(), "overlays and containers without root",
		"`sysctl user.max_user_namespaces=10000`, and where there are they kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0")
}

// limits are the settings that keep users from it.
func limits() string {
	text := ""
	for name, free := range map[string]string{
		"user/max_user_namespaces": "", "kernel/unprivileged_userns_clone": "1", "kernel/apparmor_restrict_unprivileged_userns": "0",
	} {
		data, err := os.ReadFile("/proc/sys/" + name)
		value := strings.TrimSpace(string(data))
		if err == nil && (value == "0") != (free == "0") {
			text += fmt.Sprintf("; %s is %s", strings.ReplaceAll(name, "/", "."), value)
		}
	}
	return text
}

// landlock tells whether the server can lock itself in.
func (m *machine) landlock(context.Context) Finding {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno == 0 {
		return yes(fmt.Sprintf("ABI %d", abi))
	}
	return no(fmt.Sprintf("landlock_create_ruleset: %v", errno), "a server that can reach its repository and cache only",
		"Linux 5.13 with CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm=")
}

// verity tells whether files can be checked by the kernel.
func (m *machine) verity(context.Context) Finding {
	const missing = "content that the kernel verifies; it is verified here otherwise"
	setting, known := kernelSetting("CONFIG_FS_VERITY")
	if m.Repo == "" {
		switch {
		case setting == "y":
			return yes("the kernel has CONFIG_FS_VERITY")
		case known:
			return no("the kernel has no CONFIG_FS_VERITY", missing, "a kernel with it")
		}
		return partly("the kernel's configuration can't be read", "", "name a repository with --repo")
	}
	fd, err := unix.Open(m.Repo+"/config", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return no(fmt.Sprintf("%s/config: %v", m.Repo, err), missing, "")
	}
	defer unix.Close(fd)
	switch err := measure(fd); {
	case err == nil || err == unix.ENODATA:
		return yes("the repository's file system has it")
	case known && setting != "y":
		return no("the kernel has no CONFIG_FS_VERITY", missing, "a kernel with it")
	default:
		return no(fmt.Sprintf("the repository's file system: %v", err), missing, "ext4 or f2fs with the feature (`tune2fs -O verity DEVICE`), or btrfs")
	}
}

// kernelSetting looks a setting up in the configuration of the running kernel;
// known is false where that can't be read.
func kernelSetting(name string) (value string, known bool) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", false
	}
	for _, path := range []string{"/proc/config.gz", "/boot/config-" + unix.ByteSliceToString(u.Release[:])} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				continue
			}
		}
		lines := bufio.NewScanner(io.LimitReader(r, 16<<20))
		for lines.Scan() {
			if value, ok := strings.CutPrefix(lines.Text(), name+"="); ok {
				return value, true
			}
		}
		return "", lines.Err() == nil
	}
	return "", false
}
