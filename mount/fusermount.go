package mount

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// helperMount is FUSE through fusermount3: the helper opens /dev/fuse, mounts,
// and sends the descriptor over a socket.
func helperMount(path string, opts Options) (*os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, &Error{Op: "mount", Path: path, Err: fmt.Errorf("socketpair: %w", err)}
	}
	defer unix.Close(pair[0])
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()

	if err := runHelper("mount", path, theirs, "-o", opts.helperOptions()); err != nil {
		return nil, err
	}
	theirs.Close()
	dev, err := receiveDevice(pair[0])
	if err != nil {
		_ = Unmount(path, true)
		return nil, &Error{Op: "mount", Path: path, Err: fmt.Errorf("descriptor from fusermount3: %w", err)}
	}
	return dev, nil
}

// helperOptions returns the -o argument. fusermount3 splits it at commas and
// lets a backslash protect the next byte in the values of fsname and subtype,
// and only there; any other byte, a newline too, stands for itself.
func (o Options) helperOptions() string {
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace
	s := "ro,nosuid,nodev," + o.common() + ",fsname=" + escape(o.source())
	if o.NoExec {
		s = "noexec," + s
	}
	if o.Subtype != "" {
		s += ",subtype=" + escape(o.Subtype)
	}
	return s
}

// descriptorSize is what a descriptor takes in a control message, in bytes.
const descriptorSize = 4

// receiveDevice takes the descriptor that an ended fusermount3 has left in the
// socket.
func receiveDevice(socket int) (*os.File, error) {
	var data [1]byte
	oob := make([]byte, unix.CmsgSpace(descriptorSize))
	_, n, _, _, err := unix.Recvmsg(socket, data[:], oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil {
		return nil, err
	}
	fd, err := rights(oob[:n])
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fuseDevice), nil
}

// rights is the descriptor in a control message.
func rights(oob []byte) (fd int, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return -1, err
	}
	if len(messages) != 1 {
		return -1, errors.New("none was sent")
	}
	if len(messages[0].Data) != descriptorSize { // ParseUnixRights panics for parts of one
		return -1, errors.New("not one was sent")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err == nil && fds[0] < 0 {
		err = errors.New("none was sent")
	}
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}
