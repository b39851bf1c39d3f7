package tests

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperNames are the links by which mount(8) finds the program.
var helperNames = []string{"mount.fuse.deployfs", "mount.deployfs"}

// overSbin puts, until the test ends, a layer on the directory where mount(8) looks for helpers, and
// returns that directory.
func overSbin(t testing.TB) string {
	t.Helper()
	needFuse(t)
	sbin, err := filepath.EvalSymlinks("/sbin")
	if err != nil {
		t.Fatal(err)
	}
	layer := scratch(t)
	if err := unix.Mount("tmpfs", layer, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(layer, unix.MNT_DETACH) })
	os.Mkdir(layer+"/upper", 0o755)
	os.Mkdir(layer+"/work", 0o755)
	err = unix.Mount("overlay", sbin, "overlay", 0, "lowerdir="+sbin+",upperdir="+layer+"/upper,workdir="+layer+"/work")
	need(t, err == nil, "overlayfs on "+sbin+" is not possible")
	t.Cleanup(func() { unix.Unmount(sbin, unix.MNT_DETACH) })
	return sbin
}

// installHelper makes mount(8) find the program.
func installHelper(t testing.TB) {
	t.Helper()
	sbin := overSbin(t)
	for _, name := range helperNames {
		if err := os.Symlink(binary(t, "deployfs"), sbin+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
}

// writeFstab lets mount(8) read these lines as its table until the test ends.
func writeFstab(t testing.TB, lines ...string) {
	t.Helper()
	path := scratch(t) + "/fstab"
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount(path, "/etc/fstab", "", unix.MS_BIND, "")
	need(t, err == nil, "there is no /etc/fstab to mount a file on")
	t.Cleanup(func() { unix.Unmount("/etc/fstab", unix.MNT_DETACH) })
}

// TestMountHelper mounts with mount(8), by each name of the helper.
func TestMountHelper(t *testing.T) {
	installHelper(t)
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	odd := filepath.Dir(repo) + "/a re#po"
	os.Rename(repo, odd)
	for _, args := range [][]string{
		{"-t", "fuse.deployfs", odd + "#plain"},
		{"-t", "deployfs", odd + "#plain"},
		{"-t", "deployfs", "-nv", odd + "#plain", "-o", "defaults,auto,nofail,_netdev,noatime,user,exec,suid,x-systemd.automount,comment=a b"},
		{"-t", "deployfs", "-s", odd + "#plain", "-o", "made_up=1,another"},
	} {
		dir := scratch(t)
		guardNew(t, dir, func() { must(t, append(append([]string{"mount"}, args...), dir)...) })
		if m := mountsAt(t, dir); len(m) != 1 || m[0].kind != "fuse.deployfs" || !strings.HasPrefix(m[0].source, odd+"#") {
			t.Fatalf("%q: mount table %v", args, m)
		}
		if modeOf(dir+"/usr/bin/tool") == 0 {
			t.Errorf("%q: the tree is not there", args)
		}
		must(t, "umount", dir)
		if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
			t.Errorf("%q: the server lives on after umount(8)", args)
		}
	}
}

// TestMountHelperHistory: a second mount of all commits is a quiet success, whichever form the source
// has; that of something else in its place is not.
func TestMountHelperHistory(t *testing.T) {
	installHelper(t)
	odd := filepath.Join(scratch(t), "a re#po")
	must(t, "cp", "-a", sharedRepo(t, "archive", "plain"), odd)
	sources := []string{odd, odd + "#history"}
	dir := scratch(t)
	mount := func(args ...string) outcome {
		return command{args: append([]string{"mount", "-t", "fuse.deployfs", args[0], dir}, args[1:]...)}.run(t)
	}
	for _, first := range sources {
		guardNew(t, dir, func() { must(t, "mount", "-t", "fuse.deployfs", first, dir, "-o", "history") })
		for _, again := range sources {
			if o := mount(again, "-o", "ro,history"); o.code != 0 || o.out+o.err != "" || len(mountsAt(t, dir)) != 1 {
				t.Errorf("%s: exit %d %q", o.line, o.code, o.out+o.err)
			}
		}
		if o := mount(odd + "#plain"); o.code != 32 || !strings.Contains(o.err, "mounted already") {
			t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
		}
		umounted(t, dir)
	}
	guardNew(t, dir, func() { must(t, "mount", "-t", "fuse.deployfs", odd+"#plain", dir) })
	for _, source := range append(sources, sharedRepo(t, "archive", "plain")) {
		if o := mount(source, "-o", "history"); o.code != 32 || !strings.Contains(o.err, "mounted already") {
			t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
		}
	}
	umounted(t, dir)
}

// TestMountHelperOptions holds that options reach the mount.
func TestMountHelperOptions(t *testing.T) {
	installHelper(t)
	repo, dir, upper := sharedRepo(t, "archive", "plain"), scratch(t), scratch(t)
	options := `verify=always,data=cached,memory=5M,cache-size=7M,cache-dir="` + upper + `/c,d",subpath=/usr,allow_other,nosuid,noexec,no-lock,no-index,mtime=commit`
	guardNew(t, dir, func() { must(t, "mount", "-t", "deployfs", "-o", options, repo+"#plain", dir) })
	r := mountRecords(t)[0]
	if r.Verify != "always" || r.Subpath != "/usr" || r.Memory == nil || r.Memory.Limit > 5<<20 {
		t.Errorf("options %s: %+v, memory %+v", options, r, r.Memory)
	}
	m := mountsAt(t, dir)[0]
	for _, want := range []string{"ro", "nosuid", "nodev", "noexec", "allow_other"} {
		if !hasOption(m.options+","+m.super, want) {
			t.Errorf("options %s: mount table says %s, want %s", options, m, want)
		}
	}
	wantErrno(t, "execute with noexec", unix.Access(dir+"/bin/tool", unix.X_OK), unix.EACCES)
	if tree := snapshot(t, dir); tree["bin/tool"].mtime != time.Unix(1700000000, 0).UnixNano() {
		t.Error("mtime=commit has no effect")
	}
	if _, err := os.Stat(upper + "/c,d"); err != nil {
		t.Error("a comma in a quoted value: ", err)
	}
	umounted(t, dir)

	guardNew(t, dir, func() { must(t, "mount", "-t", "deployfs", "-o", "noexec,overlay="+upper+"/layer", repo+"#plain", dir) })
	if err := os.WriteFile(dir+"/new", nil, 0o644); err != nil || !hasOption(mountsAt(t, dir)[0].options, "noexec") {
		t.Errorf("overlay: %v, %v", err, mountsAt(t, dir))
	}
}

// TestMountHelperStatus holds the exit statuses that mount(8) knows.
func TestMountHelperStatus(t *testing.T) {
	installHelper(t)
	repo, dir, other := sharedRepo(t, "archive", "plain"), scratch(t), scratch(t)
	for _, c := range []struct {
		code    int
		args    string
		message string
	}{
		{1, "-t deployfs {repo}#plain {dir} -o made_up=1", "mount option made_up is not known"},
		{1, "-t deployfs {repo}#plain {dir} -o verify", "verify needs a value"},
		{1, "-t deployfs {repo}#plain {dir} -o verify=maybe", "maybe"},
		{1, "-t deployfs {repo}#plain {dir} -o allow_other=1", "allow_other takes no value"},
		{1, "-t deployfs {repo}#plain {dir} -o ro,overlay={other}", "exclude each other"},
		{1, "-t deployfs {repo}#plain {dir} -o foreground", "foreground is not known"},
		{1, "-t deployfs {repo}#plain {dir} -s -o remount", "remount does not work"},
		{1, "-t deployfs {repo} {dir}", "REPO#REV"},
		{1, "-t fuse.deployfs {repo}# {dir}", "REPO#REV"},
		{32, "-t deployfs {repo}#nope {dir}", "Refspec 'nope' not found"},
		{32, "-t deployfs {repo}/no#plain {dir}", "{repo}/no"},
		{32, "-t deployfs {repo}#plain {dir}/no", "no such file or directory"},
		{0, "-t deployfs -f {repo}#plain {dir}", ""},
		{0, "-t deployfs -s {repo}#plain {dir} -o made_up=1 -f", ""},
	} {
		names := strings.NewReplacer("{repo}", repo, "{dir}", dir, "{other}", other)
		o := command{args: append([]string{"mount"}, strings.Fields(names.Replace(c.args))...)}.run(t)
		if o.code != c.code || !strings.Contains(o.err, names.Replace(c.message)) || o.out != "" || (c.code == 0) != (o.err == "") {
			t.Errorf("%s: exit %d, want %d; %q, want %q", o.line, o.code, c.code, o.err, c.message)
		}
		if isMounted(t, dir) || len(servers()) > 0 {
			t.Fatalf("%s: left a mount or a server", o.line)
		}
	}
}

// TestMountByFuse3 mounts by way of mount.fuse3, which runs the program under its own name.
func TestMountByFuse3(t *testing.T) {
	sbin := overSbin(t)
	need(t, have("mount.fuse3") || have(sbin+"/mount.fuse3"), "mount.fuse3 is not installed (tests/setup.sh installs it)")
	os.Symlink(binary(t, "deployfs"), sbin+"/deployfs")
	repo := sharedRepo(t, "archive", "plain")
	for _, args := range [][]string{
		{"-t", "fuse.deployfs", repo + "#plain", "-o", "subpath=/usr,user,exec"},
		{"-t", "fuse3", "deployfs#" + repo + "#plain", "-o", "subpath=/usr"},
	} {
		dir := scratch(t)
		guardNew(t, dir, func() { must(t, append(append([]string{"mount"}, args...), dir)...) })
		if m := mountsAt(t, dir); len(m) != 1 || m[0].kind != "fuse.deployfs" || modeOf(dir+"/bin/tool") == 0 {
			t.Errorf("%q: %v", args, m)
		}
		umounted(t, dir)
	}
	if o := (command{args: []string{"mount", "-t", "fuse.deployfs", repo, scratch(t)}}).run(t); o.code != 1 || !strings.Contains(o.err, "REPO#REV") {
		t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
	}
}

// TestFstab mounts what /etc/fstab says.
func TestFstab(t *testing.T) {
	installHelper(t)
	base := scratch(t)
	repo := base + "/my re#po"
	must(t, "cp", "-a", sharedRepo(t, "archive", "plain"), repo)
	one, two, off := base+"/m one", base+"/two", base+"/off"
	for _, dir := range []string{one, two, off} {
		os.Mkdir(dir, 0o755)
	}
	fstab := strings.NewReplacer(" ", `\040`, "\t", " ").Replace
	writeFstab(t,
		fstab(repo+"#plain\t"+one+"\tfuse.deployfs\tro,subpath=/usr,x-systemd.automount,nofail\t0\t0"),
		fstab(repo+"#plain\t"+two+"\tdeployfs\tdefaults,comment=b c,_netdev\t0\t0"),
		fstab(repo+"#plain\t"+off+"\tdeployfs\tnoauto\t0\t0"))
	guardNew(t, one, func() { must(t, "mount", one) })
	if modeOf(one+"/bin/tool") == 0 || isMounted(t, two) {
		t.Errorf("mount %s: %v, %v", one, mountsAt(t, one), mountsAt(t, two))
	}
	for range 2 { // what is mounted stays as it is
		guardNew(t, two, func() { must(t, "mount", "-a") })
		if len(mountsAt(t, one)) != 1 || len(mountsAt(t, two)) != 1 || isMounted(t, off) {
			t.Fatalf("mount -a: %v", mountTable(t))
		}
	}
	for _, dir := range []string{one, two} {
		must(t, "umount", dir)
	}
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Error("servers live on after umount")
	}
}

// TestFstabUser lets a user mount and unmount a line with the option user.
func TestFstabUser(t *testing.T) {
	s := newStranger(t)
	installHelper(t)
	repo := sharedRepo(t, "archive", "plain")
	writeFstab(t, repo+"#plain "+s.dir+" fuse.deployfs noauto,user 0 0")
	guardNew(t, s.dir, func() { s.command("mount", s.dir).must(t) })
	m := mountsAt(t, s.dir)[0]
	if m.kind != "fuse.deployfs" || !hasOption(m.options, "noexec") || !hasOption(m.options, "nosuid") {
		t.Errorf("mount table: %s", m)
	}
	if got := accessOf(t, s.dir, []string{"usr/share/doc/README"}); !strings.Contains(got[0], "6 bytes") {
		t.Error("the user's own access: ", got)
	}
	s.command("umount", s.dir).must(t)
	if isMounted(t, s.dir) || !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Error("left after umount: ", mountsAt(t, s.dir), servers())
	}
}

// TestInstall installs into an empty directory.
func TestInstall(t *testing.T) {
	need(t, have("make"), "make is not installed")
	dest, bin := scratch(t), scratch(t)
	command{args: []string{"make", "-s", "install", "DESTDIR=" + dest, "PREFIX=/usr", "BIN=" + bin}, dir: ".."}.must(t)
	for _, name := range helperNames {
		if target, err := os.Readlink(dest + "/sbin/" + name); err != nil || target != "/usr/bin/deployfs" {
			t.Errorf("%s leads to %q, %v", name, target, err)
		}
	}
	for name, mode := range map[string]uint32{
		"usr/bin/deployfs": 0o755, "usr/share/man/man1/deployfs-mount.1": 0o644,
		"usr/share/bash-completion/completions/deployfs": 0o644,
	} {
		if got := modeOf(dest + "/" + name); got&^uint32(syscall.S_IFMT) != mode {
			t.Errorf("%s: mode %o", name, got)
		}
	}
}
