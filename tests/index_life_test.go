package tests

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUmountWhileBuilding: nothing is left of a builder when its mount ends, whatever way.
func TestUmountWhileBuilding(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	os.RemoveAll(repo + "/deployfs")
	release := lockExclusively(t, repo) // for which a builder waits
	defer release()
	var dirs []string
	var pids []int
	for range 3 {
		before := running("serve")
		dirs = append(dirs, mounted(t, "--repo="+repo, "--no-lock", "plain"))
		pids = append(pids, slices.DeleteFunc(running("serve"), func(pid int) bool { return slices.Contains(before, pid) })...)
	}
	if len(pids) != len(dirs) {
		t.Fatalf("%d mounts have servers %v", len(dirs), pids)
	}
	waitIndex(t, listMounts(t), "building", dirs...)
	if !eventually(5*time.Second, func() bool { return len(servers()) == 3*len(dirs) }) {
		t.Fatalf("want a builder for each of the servers %v, have %v", pids, servers())
	}
	ways := []func(){
		func() { umounted(t, dirs[0]) },
		func() { syscall.Kill(pids[1], syscall.SIGTERM) },
		func() {
			syscall.Kill(parentOf(pids[2]), syscall.SIGKILL)
			syscall.Kill(pids[2], syscall.SIGKILL)
		},
	}
	for i, end := range ways {
		end()
		left := 3 * (len(dirs) - i - 1)
		if !eventually(2*time.Second, func() bool { return len(servers()) == left }) {
			t.Errorf("way %d to end: %d processes are left, want %d", i, len(servers()), left)
		}
	}
	must(t, binary(t, "deployfs"), "umount", "--lazy", dirs[2])
	if files := indexFiles(t, repo); len(files) != 0 {
		t.Errorf("left behind: %q", files)
	}
}

// TestStaleIndexDropped: when an object has another size than its index says, that is logged once, the
// index goes, and the next one is built anew. The kernel may ask again, and then sees the file as it is.
func TestStaleIndexDropped(t *testing.T) {
	w := newWounded(t, "bare")
	file := buildIndex(t, w.repo, "main")
	f := mountedForeground(t, "--repo="+w.repo, "--verify=none", "main")
	waitIndex(t, listMounts(t), "used", f.dir)
	sum, path := w.object("small")
	if err := os.Truncate(path, 5); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(f.dir + "/small")
	if info, e := os.Lstat(f.dir + "/small"); e != nil || err == nil && len(data) != int(info.Size()) {
		t.Errorf("a file of %d bytes that says it has %d can be read", len(data), info.Size())
	}
	if lines := f.logged(sum, "/small"); len(lines) != 1 {
		t.Errorf("want one log line with %s, got %q", sum, f.lines())
	}
	state := listMounts(t).indexStates(t)[f.dir]
	if state.State != "none" || state.Error == "" || modeOf(file) != 0 {
		t.Errorf("%+v, mode of the index %o", state, modeOf(file))
	}
	for _, name := range []string{"good/file", "large", "link"} {
		if e, err := readEntry(f.dir + "/" + name); err != nil || e.sum != w.want[name].sum || e.target != w.want[name].target {
			t.Errorf("%s: %v", name, err)
		}
	}
	umounted(t, f.dir)
	if o := deployfs(t, "index", "--repo="+w.repo, "main"); o.code != 0 || modeOf(file) == 0 || strings.Count(f.lines(), "\n") != 1 {
		t.Errorf("%s: exit %d %q, log %q", o.line, o.code, o.err, f.lines())
	}
}

// TestIndexCutWhileUsed: an index that is cut, as a broken disk may do, takes nothing else with it.
func TestIndexCutWhileUsed(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "traps"))
	os.RemoveAll(repo + "/deployfs")
	file := buildIndex(t, repo, "traps")
	f := mountedForeground(t, "--repo="+repo, "traps")
	waitIndex(t, listMounts(t), "used", f.dir)
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	want := snapshot(t, forest(t, "traps"))
	for _, name := range []string{"xattrs/file", "xattrs/dir"} {
		delete(want[name].xattrs, "user.empty") // dropped by ostree
	}
	walkDamaged(t, f.dir, want)
	if f.ended() {
		t.Error("the server died")
	}
	umounted(t, f.dir)
}

// TestIndexDroppedWhileUsed: who uses an index keeps it.
func TestIndexDroppedWhileUsed(t *testing.T) {
	repo := plainClone(t)
	buildIndex(t, repo, "plain")
	f := mountedForeground(t, "--repo="+repo, "plain")
	waitIndex(t, listMounts(t), "used", f.dir)
	if o := deployfs(t, "index", "--repo="+repo, "--drop", "plain"); o.code != 0 || len(indexFiles(t, repo)) != 0 {
		t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
	}
	same(t, snapshot(t, forest(t, "plain")), snapshot(t, f.dir))
	umounted(t, f.dir)
}

// TestIndexFullDisk: where there is no room for an index there is none, and nothing of it.
func TestIndexFullDisk(t *testing.T) {
	needFuse(t)
	repo := clone(t, sharedRepo(t, "archive", "traps"))
	os.RemoveAll(repo + "/deployfs")
	os.MkdirAll(repo+"/deployfs/index", 0o755)
	if err := unix.Mount("tmpfs", repo+"/deployfs/index", "tmpfs", 0, "size=16k,mode=755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(repo+"/deployfs/index", unix.MNT_DETACH) })
	oneError(t, deployfs(t, "index", "--repo="+repo, "traps"), "", "no space left")
	f := mountedForeground(t, "--repo="+repo, "traps")
	waitIndex(t, listMounts(t), "none", f.dir)
	if state := listMounts(t).indexStates(t)[f.dir]; !strings.Contains(state.Error, "no space left") {
		t.Errorf("%+v", state)
	}
	if e, err := readEntry(f.dir + "/same/7"); err != nil || e.size == 0 {
		t.Error(err)
	}
	umounted(t, f.dir)
	if left := indexFiles(t, repo); len(left) != 0 || f.lines() != "" {
		t.Errorf("left behind %d files, log %q", len(left), f.lines())
	}
}

// TestIndexUnderOverlay: a tree whose entries have no xattrs, which the index knows, can be written to.
func TestIndexUnderOverlay(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.RemoveAll(repo + "/deployfs")
	os.Mkdir(upper, 0o755)
	buildIndex(t, repo, "plain")
	dir := mounted(t, "--repo="+repo, "--overlay="+upper, "plain")
	waitIndex(t, listMounts(t), "used", dir)
	dropCaches(t)
	want := snapshot(t, forest(t, "plain"))
	same(t, want, snapshot(t, dir))
	p := &plot{root: dir}
	p.mode("usr/bin/tool", 0o4711)
	p.text("usr/share/doc/README", "changed\n")
	p.xattr("usr/share/doc/00", "user.new", "value")
	p.do("rename", func() error { return os.Rename(p.path("usr/share/doc/01"), p.path("var/moved")) })
	p.do("remove", func() error { return os.RemoveAll(p.path("usr/share/doc/02")) })
	if p.err != nil {
		t.Error(p.err)
	}
	if e, err := readEntry(dir + "/usr/bin/tool"); err != nil || e.sum != want["usr/bin/tool"].sum || e.mode&0o7777 != 0o4711 {
		t.Errorf("a file with a new mode: %o, %v", e.mode, err)
	}
	umounted(t, dir)
}
