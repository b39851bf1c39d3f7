package mount

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// fuseDevice is where a FUSE connection begins.
const fuseDevice = "/dev/fuse"

const (
	hintDevice     = "load the module with `modprobe fuse`; in a container, start it with `--device /dev/fuse`"
	hintCapability = "mounting needs CAP_SYS_ADMIN; in a container, start it with `--cap-add SYS_ADMIN --device /dev/fuse`"
	hintOwnTarget  = "use a directory of your own, or mount as root"
)

// errUnprivileged means that the kernel leaves the mount to fusermount3.
var errUnprivileged = errors.New("not privileged to mount")

// Options say how a FUSE filesystem is mounted. It is always read-only and
// nodev, and the kernel checks permissions by mode and owner
// (default_permissions).
type Options struct {
	// Source is shown in the first column of /proc/mounts. It may hold any
	// byte but NUL; the kernel escapes what would break the table. Empty: the
	// subtype.
	Source string
	// Subtype makes the type "fuse.<Subtype>". Empty: plain "fuse".
	Subtype string
	// AllowOther opens the mount to users other than the one who mounts.
	AllowOther bool
	// NoSuid makes the kernel ignore setuid bits and file capabilities.
	NoSuid bool
	// NoExec makes the kernel refuse to execute programs.
	NoExec bool
	// MaxRead limits the size of a READ request in bytes. 0: no limit.
	MaxRead uint32
}

// FUSE attaches a new FUSE connection to the directory target and returns the
// descriptor through which it is served. The caller owns the descriptor, which
// is in blocking mode and closed on exec. Until a server has answered INIT on
// it, whoever uses the target waits; when the last copy is closed, the mount
// stays behind, dead.
func FUSE(target string, opts Options) (*os.File, error) {
	if err := opts.validate(); err != nil {
		return nil, &Error{Op: "mount", Path: target, Err: err}
	}
	path, err := canonical(target)
	if err != nil {
		return nil, &Error{Op: "mount", Path: target, Err: err}
	}
	dev, err := mountFUSE(path, opts)
	if errors.Is(err, errUnprivileged) {
		return helperMount(path, opts)
	}
	return dev, err
}

// Available tells whether FUSE filesystems can be mounted here at all: the error
// is what FUSE would return for want of the device.
func Available() error {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		return unix.Close(fd)
	case unix.EACCES:
		return nil // fusermount3 may open it
	}
	return &Error{Op: "open", Path: fuseDevice, Err: err, Remedy: hintDevice}
}

// mountFUSE opens the device and calls mount(2). It returns errUnprivileged
// when either is refused to an ordinary user.
func mountFUSE(path string, opts Options) (*os.File, error) {
	// Not os.OpenFile: it would make the descriptor non-blocking, for every
	// process that inherits it too.
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == unix.EACCES {
		return nil, errUnprivileged
	}
	if err != nil {
		return nil, &Error{Op: "open", Path: fuseDevice, Err: err, Remedy: hintDevice}
	}
	err = unix.Mount(opts.source(), path, opts.fstype(), opts.flags(), opts.data(fd))
	if err != nil {
		unix.Close(fd)
		return nil, mountError(path, err)
	}
	return os.NewFile(uintptr(fd), fuseDevice), nil
}

// mountError words the errno of mount(2) on a FUSE filesystem.
func mountError(path string, err error) error {
	hint := ""
	switch {
	case err == unix.EPERM:
		return errUnprivileged
	case err == unix.ENODEV:
		err, hint = errors.New("the kernel has no fuse"), hintDevice
	case err == unix.EACCES && os.Geteuid() == 0:
		hint = "a security module forbids it; in a container, start it with `--security-opt apparmor=unconfined`"
	}
	return &Error{Op: "mount", Path: path, Err: err, Remedy: hint}
}

// validate refuses what mount(2) would refuse without saying why.
func (o Options) validate() error {
	switch {
	case strings.ContainsRune(o.Source, 0) || strings.ContainsRune(o.Subtype, 0):
		return errors.New("NUL byte in the name of the source or type")
	case len(o.source()) >= unix.PathMax:
		return fmt.Errorf("name of the source is longer than %d bytes", unix.PathMax-1)
	}
	return nil
}

func (o Options) source() string {
	switch {
	case o.Source != "":
		return o.Source
	case o.Subtype != "":
		return o.Subtype
	}
	return "fuse"
}

func (o Options) fstype() string {
	if o.Subtype == "" {
		return "fuse"
	}
	return "fuse." + o.Subtype
}

func (o Options) flags() uintptr {
	flags := uintptr(unix.MS_RDONLY | unix.MS_NODEV)
	if o.NoSuid {
		flags |= unix.MS_NOSUID
	}
	if o.NoExec {
		flags |= unix.MS_NOEXEC
	}
	return flags
}

// data returns the option string of mount(2). Source and subtype do not stand
// in it, hence nothing needs an escape.
func (o Options) data(fd int) string {
	return fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,%s",
		fd, unix.S_IFDIR, os.Geteuid(), os.Getegid(), o.common())
}

// common returns the options that mount(2) and fusermount3 both know.
func (o Options) common() string {
	s := "default_permissions"
	if o.AllowOther {
		s += ",allow_other"
	}
	if o.MaxRead != 0 {
		s += fmt.Sprintf(",max_read=%d", o.MaxRead)
	}
	return s
}
