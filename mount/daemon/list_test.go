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

	"deployfs/mount/keeper"
)

// answering answers with a status on this process's control socket until the test ends.
func answering(t *testing.T, status Status) {
	t.Helper()
	dir, err := keeper.RuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unixpacket", filepath.Join(dir, fmt.Sprintf("%d.sock", os.Getpid())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1000))
			json.NewEncoder(conn).Encode(map[string]any{"kind": "answer", "status": status})
			conn.Close()
		}
	}()
}

var full = Status{
	Mountpoint: "/mnt", Repo: "/repo", Rev: "main", Commit: strings.Repeat("c", 64), Subpath: "usr", Overlay: "/overlay",
	Verify: "first", Partial: true, Locked: true, Connection: 41, PID: 42, Version: "1.2", Counts: keeper.Counts{Keeper: 43, Restarts: 44, Upgrades: 45}, Since: time.Unix(1700000000, 5).UTC(),
	Requests: 1, Bytes: 1 << 60, Errors: 3, Damaged: 2, Nodes: 4, OpenFiles: 5, Memory: Usage{6, 7}, Cache: Usage{8, 9},
}

// TestList shows servers that have no entry in the mount table, too: theirs is
// in another namespace.
func TestList(t *testing.T) {
	private(t)
	answering(t, full)
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
		"verify": "first", "partial": true, "locked": true, "connection": 41.0, "pid": 42.0, "version": "1.2", "keeper": 43.0, "restarts": 44.0, "upgrades": 45.0, "damaged": 2.0, "since": "2023-11-14T22:13:20.000000005Z",
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
