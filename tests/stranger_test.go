package tests

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// stranger is a user without rights, with a home, a mountpoint and a runtime directory.
type stranger struct{ home, dir string }

func newStranger(t testing.TB) stranger {
	t.Helper()
	needFuse(t)
	need(t, have("fusermount3"), "fusermount3 is not installed (tests/setup.sh installs it)")
	need(t, modeOf("/dev/fuse")&0o006 == 0o006, "/dev/fuse is not open to every user")
	s := stranger{home: scratch(t)}
	s.dir = s.home + "/mnt"
	for _, dir := range []string{s.dir, s.home + "/run"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		os.Chown(dir, strangerID, strangerID)
	}
	os.Chown(s.home, strangerID, strangerID)
	return s
}

// command is a command line that the stranger runs.
func (s stranger) command(args ...string) command {
	return command{args: args, uid: strangerID, dir: s.home, env: []string{"HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home + "/run"}}
}

// TestUnprivileged mounts, lists and unmounts without root, through fusermount3.
func TestUnprivileged(t *testing.T) {
	s := newStranger(t)
	bin, repo := binary(t, "deployfs"), sharedRepo(t, "archive", "traps")
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "traps", s.dir).must(t) })
	m := mountsAt(t, s.dir)
	if len(m) != 1 || m[0].kind != "fuse.deployfs" || !hasOption(m[0].options, "ro") || !strings.HasPrefix(m[0].source, repo+"#") {
		t.Fatalf("mount table: %v", m)
	}
	if got := accessOf(t, s.dir, []string{"modes/file-0444", "modes/file-0600"}); !strings.Contains(got[0], "10 bytes") || !strings.Contains(got[1], "denied") {
		t.Error("the user's own access: ", got)
	}
	records := s.command(bin, "mounts", "--json").must(t)
	if !strings.Contains(records, s.dir) {
		t.Errorf("mounts --json does not list the user's mount: %s", records)
	}
	for _, kind := range []string{"links/4095", "names/a\nb", "xattrs/file"} {
		list := s.command("ls", "-ld", "--", s.dir+"/"+kind).run(t)
		if list.code != 0 {
			t.Errorf("ls %q: %s", kind, list.err)
		}
	}
	if o := s.command(bin, "umount", s.dir).run(t); o.code != 0 || isMounted(t, s.dir) {
		t.Errorf("umount: exit %d %q, mounted: %v", o.code, o.err, isMounted(t, s.dir))
	}
}

// TestUnprivilegedSignal checks that a user's server leaves no stale mount.
func TestUnprivilegedSignal(t *testing.T) {
	s := newStranger(t)
	bin, repo := binary(t, "deployfs"), sharedRepo(t, "archive", "plain")
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "plain", s.dir).must(t) })
	endBySignal(t, s.dir, onlyKeeper, syscall.SIGTERM, false)
}

// TestUnprivilegedRefusals checks what only root may do, and what the machine lacks.
func TestUnprivilegedRefusals(t *testing.T) {
	s := newStranger(t)
	bin, repo := binary(t, "deployfs"), clone(t, sharedRepo(t, "archive", "plain"))
	mount := []string{bin, "mount", "--repo=" + repo, "plain", s.dir}

	c := s.command(mount...)
	c.env = append(c.env, "PATH="+s.home)
	oneError(t, c.run(t), s.dir, "fusermount3")

	os.Mkdir(s.home+"/upper", 0o755)
	os.Chown(s.home+"/upper", strangerID, strangerID)
	oneError(t, s.command(bin, "mount", "--repo="+repo, "--overlay="+s.home+"/upper", "plain", s.dir).run(t), s.dir, "root")
	if left, _ := os.ReadDir(s.home + "/upper"); len(left) > 0 {
		t.Errorf("a refused overlay left %v", left)
	}

	conf, _ := os.ReadFile("/etc/fuse.conf")
	if !slices.Contains(strings.Split(string(conf), "\n"), "user_allow_other") {
		oneError(t, s.command(bin, "mount", "--repo="+repo, "--allow-other", "plain", s.dir).run(t), s.dir, "user_allow_other")
	}

	rootDir := scratch(t)
	oneError(t, s.command(bin, "mount", "--repo="+repo, "plain", rootDir).run(t), rootDir, rootDir)

	sum := ostree(t, repo, "rev-parse", "plain")
	os.Chmod(objectPath(repo, sum, "commit"), 0o600)
	oneError(t, s.command(mount...).run(t), s.dir, sum, "ermission denied")
	os.Chmod(objectPath(repo, sum, "commit"), 0o644)

	os.Chmod(repo+"/objects", 0o700)
	oneError(t, s.command(mount...).run(t), s.dir, "ermission denied")
	os.Chmod(repo+"/objects", 0o755)

	_, tool := objectOf(t, repo, "plain", "/usr/bin/tool")
	os.Chmod(contentPath(repo, tool), 0o600)
	guardNew(t, s.dir, func() { s.command(mount...).must(t) })
	if got := accessOf(t, s.dir, []string{"usr/bin/tool", "usr/share/doc/README"}); strings.Contains(got[0], "16 bytes") || !strings.Contains(got[1], "6 bytes") {
		t.Error("one unreadable object: ", got)
	}
}

// TestNoFuseDevice mounts where /dev/fuse is missing.
func TestNoFuseDevice(t *testing.T) {
	needFuse(t)
	repo, dir := sharedRepo(t, "archive", "plain"), scratch(t)
	hidden := `mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"`
	c := command{args: []string{"unshare", "-m", "--propagation", "private", "sh", "-c", hidden, "-", binary(t, "deployfs"), "mount", "--repo=" + repo, "plain", dir}}
	oneError(t, c.run(t), dir, "/dev/fuse")
	if fd, err := unix.Open("/dev/fuse", unix.O_RDWR, 0); err != nil {
		t.Error("the test hid /dev/fuse from itself")
	} else {
		unix.Close(fd)
	}
}
