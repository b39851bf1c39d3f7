package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKeeperKilled: the server goes on without its keeper, and says that it is alone. When it dies, too, the mount
// is dead, and umount clears it; the repository's lock is free.
func TestKeeperKilled(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	dir := mounted(t, "--repo="+repo, "plain")
	server := onlyServer(t)
	held, err := os.Open(dir + "/usr/bin/tool")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	syscall.Kill(onlyKeeper(t), syscall.SIGKILL)
	if !eventually(5*time.Second, func() bool { return len(running("keep")) == 0 }) {
		t.Fatal("the keeper lives")
	}
	dropCaches(t)
	same(t, checkedOut(t, repo, "plain"), snapshot(t, dir))
	list := mountRecords(t)
	if len(list) != 1 || list[0].Keeper != 0 || list[0].Pid != server {
		t.Errorf("mounts: %+v", list)
	}
	if o := deployfs(t, "mounts"); !strings.Contains(o.out, "unkept") {
		t.Errorf("mounts: %s", o.out)
	}
	if o := deployfs(t, "upgrade", dir); o.code != 1 || !strings.Contains(o.err, "keeper is gone") || !strings.Contains(o.err, "\nhint: ") {
		t.Errorf("upgrade: exit %d %q", o.code, o.err)
	}
	syscall.Kill(server, syscall.SIGKILL)
	eventually(5*time.Second, func() bool { return len(servers()) == 0 })
	dropCaches(t)
	_, err = os.ReadFile(dir + "/usr/bin/tool")
	wantErrno(t, "read of a dead mount", err, unix.ENOTCONN)
	held.Close()
	umounted(t, dir)
	lockExclusively(t, repo)()
}

// TestKeeperSleeps: requests don't wake the keeper, as they would if it polled the connection.
func TestKeeperSleeps(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	keeper := onlyKeeper(t)
	const requests = 500
	before := switches(t, keeper)
	for i := range requests {
		_, err := os.Lstat(fmt.Sprintf("%s/absent-%d", dir, i))
		wantErrno(t, "lstat", err, unix.ENOENT)
	}
	if n := switches(t, keeper) - before; n > requests/5 { // its own timers
		t.Errorf("the keeper ran %d times during %d requests", n, requests)
	}
}

// switches is how often the threads of a process have gone to sleep.
func switches(t *testing.T, pid int) (n int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of %d", pid)
	}
	for _, file := range files {
		data, _ := os.ReadFile(file) // or it has ended
		_, rest, _ := strings.Cut(string(data), "\nvoluntary_ctxt_switches:")
		var one int
		fmt.Sscan(rest, &one)
		n += one
	}
	return n
}

// TestKilledBeforeAll: servers that are killed while they start are replaced as well.
func TestKilledBeforeAll(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	v := newChaosMount(t, "mount", dir)
	for range 4 {
		if !eventually(10*time.Second, v.kill) {
			t.Fatal("no server")
		}
	}
	dropCaches(t)
	same(t, checkedOut(t, repo, "plain"), snapshot(t, dir))
	if r := mountRecords(t); len(r) != 1 || r[0].Restarts != 4 {
		t.Errorf("%+v", r)
	}
}

// TestDyingServers: many deaths in a short time make pauses, in which umount and mounts work, and a reader waits.
func TestDyingServers(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	f := mountedForeground(t, "--repo="+repo, "plain")
	v := newChaosMount(t, "mount", f.dir)
	for range 8 {
		if !eventually(10*time.Second, v.kill) {
			t.Fatal("no server")
		}
	}
	if lines := f.logged("in a short time", "the 8.", "another takes over in 2s"); len(lines) != 1 {
		t.Errorf("log:\n%s", f.lines())
	}
	list := mountRecords(t)
	if len(list) != 1 || list[0].Pid != 0 || list[0].Mountpoint != f.dir || list[0].Restarts != 8 || list[0].Commit == "" {
		t.Errorf("mounts in a pause: %+v", list)
	}
	dropCaches(t)
	start := time.Now()
	if _, err := os.ReadFile(f.dir + "/usr/bin/tool"); err != nil || time.Since(start) < 500*time.Millisecond {
		t.Errorf("a read in a pause: %v after %v", err, time.Since(start))
	}
	for range 2 {
		if !eventually(10*time.Second, v.kill) {
			t.Fatal("no server")
		}
	}
	start = time.Now()
	umounted(t, f.dir)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("umount in a pause took %v", d)
	}
	if !eventually(5*time.Second, f.ended) {
		t.Error("the keeper lives on")
	}
}

// TestCrash has the keeper log what a server wrote before it crashed.
func TestCrash(t *testing.T) {
	f := mountedForeground(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	syscall.Kill(onlyServer(t), syscall.SIGABRT)
	if !eventually(10*time.Second, func() bool { return strings.Contains(f.lines(), "another takes over") }) {
		t.Errorf("log:\n%s", f.lines())
	}
	if !strings.Contains(f.lines(), "SIGABRT") {
		t.Errorf("no trace in the log:\n%s", f.lines())
	}
	if _, err := os.ReadFile(f.dir + "/usr/bin/tool"); err != nil {
		t.Error(err)
	}
}

// TestUpgrade has the program take over: file handles, mappings and counts go on.
func TestUpgrade(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for _, foreground := range []bool{false, true} {
		dir := ""
		if foreground {
			dir = mountedForeground(t, "--repo="+repo, "plain").dir
		} else {
			dir = mounted(t, "--repo="+repo, "plain")
		}
		keeper, server := onlyKeeper(t), onlyServer(t)
		before := mountRecords(t)[0]
		o := deployfs(t, "upgrade", "--json", dir)
		var done []struct{ Mountpoint, From, To, Error string }
		if err := json.Unmarshal([]byte(o.out), &done); err != nil || o.code != 0 || len(done) != 1 || done[0].Mountpoint != dir || done[0].From != done[0].To {
			t.Errorf("upgrade: exit %d %s%s", o.code, o.out, o.err)
		}
		if o := deployfs(t, "upgrade", "--all"); o.code != 0 || !strings.HasPrefix(o.out, dir+": ") {
			t.Errorf("upgrade --all: exit %d %s%s", o.code, o.out, o.err)
		}
		after := mountRecords(t)[0]
		if after.Keeper != keeper || after.Pid == server || after.Upgrades != 2 || after.Restarts != 0 || after.Since != before.Since || after.Requests < before.Requests {
			t.Errorf("%+v, was %+v", after, before)
		}
		dropCaches(t)
		same(t, checkedOut(t, repo, "plain"), snapshot(t, dir))
		syscall.Kill(keeper, syscall.SIGTERM)
		if !eventually(5*time.Second, func() bool { return len(servers()) == 0 && !isMounted(t, dir) }) {
			t.Errorf("after SIGTERM to the keeper: %v, mounted: %v", servers(), isMounted(t, dir))
		}
	}
}

// TestUpgradeRefused: a program that speaks another version of the state is refused, and the old one goes on.
func TestUpgradeRefused(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	keeper, server := onlyKeeper(t), onlyServer(t)
	o := command{args: []string{otherVersion(t), "upgrade", dir}}.run(t)
	if o.code != 1 || !strings.Contains(o.err, "another version") || !strings.Contains(o.err, dir) || !strings.Contains(o.err, "\nhint: ") {
		t.Errorf("exit %d %q", o.code, o.err)
	}
	if onlyKeeper(t) != keeper || onlyServer(t) != server {
		t.Error("the processes are others")
	}
	if r := mountRecords(t); len(r) != 1 || r[0].Upgrades != 0 || r[0].Restarts != 0 {
		t.Errorf("%+v", r)
	}
	dropCaches(t)
	if _, err := os.ReadFile(dir + "/usr/bin/tool"); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{}, {"--all", dir}, {dir, dir}} {
		if o := deployfs(t, append([]string{"upgrade"}, args...)...); o.code != 2 {
			t.Errorf("upgrade %q: exit %d %q", args, o.code, o.err)
		}
	}
	if o := deployfs(t, "upgrade", scratch(t)); o.code != 1 || !strings.Contains(o.err, "is not mounted") {
		t.Errorf("upgrade of what is not mounted: exit %d %q", o.code, o.err)
	}
}

// otherVersion builds the program with another version of the state.
func otherVersion(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(root + "/fs/state.go")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(source), "const StateVersion = ", "const StateVersion = 1000 + ", 1)
	if changed == string(source) {
		t.Fatal("no StateVersion in fs/state.go")
	}
	dir := scratch(t)
	overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {root + "/fs/state.go": dir + "/state.go"}})
	for name, data := range map[string][]byte{"state.go": []byte(changed), "overlay.json": overlay} {
		if err := os.WriteFile(dir+"/"+name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-overlay", dir+"/overlay.json", "-o", dir+"/deployfs", "deployfs/cmd/deployfs")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir + "/deployfs"
}

// TestUpgradeAfterDeath: a server that has just died is replaced first by the old program; the upgrade is done
// nevertheless, by the new one.
func TestUpgradeAfterDeath(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	v := newChaosMount(t, "mount", dir)
	next := filepath.Join(work, "bin", "next") // servers are told by their directory
	must(t, "cp", binary(t, "deployfs"), next)
	for range 3 {
		if !eventually(10*time.Second, v.kill) {
			t.Fatal("no server")
		}
		must(t, next, "upgrade", dir)
		for _, pid := range []int{onlyKeeper(t), onlyServer(t)} {
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe != next {
				t.Fatalf("%s is %s, %v", verbOf(pid), exe, err)
			}
		}
		must(t, binary(t, "deployfs"), "upgrade", dir)
	}
	if r := mountRecords(t); len(r) != 1 || r[0].Upgrades != 6 {
		t.Errorf("%+v", r)
	}
}

// TestEndAtAnyTime: a signal that comes while the mount is being made, or after it was upgraded, leaves nothing behind.
func TestEndAtAnyTime(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	end := func(f *foreground, what string, after time.Duration) {
		t.Helper()
		time.Sleep(after)
		f.cmd.Process.Signal(syscall.SIGTERM)
		if !eventually(10*time.Second, func() bool { return f.ended() && len(servers()) == 0 }) || isMounted(t, f.dir) {
			t.Fatalf("%s, %v later: ended %v, processes %v, mounts %v", what, after, f.ended(), servers(), mountsAt(t, f.dir))
		}
	}
	for i := range 25 {
		end(startForeground(t, nil, "--repo="+repo, "plain"), "start", time.Duration(i)*time.Millisecond)
	}
	for i := range 5 {
		f := mountedForeground(t, "--repo="+repo, "plain")
		must(t, binary(t, "deployfs"), "upgrade", f.dir)
		for f.server(t) == 0 { // the keeper has become the program anew
			time.Sleep(time.Millisecond)
		}
		end(f, "upgrade", time.Duration(i)*time.Millisecond)
	}
}

// TestUpgradeOfHungServer replaces a server that does not answer.
func TestUpgradeOfHungServer(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	server := onlyServer(t)
	syscall.Kill(server, syscall.SIGSTOP)
	defer syscall.Kill(server, syscall.SIGCONT)
	must(t, binary(t, "deployfs"), "upgrade", dir)
	dropCaches(t)
	if _, err := os.ReadFile(dir + "/usr/bin/tool"); err != nil || onlyServer(t) == server {
		t.Errorf("%v, server %d was %d", err, onlyServer(t), server)
	}
}

// TestOddMountpoint: a path is bytes.
func TestOddMountpoint(t *testing.T) {
	dir := scratch(t) + "/caf\xe9 \xff"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mountOn(t, dir, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	must(t, binary(t, "deployfs"), "upgrade", dir)
	if modeOf(dir+"/usr/bin/tool") == 0 {
		t.Error("the tree is not there")
	}
	syscall.Kill(onlyKeeper(t), syscall.SIGTERM)
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) || isMounted(t, dir) {
		t.Errorf("processes %v, mounts %v", servers(), mountsAt(t, dir))
	}
}
