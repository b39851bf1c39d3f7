package mount

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzRights: whatever a helper sends beside its byte, one descriptor is found
// there or none.
func FuzzRights(f *testing.F) {
	f.Add(unix.UnixRights(3))
	f.Add(unix.UnixRights())
	f.Add(unix.UnixRights(3, 4))
	f.Add(unix.UnixCredentials(&unix.Ucred{Pid: 1}))
	f.Add(append(unix.UnixRights(3), unix.UnixRights(4)...))
	f.Fuzz(func(t *testing.T, oob []byte) {
		if fd, err := rights(oob); err == nil && (fd < 0 || len(oob) < unix.CmsgLen(4)) {
			t.Fatalf("descriptor %d in %d bytes", fd, len(oob))
		}
	})
}

// TestReceive takes what a helper left in the socket.
func TestReceive(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for what, c := range map[string]struct {
		send func(socket int) error
		ok   bool
	}{
		"a descriptor": {func(socket int) error {
			return unix.Sendmsg(socket, []byte{0}, unix.UnixRights(int(file.Fd())), nil, 0)
		}, true},
		"a byte alone": {func(socket int) error { return unix.Sendmsg(socket, []byte{0}, nil, nil, 0) }, false},
		"none at all": {func(socket int) error {
			return unix.Sendmsg(socket, []byte{0}, unix.UnixRights(), nil, 0)
		}, false},
		"credentials": {func(socket int) error {
			return unix.Sendmsg(socket, []byte{0}, unix.UnixCredentials(&unix.Ucred{Pid: int32(os.Getpid()), Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}), nil, 0)
		}, false},
		"nothing": {func(socket int) error { return nil }, false},
	} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.send(pair[1]); err != nil {
			t.Fatal(what, err)
		}
		unix.Close(pair[1])
		dev, err := receiveDevice(pair[0])
		unix.Close(pair[0])
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			dev.Close()
		}
	}
}
