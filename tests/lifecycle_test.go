package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPlainUmount ends a mount with umount(8), as an administrator would.
func TestPlainUmount(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	server := onlyServer(t)
	must(t, "umount", dir)
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Errorf("the server (pid %d) lives on after umount(8)", server)
	}
	if isMounted(t, dir) {
		t.Error("still mounted")
	}
}

// TestUmountBusy refuses to end a mount that is in use, unless --lazy is given.
func TestUmountBusy(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	f, err := os.Open(dir + "/usr/bin/tool")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := deployfs(t, "umount", dir)
	if o.code != 1 || !strings.HasPrefix(o.err, "error: ") || !strings.Contains(o.err, dir) || !isMounted(t, dir) {
		t.Errorf("umount of a busy mount: exit %d %q, mounted: %v", o.code, o.err, isMounted(t, dir))
	}
	if o = deployfs(t, "umount", "--lazy", dir); o.code != 0 || isMounted(t, dir) {
		t.Fatalf("umount --lazy: exit %d %q", o.code, o.err)
	}
	data, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(data, noise(1, 300000)) {
		t.Errorf("a file that was open at umount --lazy: %d bytes, %v", len(data), err)
	}
	if len(running("serve")) != 1 {
		t.Error("the server ended while a file was open")
	}
	f.Close()
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Error("the server lives on after the last file was closed")
	}
}

// TestSignals ends a mount by a signal to its keeper or its server, idle and busy: no stale mount is left.
func TestSignals(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		for _, busy := range []bool{false, true} {
			for _, foreground := range []bool{false, true} {
				target := onlyKeeper
				if sig == syscall.SIGTERM && !busy {
					target = onlyServer
				}
				t.Run(fmt.Sprintf("%v busy=%v foreground=%v", sig, busy, foreground), func(t *testing.T) {
					var dir string
					if foreground {
						dir = mountedForeground(t, "--repo="+repo, "plain").dir
					} else {
						dir = mounted(t, "--repo="+repo, "plain")
					}
					endBySignal(t, dir, target, sig, busy)
				})
			}
		}
	}
}

func endBySignal(t *testing.T, dir string, target func(testing.TB) int, sig syscall.Signal, busy bool) {
	if busy {
		f, err := os.Open(dir + "/usr/bin/tool")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	syscall.Kill(target(t), sig)
	if !eventually(5*time.Second, func() bool { return !isMounted(t, dir) }) {
		t.Errorf("still mounted after %v: %v", sig, mountsAt(t, dir))
	}
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Errorf("server still running after %v", sig)
	}
	if _, err := os.ReadDir(dir); err != nil {
		t.Errorf("the mountpoint after %v: %v", sig, err)
	}
}

// TestKilledServer cleans up after a server that was killed together with its keeper.
func TestKilledServer(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for _, lazy := range []bool{false, true} {
		dir := mounted(t, "--repo="+repo, "plain")
		killBoth(t)
		if o := deployfs(t, "mounts"); o.code != 0 {
			t.Errorf("mounts with a dead server: exit %d %q", o.code, o.err)
		}
		other := scratch(t)
		mountOn(t, other, "--repo="+repo, "plain")
		umounted(t, other)
		if lazy {
			must(t, binary(t, "deployfs"), "umount", "--lazy", dir)
		}
		if !lazy {
			umounted(t, dir)
		}
		if isMounted(t, dir) {
			t.Error("a stale mount is left")
		}
	}
}

// TestUmountOfOthers leaves alone what deployfs did not mount.
func TestUmountOfOthers(t *testing.T) {
	needFuse(t)
	binary(t, "deployfs")
	dir := scratch(t)
	oneError(t, deployfs(t, "umount", dir), "", dir)
	oneError(t, deployfs(t, "umount", dir+"/missing"), "", dir+"/missing")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	oneError(t, deployfs(t, "umount", dir), "", dir)
	if !isMounted(t, dir) {
		t.Error("umount took away a tmpfs")
	}
	ours := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	o := deployfs(t, "umount", ours+"/usr")
	if o.code != 1 || !strings.HasPrefix(o.err, "error: ") || !strings.Contains(o.err, ours+"/usr") || !isMounted(t, ours) {
		t.Errorf("umount of a directory inside a mount: exit %d %q, mounted: %v", o.code, o.err, isMounted(t, ours))
	}
}

// TestNestedMounts mounts on a directory of another mount.
func TestNestedMounts(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	outer := mounted(t, "--repo="+repo, "plain")
	inner := outer + "/var/empty"
	mountOn(t, inner, "--repo="+repo, "--subpath=/usr", "plain")
	if modeOf(inner+"/bin/tool") == 0 {
		t.Error("the inner tree is not there")
	}
	if o := deployfs(t, "umount", outer); o.code != 1 || !isMounted(t, inner) {
		t.Errorf("umount of the outer mount: exit %d %q", o.code, o.err)
	}
	umounted(t, inner)
	umounted(t, outer)
}

// mountRecord is what `mounts --json` promises.
type mountRecord struct {
	Mountpoint, Repo, Ref, Commit, Subpath, Overlay, Verify, Since string
	Pid, Keeper, Restarts, Upgrades, Nodes                         int
	Requests, Bytes, Errors                                        uint64
	Memory                                                         *struct{ Used, Limit uint64 }
}

func mountRecords(t testing.TB) []mountRecord {
	t.Helper()
	var records []mountRecord
	o := deployfs(t, "mounts", "--json")
	if err := json.Unmarshal([]byte(o.out), &records); err != nil || o.code != 0 {
		t.Fatalf("mounts --json: exit %d, %v\n%s%s", o.code, err, o.out, o.err)
	}
	return records
}

// TestMounts lists what is mounted.
func TestMounts(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	binary(t, "deployfs")
	if records := mountRecords(t); records == nil || len(records) != 0 {
		t.Errorf("nothing mounted: want [], got %+v", records)
	}
	start := time.Now().Add(-time.Second)
	odd := scratch(t) + "/a\nb c"
	os.Mkdir(odd, 0o755)
	mountOn(t, odd, "--repo="+repo, "--subpath=/usr", "--verify=always", "--memory=5000000", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	snapshot(t, dir)
	records := mountRecords(t)
	slices.SortFunc(records, func(a, b mountRecord) int { return strings.Compare(a.Subpath, b.Subpath) })
	if len(records) != 2 {
		t.Fatalf("two mounts, %d records: %+v", len(records), records)
	}
	r, sum := records[0], ostree(t, repo, "rev-parse", "plain")
	if r.Mountpoint != dir || r.Repo != repo || r.Ref != "plain" || r.Commit != sum || r.Verify != "first" || r.Overlay != "" {
		t.Errorf("record of the plain mount: %+v", r)
	}
	if r.Requests == 0 || r.Bytes < 300000 || r.Errors != 0 || r.Memory == nil || r.Memory.Limit == 0 || r.Memory.Used > r.Memory.Limit {
		t.Errorf("figures of a mount that was read through: %+v, memory %+v", r, r.Memory)
	}
	since, err := time.Parse(time.RFC3339, r.Since)
	if err != nil || since.Before(start) || since.After(time.Now()) {
		t.Errorf("since %q, %v", r.Since, err)
	}
	if !slices.Contains(servers(), r.Pid) {
		t.Errorf("pid %d is no server of ours, these are: %v", r.Pid, servers())
	}
	if r = records[1]; r.Mountpoint != odd || r.Subpath != "/usr" || r.Verify != "always" || r.Memory == nil || r.Memory.Limit > 5000000 {
		t.Errorf("record of the other mount: %+v, memory %+v", r, r.Memory)
	}
	text := deployfs(t, "mounts").out
	if !strings.Contains(text, dir) || !strings.Contains(text, "plain") || strings.Contains(text, "a\nb c") {
		t.Errorf("mounts prints %q: want the mountpoint and the ref, and no raw newline of a name", text)
	}
}

// TestForeground serves until it is unmounted, exits 0, and tells the service manager when it is ready.
func TestForeground(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	socket := scratch(t) + "/notify"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := startForeground(t, []string{"NOTIFY_SOCKET=" + socket}, "--repo="+repo, "plain")
	buf := make([]byte, 4096)
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	n, err := conn.Read(buf)
	for err == nil && strings.HasPrefix(string(buf[:n]), "FDSTORE") { // what the keeper holds
		n, err = conn.Read(buf)
	}
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("no READY=1 on NOTIFY_SOCKET: %q, %v", buf[:n], err)
	}
	if err == nil && modeOf(f.dir+"/usr/bin/tool") == 0 {
		t.Error("READY=1 was sent before the tree could be used")
	}
	eventually(10*time.Second, func() bool { return isMounted(t, f.dir) })
	umounted(t, f.dir)
	select {
	case <-f.end:
		if code := f.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("after umount the server exits %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("the server lives on after umount")
	}
}
