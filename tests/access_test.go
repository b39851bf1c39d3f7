package tests

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// printAccess runs as another user: for each NUL-terminated name on stdin it prints what that user
// may do with it below the working directory.
func printAccess() error {
	names := bufio.NewReader(os.Stdin)
	for {
		name, err := names.ReadString(0)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		name = strings.TrimSuffix(name, "\x00")
		fmt.Printf("%q: %s, read %v, execute %v\n", name, tryOpen(name), unix.Access(name, unix.R_OK), unix.Access(name, unix.X_OK))
	}
}

// tryOpen opens name, lists or reads it, and says what came.
func tryOpen(name string) string {
	var st unix.Stat_t
	if err := unix.Lstat(name, &st); err != nil {
		return fmt.Sprint("lstat: ", err.(unix.Errno))
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return fmt.Sprint("open: ", err)
		}
		unix.Close(fd)
		all, err := readDirents(name)
		return fmt.Sprintf("%d entries, %v", len(all), err)
	case unix.S_IFLNK:
		target, err := os.Readlink(name)
		return fmt.Sprintf("target %.20q, %v", target, err)
	}
	fd, err := unix.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return fmt.Sprint("open: ", err)
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, make([]byte, 16))
	return fmt.Sprintf("%d bytes, %v", n, err)
}

// accessOf asks the other user about each name below dir.
func accessOf(t testing.TB, dir string, names []string) []string {
	t.Helper()
	c := command{args: []string{"/proc/self/exe"}, dir: dir, uid: strangerID, env: []string{helperEnv + "=access"},
		in: strings.Join(names, "\x00") + "\x00"}
	return strings.Split(c.must(t), "\n")
}

// TestOtherUser lets another user go through a mount with --allow-other and through a checkout:
// modes, owners and ACLs decide alike.
func TestOtherUser(t *testing.T) {
	judge := scratch(t) + "/checkout"
	ostree(t, sharedRepo(t, "bare", "traps"), "checkout", "traps", judge)
	names := slices.Sorted(maps.Keys(snapshot(t, judge)))
	want := accessOf(t, judge, names)
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		dir := mounted(t, "--repo="+sharedRepo(t, mode, "traps"), "--allow-other", "traps")
		got := accessOf(t, dir, names)
		if len(got) != len(want) {
			t.Fatalf("%s: %d answers, want %d", mode, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: as another user %s\n\twant %s", mode, got[i], want[i])
			}
		}
	}
}

// TestAccessExpected makes sure that the comparison above means something.
func TestAccessExpected(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "traps"), "--allow-other", "traps")
	for name, want := range map[string]string{
		"acl/granted":    "8 bytes",
		"acl/denied":     "open: permission denied",
		"acl/masked":     "open: permission denied",
		"acl/dir":        "1 entries",
		"acl/dir/inside": "1 bytes",

		"modes/file-0444":       "10 bytes",
		"modes/file-0600":       "open: permission denied",
		"modes/dir-0111":        "open: permission denied",
		"modes/dir-0111/inside": "16 bytes",
		"modes/dir-0444/inside": "lstat: permission denied",
		"owners/65534-65534":    "16 bytes",
		"owners/1000-1000":      "open: permission denied",
	} {
		if got := accessOf(t, dir, []string{name})[0]; !strings.Contains(got, ": "+want) {
			t.Errorf("as another user %s; want %s", got, want)
		}
	}
}

// TestAllowOther checks that another user gets nothing without --allow-other, also of what the kernel knows already.
func TestAllowOther(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	snapshot(t, dir)
	names := []string{dir, dir + "/usr", dir + "/usr/bin/tool", dir + "/usr/none"}
	for _, got := range accessOf(t, work, names)[:len(names)] {
		if !strings.HasSuffix(got, ": lstat: permission denied, read permission denied, execute permission denied") {
			t.Error("without --allow-other another user gets ", got)
		}
	}
	same(t, snapshot(t, forest(t, "plain")), snapshot(t, dir)) // the owner has it all
}

// TestOtherThanStranger checks that an ordinary user's mount is closed to others, root among them.
func TestOtherThanStranger(t *testing.T) {
	s := newStranger(t)
	guardNew(t, s.dir, func() {
		s.command(binary(t, "deployfs"), "mount", "--repo="+sharedRepo(t, "archive", "plain"), "plain", s.dir).must(t)
	})
	if got := accessOf(t, s.dir, []string{"usr/bin/tool"}); !strings.Contains(got[0], "16 bytes") {
		t.Error("the user's own access: ", got)
	}
	for _, name := range []string{s.dir, s.dir + "/usr/bin/tool"} {
		wantErrno(t, "lstat as root of "+name, unix.Lstat(name, new(unix.Stat_t)), unix.EACCES)
		_, err := os.ReadFile(name)
		wantErrno(t, "reading as root "+name, err, unix.EACCES)
	}
	other := command{args: []string{"ls", s.dir + "/usr"}, uid: strangerID + 1}.run(t)
	if other.code == 0 || !strings.Contains(other.err, "ermission denied") {
		t.Errorf("another ordinary user: exit %d %q %q", other.code, other.out, other.err)
	}
	s.command(binary(t, "deployfs"), "umount", s.dir).must(t)
}

// TestLabelsAndCapabilities asks for single xattrs, as programs do.
func TestLabelsAndCapabilities(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "traps"), "traps")
	buf := make([]byte, 4096)
	for _, c := range []struct{ name, attr, want string }{
		{"xattrs/file", "security.selinux", "system_u:object_r:usr_t:s0\x00"},
		{"xattrs/dir", "security.selinux", "system_u:object_r:usr_t:s0\x00"},
		{"xattrs/link", "security.selinux", "system_u:object_r:lib_t:s0\x00"},
		{"xattrs/capability", "security.capability", capability},
		{"xattrs/file", "user.nul", "\x00"},
		{"acl/granted", aclAccess, acl(6, aclUser(strangerID, 4), aclGroupObj(0), aclMask(4), aclOther(0))},
	} {
		n, err := unix.Lgetxattr(dir+"/"+c.name, c.attr, buf)
		if err != nil || string(buf[:n]) != c.want {
			t.Errorf("%s of %s: %q, %v; want %q", c.attr, c.name, buf[:max(n, 0)], err, c.want)
		}
		size, err := unix.Lgetxattr(dir+"/"+c.name, c.attr, nil)
		if err != nil || size != len(c.want) {
			t.Errorf("size of %s of %s: %d, %v; want %d", c.attr, c.name, size, err, len(c.want))
		}
		_, err = unix.Lgetxattr(dir+"/"+c.name, c.attr, buf[:1:1])
		if len(c.want) > 1 {
			wantErrno(t, c.attr+" into one byte", err, unix.ERANGE)
		}
	}
	for _, attr := range []string{"user.none", "security.none", "trusted.none", aclDefault} {
		_, err := unix.Lgetxattr(dir+"/xattrs/file", attr, buf)
		wantErrno(t, attr, err, unix.ENODATA)
	}
	_, err := unix.Llistxattr(dir+"/xattrs/file", buf[:3])
	wantErrno(t, "listxattr into 3 bytes", err, unix.ERANGE)
}
