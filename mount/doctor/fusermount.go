package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

const (
	fuseConf    = "/etc/fuse.conf"
	maxFuseConf = 1 << 20 // bytes of it that are read
)

// fusermount tells whether there is what mounts for users.
func (m *machine) fusermount(ctx context.Context) Finding {
	const missing = "mounts by users; root needs none"
	program, err := mount.Fusermount()
	if err != nil {
		return no("not found in $PATH", missing, "install the Debian package fuse3")
	}
	var st unix.Stat_t
	if err := unix.Stat(program, &st); err != nil {
		return no(fmt.Sprintf("%s: %v", program, err), missing, "install the Debian package fuse3")
	}
	if st.Uid != 0 || st.Mode&unix.S_ISUID == 0 {
		return no(fmt.Sprintf("%s is not setuid root", program), missing, "`chown root "+program+" && chmod 4755 "+program+"`")
	}
	cmd := exec.CommandContext(ctx, program, "-V")
	out, err := cmd.Output()
	if err != nil {
		return no(fmt.Sprintf("%s -V: %v", program, err), missing, "install the Debian package fuse3")
	}
	return yes(fmt.Sprintf("%s, setuid root, %.60s", program, strings.TrimSpace(string(out))))
}

// allowOther tells who may let other users in.
func (m *machine) allowOther(context.Context) Finding {
	if userAllowOther() {
		return yes(fuseConf + " says user_allow_other")
	}
	evidence := fuseConf + " does not say user_allow_other"
	if isRoot() {
		return partly(evidence+"; root may let others in all the same", "--allow-other for users", "`echo user_allow_other >>"+fuseConf+"`")
	}
	return no(evidence, "--allow-other for users", "as root: `echo user_allow_other >>"+fuseConf+"`")
}

func userAllowOther() bool {
	f, err := os.Open(fuseConf)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxFuseConf))
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "user_allow_other" {
			return true
		}
	}
	return false
}
