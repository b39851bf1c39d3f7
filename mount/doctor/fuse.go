package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

const (
	fuseDevice  = "/dev/fuse"
	remedyAdmin = "run as root; in a container, start it with `--cap-add SYS_ADMIN --device /dev/fuse`"
	remedyRoot  = "mount as root"
)

func isRoot() bool { return os.Geteuid() == 0 }

// device tells who may open /dev/fuse.
func (m *machine) device(context.Context) Finding {
	var st unix.Stat_t
	if err := unix.Stat(fuseDevice, &st); err != nil {
		return no(fmt.Sprintf("%s: %v", fuseDevice, err), "the device", "`modprobe fuse`; in a container, start it with `--device /dev/fuse`")
	}
	evidence := fmt.Sprintf("%s has mode %04o of %s:%s", fuseDevice, st.Mode&0o7777, userName(st.Uid), groupName(st.Gid))
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return no(fmt.Sprintf("%s; open: %v", evidence, err), "access for this user", "`chmod 666 /dev/fuse`, as udev does; in a container, start it with `--device /dev/fuse`")
	}
	unix.Close(fd)
	if st.Mode&0o006 != 0o006 {
		return partly(evidence+"; this user can open it", "access for every user", "`chmod 666 /dev/fuse`, as udev does, if users are to mount")
	}
	return yes(evidence + "; every user can open it")
}

func userName(id uint32) string {
	if u, err := user.LookupId(strconv.Itoa(int(id))); err == nil {
		return u.Username
	}
	return strconv.Itoa(int(id))
}

func groupName(id uint32) string {
	if g, err := user.LookupGroupId(strconv.Itoa(int(id))); err == nil {
		return g.Name
	}
	return strconv.Itoa(int(id))
}

// mounting tells whether this user can mount.
func (m *machine) mounting(context.Context) Finding {
	if m.tried == nil && !m.own {
		return yes("a file system was mounted, in a mount namespace of its own")
	}
	if isRoot() {
		return no(m.why(), "CAP_SYS_ADMIN", m.remedy(remedyAdmin))
	}
	if err := mount.Available(); err != nil {
		return no(err.Error(), "the device", m.remedy(remedyAdmin))
	}
	if fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return no(fmt.Sprintf("open %s: %v", fuseDevice, err), "access for this user", "`chmod 666 /dev/fuse`, or "+remedyRoot)
	} else {
		unix.Close(fd)
	}
	if helper := m.fusermount(context.Background()); helper.Answer != Yes {
		return no(helper.Evidence, helper.Missing, helper.Remedy)
	}
	return partly("fusermount3 mounts for this user, nosuid and nodev", "overlays, passthrough, trusted attributes", remedyRoot)
}

// why is why no connection could be tried.
func (m *machine) why() string {
	if m.tried != nil {
		return "not tried: " + m.tried.Error()
	}
	return "only in a user namespace of its own"
}

// remedy is what the error of the try says, or else.
func (m *machine) remedy(otherwise string) string {
	if h := hinter(nil); errors.As(m.tried, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}

// passthrough tells whether the kernel reads files by itself.
func (m *machine) passthrough(context.Context) Finding {
	const needs = "Linux 6.9 with CONFIG_FUSE_PASSTHROUGH"
	switch {
	case m.tried != nil && !m.kernel.least(6, 9):
		return no("the kernel is older than 6.9", needs, "")
	case m.tried != nil:
		return partly(m.why()+"; the kernel is new enough", "", m.remedy(remedyAdmin))
	case m.session.Flags&flagPassthrough == 0:
		return no("the kernel does not offer it", needs, "")
	case m.session.Passthrough == "":
		return yes("the kernel took " + m.sample)
	case !isRoot():
		return partly("the kernel offers it", "root", remedyRoot)
	}
	return no("the kernel offers it, but did not take "+m.sample+": "+m.session.Passthrough, "a file system that is not stacked", "keep the repository, and with archive mode the cache, on a local file system such as ext4, xfs or btrfs")
}

// resend tells whether a server that takes over gets what was in flight.
func (m *machine) resend(context.Context) Finding {
	const missing = "readers wait no longer than the server's death; its successor can't ask for their requests again"
	switch {
	case m.tried == nil && m.session.Flags&flagResend != 0:
		return yes("the kernel offers it")
	case m.tried != nil && m.kernel.least(6, 9):
		return partly(m.why()+"; the kernel is new enough", "", m.remedy(remedyAdmin))
	}
	return no("the kernel does not offer it", missing, "Linux 6.9")
}

// overlay tells whether a writable layer can be put on top.
func (m *machine) overlay(context.Context) Finding {
	switch {
	case m.tried != nil:
		return partly(m.why(), "", m.remedy(remedyAdmin))
	case m.session.Overlay != "":
		return no(m.session.Overlay, "overlayfs", "`modprobe overlay`")
	case m.own:
		return partly("a layer could be written to, as root of a user namespace", "root", "mount as root; or `unshare -Urm`, and mount in there")
	}
	return yes("a layer on top could be written to")
}
