package objstore

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// xattrSource lists names and reads values, as llistxattr(2) and lgetxattr(2) do.
type xattrSource struct {
	list func(dest []byte) (int, error)
	get  func(name string, dest []byte) (int, error)
}

func fdXattrs(f *os.File) xattrSource { return descriptorXattrs(int(f.Fd())) }

func descriptorXattrs(fd int) xattrSource {
	return xattrSource{
		func(dest []byte) (int, error) { return unix.Flistxattr(fd, dest) },
		func(name string, dest []byte) (int, error) { return unix.Fgetxattr(fd, name, dest) },
	}
}

func linkXattrs(path string) xattrSource {
	return xattrSource{
		func(dest []byte) (int, error) { return unix.Llistxattr(path, dest) },
		func(name string, dest []byte) (int, error) { return unix.Lgetxattr(path, name, dest) },
	}
}

// pathXattrs are those of what lies at path below dir, itself if it is a link.
// Before Linux 6.13 there was no system call for that.
func pathXattrs(dir *os.File, path string) xattrSource {
	fd := int(dir.Fd())
	old := func() xattrSource { return linkXattrs(fmt.Sprintf("/proc/self/fd/%d/%s", fd, path)) }
	return xattrSource{
		func(dest []byte) (int, error) {
			if n, err := listxattrat(fd, path, dest); !missing(err) {
				return n, err
			}
			return old().list(dest)
		},
		func(name string, dest []byte) (int, error) {
			if n, err := getxattrat(fd, path, name, dest); !missing(err) {
				return n, err
			}
			return old().get(name, dest)
		},
	}
}

// DescriptorXattrs are the extended attributes of an open file, sorted by name,
// without those whose value is empty: what ostree takes of a file.
func DescriptorXattrs(fd int) ([]object.Xattr, error) {
	if n, err := unix.Flistxattr(fd, nil); n == 0 && err == nil {
		return nil, nil
	}
	list, err := descriptorXattrs(fd).read()
	return list, describe(err)
}

// LinkXattrs are those of what is called name in dir, itself if it is a link.
func LinkXattrs(dir *os.File, name string) ([]object.Xattr, error) {
	list, err := pathXattrs(dir, name).read()
	return list, describe(err)
}

// missing reports whether a system call is not there, or not let through.
func missing(err error) bool { return err == unix.ENOSYS || err == unix.EPERM }

func listxattrat(dir int, path string, dest []byte) (int, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(p)), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(unsafe.SliceData(dest))), uintptr(len(dest)), 0)
	return result(n, errno)
}

// xattrArgs is the kernel's struct xattr_args.
type xattrArgs struct {
	value *byte // 64 bits wide for the kernel
	_     [8 - unsafe.Sizeof(uintptr(0))]byte
	size  uint32
	flags uint32
}

func getxattrat(dir int, path, name string, dest []byte) (int, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return 0, err
	}
	key, err := unix.BytePtrFromString(name)
	if err != nil {
		return 0, err
	}
	args := xattrArgs{value: unsafe.SliceData(dest), size: uint32(len(dest))}
	n, _, errno := unix.Syscall6(unix.SYS_GETXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(p)), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(key)), uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args))
	return result(n, errno)
}

func result(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// read returns the xattrs sorted by name. As ostree does, it leaves out those
// with an empty value.
func (s xattrSource) read() ([]object.Xattr, error) {
	names, err := growing(s.list)
	if err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []object.Xattr
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		value, err := growing(func(dest []byte) (int, error) { return s.get(name, dest) })
		if err != nil {
			return nil, fmt.Errorf("xattr %s: %w", name, err)
		}
		if len(value) > 0 {
			list = append(list, object.Xattr{Name: name, Value: value})
		}
	}
	slices.SortFunc(list, func(a, b object.Xattr) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// growing calls read with larger buffers until the answer fits.
func growing(read func([]byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		buf := make([]byte, size)
		n, err := read(buf)
		if err == unix.ERANGE && size <= 1<<16 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n:n], nil
	}
}
