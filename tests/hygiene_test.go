package tests

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDescriptorsDoNotLeak mounts from a shell that holds a lock: the server must not hold it too.
func TestDescriptorsDoNotLeak(t *testing.T) {
	repo, dir := sharedRepo(t, "archive", "plain"), scratch(t)
	lock := scratch(t) + "/lock"
	bin := binary(t, "deployfs")
	guardNew(t, dir, func() {
		must(t, "sh", "-c", `exec 9>"$1" && flock -n 9 && "$2" mount --repo="$3" plain "$4"`, "-", lock, bin, repo, dir)
	})
	if o := (command{args: []string{"flock", "-n", lock, "true"}}).run(t); o.code != 0 {
		t.Error("the server keeps a descriptor, and the lock on it, of the shell that mounted")
	}
	for _, pid := range []int{onlyKeeper(t), onlyServer(t)} {
		of := fmt.Sprintf("/proc/%d/", pid)
		for _, fd := range []string{"0", "1", "2"} {
			target, err := os.Readlink(of + "fd/" + fd)
			traces := fd == "2" && strings.HasPrefix(target, "/memfd:") // a server's, for its keeper
			if err != nil || target != "/dev/null" && !traces {
				t.Errorf("descriptor %s of %s is %q, %v", fd, verbOf(pid), target, err)
			}
		}
		if cwd, err := os.Readlink(of + "cwd"); err != nil || cwd != "/" {
			t.Errorf("the working directory of %s is %q, %v", verbOf(pid), cwd, err)
		}
	}
}

// TestStoppedServer lists mounts while a server is stopped: the list waits for nobody for long.
func TestStoppedServer(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	pid := onlyServer(t)
	syscall.Kill(pid, syscall.SIGSTOP)
	defer syscall.Kill(pid, syscall.SIGCONT)
	start := time.Now()
	if r := mountRecords(t); len(r) != 1 || r[0].Mountpoint != dir {
		t.Errorf("mounts with a stopped server: %+v", r)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("mounts with a stopped server took %s", d)
	}
	syscall.Kill(pid, syscall.SIGCONT)
	if _, err := readEntry(dir + "/usr/bin/tool"); err != nil {
		t.Error("after it goes on: ", err)
	}
}

// TestLongPaths uses paths near the kernel's limits for repository, mountpoint and overlay.
func TestLongPaths(t *testing.T) {
	plain := sharedRepo(t, "archive", "plain")
	for _, length := range []int{300, 1000, 3500} {
		repo, dir := longDir(t, length)+"/r", longDir(t, length)+"/m"
		must(t, "cp", "-a", plain, repo)
		os.Mkdir(dir, 0o755)
		mountOn(t, dir, "--repo="+repo, "plain")
		if modeOf(dir+"/usr/bin/tool") == 0 {
			t.Errorf("%d bytes: the tree is not there", length)
		}
		umounted(t, dir)
	}
	for _, length := range []int{300, 1000} {
		upper := longDir(t, length)
		dir := mounted(t, "--repo="+plain, "--overlay="+upper, "plain")
		umounted(t, dir)
	}
}

// longDir makes a directory with a path of about n bytes.
func longDir(t testing.TB, n int) string {
	t.Helper()
	dir := scratch(t)
	for len(dir) < n {
		dir += "/" + strings.Repeat("d", min(200, max(n-len(dir)-1, 1)))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestForegroundRefuses has the foreground server say the same as the one in the background.
func TestForegroundRefuses(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	refused(t, "unknown ref", []string{"--repo=" + repo, "--foreground", "nope"}, "Refspec 'nope' not found")
	refused(t, "missing repository", []string{"--repo=" + repo + "/no", "--foreground", "plain"}, repo+"/no")
	dir := scratch(t)
	oneError(t, deployfs(t, "mount", "--repo="+repo, "--foreground", "plain", dir+"/no"), "", dir+"/no")
}
