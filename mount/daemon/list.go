package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployfs/mount"
	"deployfs/objstore/object"
)

// goneTime is how long Unmount waits for the server to end.
const goneTime = 5 * time.Second

// List tells about every mount: from its server, oldest first; then, as far as
// the mount table knows them, those whose server does not answer: it is dead,
// or somebody else's.
func List() ([]Status, error) {
	list, err := servers()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Status) int { return a.Since.Compare(b.Since) })
	table, err := mount.Table()
	if err != nil {
		return nil, err
	}
	for _, e := range table {
		conn, ok := e.Connection()
		if !ok || e.Type != "fuse.deployfs" || slices.ContainsFunc(list, func(s Status) bool { return s.Connection == conn }) {
			continue
		}
		s := Status{Mountpoint: e.Mountpoint, Connection: conn, Repo: e.Source}
		if at := strings.LastIndexByte(e.Source, '#'); at >= 0 {
			s.Repo, s.Commit = e.Source[:at], e.Source[at+1:]
		}
		list = append(list, s)
	}
	return list, nil
}

// Unmount takes a mount of ours away, and waits for its server to end unless
// lazy is set: then the mount disappears at once, and ends with its last user.
func Unmount(path string, lazy bool) error {
	entry, err := mount.Lookup(path)
	if errors.Is(err, mount.ErrNotMounted) {
		return mount.Unmount(path, lazy) // words it
	}
	if err != nil {
		return err
	}
	list, err := servers()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(s Status) bool { return s.Mountpoint == entry.Mountpoint })
	if at < 0 && !ours(entry) {
		return &Failure{
			Text:   fmt.Sprintf("unmount %s: not a mount of deployfs, but %s of %s", path, entry.Type, entry.Source),
			Remedy: "use umount(8)",
		}
	}
	if err := mount.Unmount(path, lazy); err != nil {
		return err
	}
	if at >= 0 && !lazy {
		return awaitEnd(list[at])
	}
	return nil
}

// ours reports whether a mount was made here, also when its server is dead.
func ours(e mount.Entry) bool {
	at := strings.LastIndexByte(e.Source, '#')
	return e.Type == "fuse.deployfs" || e.Type == "overlay" && at >= 0 && object.IsChecksum(e.Source[at+1:])
}

// awaitEnd waits until a server has given everything back.
func awaitEnd(s Status) error {
	for start := time.Now(); time.Since(start) < goneTime; time.Sleep(2 * time.Millisecond) {
		list, err := servers()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(other Status) bool { return other.PID == s.PID }) {
			return nil
		}
	}
	return fmt.Errorf("unmount %s: the mount is gone, but its server, process %d, still runs", s.Mountpoint, s.PID)
}
