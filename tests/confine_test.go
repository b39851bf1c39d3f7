package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// raceBuild tells that the programs are built with the race detector, so with cgo, and can't be confined.
var raceBuild = os.Getenv("DEPLOYFS_RACE") == "1"

// allParts is what a server tells that gave up all that there is to give up.
var allParts = regexp.MustCompile(`^landlock\([2-9]\) caps seccomp$`)

// needLandlock is the condition of every test that wants a server to be confined in full.
func needLandlock(t testing.TB) {
	t.Helper()
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	need(t, errno == 0 && version >= 6, "the kernel has no Landlock of version 6")
}

// wantConfined waits for what list, `deployfs mounts --json`, tells of the mount on dir, and returns its server.
func wantConfined(t testing.TB, list command, dir string) (pid int) {
	t.Helper()
	needLandlock(t)
	var said string
	eventually(5*time.Second, func() bool { // a mount stands before its server is confined
		pid, said = confinement(t, list, dir)
		return said != ""
	})
	if ok := allParts.MatchString(said); !ok && !raceBuild || raceBuild && said != "none: built with cgo" {
		t.Errorf("confinement: %q", said)
	}
	return pid
}

func confinement(t testing.TB, list command, dir string) (pid int, said string) {
	t.Helper()
	var records []struct {
		Mountpoint, Confinement string
		PID                     int
	}
	text := list.must(t)
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		t.Fatalf("mounts --json: %v\n%s", err, text)
	}
	for _, r := range records {
		if r.Mountpoint == dir {
			return r.PID, r.Confinement
		}
	}
	return 0, ""
}

// wantStatus checks lines of /proc/PID/status, in every thread.
func wantStatus(t testing.TB, pid int, want map[string]string) {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if len(tasks) < 2 {
		t.Fatalf("process %d has threads %v", pid, tasks)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if os.IsNotExist(err) {
			continue // a thread that ended
		}
		for line, value := range want {
			if !bytes.Contains(text, []byte("\n"+line+":\t"+value+"\n")) {
				t.Errorf("%s: no %s of %s in\n%s", task, line, value, text)
			}
		}
	}
}

// confinedStatus are the lines of a confined process that has kept some capabilities.
func confinedStatus(kept uint64) map[string]string {
	caps, none := fmt.Sprintf("%016x", kept), fmt.Sprintf("%016x", 0)
	return map[string]string{
		"NoNewPrivs": "1", "Seccomp": "2", "CapEff": caps, "CapPrm": caps, "CapInh": none, "CapAmb": none,
	}
}

// TestConfined looks at servers of root, at one of an ordinary user, and at one that was let off.
func TestConfined(t *testing.T) {
	if raceBuild {
		wantConfined(t, listMounts(t), mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain"))
		return
	}
	const read, admin = 1 << unix.CAP_DAC_READ_SEARCH, 1 << unix.CAP_SYS_ADMIN
	for mode, kept := range map[string]uint64{
		"archive": read, "bare": read | admin, "bare-user": read, "bare-user-only": read, "bare-split-xattrs": read,
	} {
		dir := mounted(t, "--repo="+sharedRepo(t, mode, "plain"), "plain")
		want := confinedStatus(kept)
		wantStatus(t, wantConfined(t, listMounts(t), dir), want)
		umounted(t, dir)
	}
	s := newStranger(t)
	guardNew(t, s.dir, func() {
		s.command(binary(t, "deployfs"), "mount", "--repo="+sharedRepo(t, "archive", "plain"), "plain", s.dir).must(t)
	})
	wantStatus(t, wantConfined(t, s.command(binary(t, "deployfs"), "mounts", "--json"), s.dir), confinedStatus(0))
}

// TestNoConfine lets a server keep its rights, and says so.
func TestNoConfine(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "--no-confine", "plain")
	wantStatus(t, onlyServer(t), map[string]string{"NoNewPrivs": "0", "Seccomp": "0"})
	if text := listMounts(t).must(t); !strings.Contains(text, `"confinement": "none: as asked"`) {
		t.Error(text)
	}
	umounted(t, dir)
}

// TestConfinedDoesAll has a server of each kind of repository do all that it does in its life: it says
// nothing, and leaves its index, its cache and its record.
func TestConfinedDoesAll(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		t.Run(mode, func(t *testing.T) {
			parent, upper := clone(t, sharedRepo(t, mode, "traps")), newRepo(t, mode)
			ostree(t, upper, "config", "set", "core.parent", parent)
			want, cache := checkedOut(t, parent, "traps"), scratch(t)+"/cache"
			for _, repo := range []string{parent, upper} {
				f := mountedForeground(t, "--repo="+repo, "--cache-dir="+cache, "traps")
				wantConfined(t, listMounts(t), f.dir)
				same(t, want, snapshot(t, f.dir))
				waitIndex(t, listMounts(t), "used", f.dir)
				dropCaches(t)
				same(t, want, snapshot(t, f.dir))
				umounted(t, f.dir)
				if f.lines() != "" {
					t.Errorf("the server said %q", f.lines())
				}
				if len(indexFiles(t, repo)) != 1 {
					t.Errorf("indexes: %v", indexFiles(t, repo))
				}
			}
			left, _ := filepath.Glob(cache + "/content/??/*")
			if files := len(left); (files > 0) != (mode == "archive") {
				t.Errorf("%d files are in the cache", files)
			}
			if modeOf(cache+"/verified") == 0 {
				t.Error("no record of what was verified")
			}
			if sockets, _ := filepath.Glob("/run/deployfs/*"); len(sockets) > 0 {
				t.Errorf("left behind: %v", sockets)
			}
		})
	}
}

// TestConfinedStranger does the same for an ordinary user, whose indexes go to a cache.
func TestConfinedStranger(t *testing.T) {
	s, repo := newStranger(t), sharedRepo(t, "archive", "plain")
	bin := binary(t, "deployfs")
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "plain", s.dir).must(t) })
	list := s.command(bin, "mounts", "--json")
	wantConfined(t, list, s.dir)
	sums := `cd "$1" && find . -type f -exec sha256sum {} + | sort`
	if got, want := s.command("sh", "-c", sums, "sh", s.dir).must(t), must(t, "sh", "-c", sums, "sh", forest(t, "plain")); got != want {
		t.Errorf("read\n%s\nwant\n%s", got, want)
	}
	waitIndex(t, list, "used", s.dir)
	s.command(bin, "umount", s.dir).must(t)
	for _, pattern := range []string{"content/??/*", "index/*/*.index", "verified"} {
		if found, _ := filepath.Glob(s.home + "/.cache/deployfs/" + pattern); len(found) == 0 {
			t.Errorf("no %s in the cache", pattern)
		}
	}
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Error("the server lives on")
	}
}

// TestLostCache removes the cache directory, which a confined server can't make again: content is
// inflated elsewhere, and right.
func TestLostCache(t *testing.T) {
	repo, cache := sharedRepo(t, "archive", "traps"), scratch(t)+"/cache"
	want := snapshot(t, forest(t, "traps"))
	f := mountedForeground(t, "--repo="+repo, "--no-index", "--cache-dir="+cache, "traps")
	for _, name := range []string{"sizes/noise-65536", "sizes/several-mib"} {
		if e, err := readEntry(f.dir + "/" + name); err != nil || e.sum != want[name].sum {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.RemoveAll(cache); err != nil {
			t.Fatal(err)
		}
	}
	umounted(t, f.dir)
	if f.lines() != "" {
		t.Errorf("the server said %q", f.lines())
	}
}

// TestConfinedElsewhere has objects behind a link, and no cache directory that could be used.
func TestConfinedElsewhere(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	apart := scratch(t)
	if err := errJoin(os.Rename(repo+"/objects", apart+"/objects"), os.Symlink(apart+"/objects", repo+"/objects")); err != nil {
		t.Fatal(err)
	}
	if err := errJoin(os.WriteFile(apart+"/file", nil, 0o600), os.Symlink(scratch(t), apart+"/link")); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{"/file", "/file/none", "/link"} {
		f := mountedForeground(t, "--repo="+repo, "--cache-dir="+apart+cache, "plain")
		wantConfined(t, listMounts(t), f.dir)
		same(t, snapshot(t, forest(t, "plain")), snapshot(t, f.dir))
		umounted(t, f.dir)
		if f.lines() != "" {
			t.Errorf("with %s as the cache directory the server said %q", cache, f.lines())
		}
	}
}
