package daemon

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// serving answers with a status on this process's control socket until the test ends.
func serving(t *testing.T, status func() Status) net.Listener {
	t.Helper()
	listener, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		answer(listener, status)
		close(done)
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener
}

var full = Status{
	Mountpoint: "/mnt", Repo: "/repo", Rev: "main", Commit: strings.Repeat("c", 64), Subpath: "usr", Overlay: "/overlay",
	Verify: "first", Partial: true, Locked: true, Connection: 41, PID: 42, Since: time.Unix(1700000000, 5).UTC(),
	Requests: 1, Bytes: 1 << 60, Errors: 3, Nodes: 4, OpenFiles: 5, Memory: Usage{6, 7}, Cache: Usage{8, 9},
}

// TestControl asks a server for its status, over and over.
func TestControl(t *testing.T) {
	dir := private(t)
	calls := 0
	listener := serving(t, func() Status {
		calls++
		return full
	})
	for range 3 {
		list, err := servers()
		if err != nil || len(list) != 1 || list[0] != full {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	if calls != 3 {
		t.Errorf("asked %d times", calls)
	}
	info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("%d.sock", os.Getpid())))
	if err != nil || info.Mode().Type() != os.ModeSocket {
		t.Errorf("%v, %v", info, err)
	}
	listener.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if list, err := servers(); err != nil || list == nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestServersOfAllKinds: the dead are removed, and those that say nothing
// sensible do not keep others from being listed.
func TestServersOfAllKinds(t *testing.T) {
	dir := private(t)
	serving(t, func() Status { return full })
	junk, err := net.Listen("unix", filepath.Join(dir, "1.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer junk.Close()
	go func() {
		for {
			conn, err := junk.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "junk")
			conn.Close()
		}
	}()
	silent, err := net.Listen("unix", filepath.Join(dir, "2.sock")) // never accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	stale(t, filepath.Join(dir, "3.sock"))
	for _, name := range []string{"file", "4.socket"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	list, err := servers()
	if err != nil || len(list) != 1 || list[0] != full {
		t.Errorf("%+v, %v", list, err)
	}
	if d := time.Since(start); d > controlTime+3*time.Second {
		t.Errorf("took %s", d)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"1.sock", "2.sock", "4.socket", fmt.Sprintf("%d.sock", os.Getpid()), "file"}; err != nil || !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
		t.Errorf("left are %q, %v, want %q", names, err, want)
	}
	os.Remove(filepath.Join(dir, "file"))
	os.Remove(filepath.Join(dir, "4.socket"))
}

// stale leaves the socket of a server that died.
func stale(t *testing.T, path string) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	listener.Close()
}

// TestListenAgain: a socket of a dead process that had this one's number is no obstacle.
func TestListenAgain(t *testing.T) {
	dir := private(t)
	stale(t, filepath.Join(dir, fmt.Sprintf("%d.sock", os.Getpid())))
	serving(t, func() Status { return full })
	if list, err := servers(); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestList shows servers that have no entry in the mount table, too: theirs is
// in another namespace.
func TestList(t *testing.T) {
	private(t)
	serving(t, func() Status { return full })
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	want := full
	want.Detached = true
	if !slices.Contains(list, want) {
		t.Errorf("%+v", list)
	}
	if err := awaitEnd(Status{PID: os.Getpid() + 1}); err != nil {
		t.Errorf("waits for a server that is gone: %v", err)
	}
}

// TestStatusNames: scripts read these.
func TestStatusNames(t *testing.T) {
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"mountpoint": "/mnt", "repo": "/repo", "ref": "main", "commit": full.Commit, "subpath": "usr", "overlay": "/overlay",
		"verify": "first", "partial": true, "locked": true, "connection": 41.0, "pid": 42.0, "since": "2023-11-14T22:13:20.000000005Z",
		"requests": 1.0, "bytes": float64(1 << 60), "errors": 3.0, "nodes": 4.0, "open_files": 5.0,
	} {
		if object[name] != want {
			t.Errorf("%s is %v, want %v", name, object[name], want)
		}
	}
	for name, want := range map[string]string{"memory": "map[limit:7 used:6]", "cache": "map[limit:9 used:8]"} {
		if got := fmt.Sprint(object[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	data, err = json.Marshal(Status{Mountpoint: "/mnt"})
	if err != nil || strings.Contains(string(data), "since") || strings.Contains(string(data), "subpath") {
		t.Errorf("%s, %v", data, err)
	}
}

// TestNotify is what a service manager hears.
func TestNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := notify("READY=1"); err != nil {
		t.Errorf("without a service manager: %v", err)
	}
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	if err := notify("READY=1"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	t.Setenv("NOTIFY_SOCKET", path+"-absent")
	if err := notify("READY=1"); err == nil || !strings.HasPrefix(err.Error(), "service manager: ") {
		t.Errorf("%v", err)
	}
}
