package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// LowerDir returns the place in dir, the directory of an overlay, where the
// read-only filesystem is mounted while the overlay is made, and makes it where
// it is absent.
func LowerDir(dir string) (string, error) {
	lower := filepath.Join(dir, lowerName)
	if err := os.Mkdir(lower, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", &Error{Op: "overlay", Path: dir, Err: reason(err)}
	}
	return lower, nil
}

// Overlay mounts on target a writable view of lower: what is written goes to
// dir/upper, made at the first call with the owner, mode, time and extended
// attributes of lower; dir/work is for the kernel. The overlay is nosuid, nodev
// and noexec as lower is, and source stands in the mount table. The server of
// lower must be running already.
//
// The kernel keeps a mount of lower of its own for the overlay: lower itself
// can be unmounted (lazily, since the overlay holds its files) and the
// filesystem ends when the overlay is unmounted.
//
// Two overlays at the same time over one dir would damage it, and are refused
// with ErrBusy where the mount table shows it. Bind says that one dir serves
// one lower.
func Overlay(lower, dir, target, source string) error {
	o, err := newOverlay(lower, dir, target, source)
	if err != nil {
		return err
	}
	if err := o.checkFree(); err != nil {
		return err
	}
	if err := o.prepare(); err != nil {
		return &Error{Op: "overlay", Path: dir, Err: reason(err)}
	}
	return o.mount()
}

// overlay is one overlay that is being made. All paths are canonical.
type overlay struct {
	lower, upper, work string
	target             string
	source             string
	flags              uintptr // of the mount: MS_NOSUID, ...
}

func newOverlay(lower, dir, target, source string) (overlay, error) {
	var paths [3]string
	for i, path := range []string{lower, dir, target} {
		name, err := canonical(path)
		if err != nil {
			return overlay{}, &Error{Op: "overlay", Path: path, Err: err}
		}
		paths[i] = name
	}
	o := overlay{
		lower:  paths[0],
		upper:  filepath.Join(paths[1], upperName),
		work:   filepath.Join(paths[1], workName),
		target: paths[2],
		source: source,
	}
	var st unix.Statfs_t
	if err := unix.Statfs(o.lower, &st); err != nil {
		return overlay{}, &Error{Op: "overlay", Path: lower, Err: err}
	}
	// The ST_ flags of statfs are the MS_ flags of mount and the MOUNT_ATTR_
	// flags of fsmount.
	o.flags = uintptr(st.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	return o, nil
}

// checkFree refuses an upper directory that another overlay uses. The kernel
// itself only logs a warning.
func (o overlay) checkFree() error {
	table, err := Table()
	if err != nil {
		return err
	}
	for _, e := range table {
		upper, _ := e.SuperOption("upperdir")
		if e.Type == "overlay" && (upper == o.upper || upper == escapeOption(o.upper)) {
			return &Error{Op: "overlay", Path: filepath.Dir(o.upper),
				Err:    fmt.Errorf("%w: it is mounted on %s", ErrBusy, quote(e.Mountpoint)),
				Remedy: fmt.Sprintf("unmount that with `deployfs umount %s`, or use another directory", quote(e.Mountpoint))}
		}
	}
	return nil
}

// mount makes the overlay by the newest way that the kernel knows.
func (o overlay) mount() error {
	err := o.mountByDescriptor()
	if errors.Is(err, errOldKernel) {
		err = o.mountByData()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return o.fail(err, "an overlay needs CAP_SYS_ADMIN: mount as root")
	case errors.Is(err, unix.ENODEV):
		return o.fail(errors.New("the kernel has no overlayfs"), "load the module with `modprobe overlay`")
	case errors.Is(err, unix.EINVAL):
		hint := fmt.Sprintf("%s must lie on a local filesystem such as ext4, xfs, btrfs or tmpfs, itself no overlay; `dmesg` has the reason",
			quote(filepath.Dir(o.upper)))
		return o.fail(fmt.Errorf("the kernel refuses the layers: %w", err), hint)
	}
	return o.fail(err, "")
}

func (o overlay) fail(err error, hint string) error {
	return &Error{Op: "overlay", Path: o.target, Err: err, Remedy: hint}
}

// errOldKernel means that the kernel cannot be handed the layers as
// descriptors, which came with Linux 6.13.
var errOldKernel = errors.New("layers by descriptor are not supported")

// mountByDescriptor hands the layers to the kernel as open directories, so that
// their names may hold any byte and be of any length.
func (o overlay) mountByDescriptor() error {
	context, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return errOldKernel
	}
	defer unix.Close(context)
	for _, layer := range []struct{ option, path string }{
		{"lowerdir+", o.lower}, {"upperdir", o.upper}, {"workdir", o.work},
	} {
		if err := setLayer(context, layer.option, layer.path); err != nil {
			return err
		}
	}
	for _, option := range [][2]string{{"source", o.source}, {"xino", "off"}} {
		// A string is limited to 255 bytes here.
		if err := unix.FsconfigSetString(context, option[0], option[1]); err != nil {
			return errOldKernel
		}
	}
	if err := unix.FsconfigCreate(context); err != nil {
		return contextError(context, err)
	}
	fd, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, int(o.flags))
	if err != nil {
		return contextError(context, err)
	}
	defer unix.Close(fd)
	return unix.MoveMount(fd, "", unix.AT_FDCWD, o.target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// setLayer sets an option of the filesystem context to an open directory.
func setLayer(context int, option, path string) error {
	fd, err := openPath(path)
	if err != nil {
		return fmt.Errorf("%s: %w", quote(path), err)
	}
	defer unix.Close(fd)
	if err := unix.FsconfigSetFd(context, option, fd); err != nil {
		return errOldKernel
	}
	return nil
}

// contextError adds to err what the kernel has left to read in the filesystem
// context: one message a read, "e overlay: reason" when it is an error.
func contextError(context int, err error) error {
	var buf [256]byte
	for {
		n, rerr := unix.Read(context, buf[:])
		if rerr != nil || n <= 0 {
			return err
		}
		if message, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "e "); ok {
			return fmt.Errorf("%s: %w", strings.TrimPrefix(message, "overlay: "), err)
		}
	}
}

// mountByData passes the layers in the option string of mount(2).
func (o overlay) mountByData() error {
	data := o.data()
	if len(data) >= os.Getpagesize() {
		return unix.ENAMETOOLONG
	}
	return unix.Mount(o.source, o.target, "overlay", o.flags, data)
}

func (o overlay) data() string {
	return fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,xino=off",
		strings.ReplaceAll(escapeOption(o.lower), ":", `\:`), escapeOption(o.upper), escapeOption(o.work))
}

// escapeOption protects what separates the options of overlayfs. Only in
// lowerdir is the colon another separator.
var escapeOption = strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace
