package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployfs/mount"
	"deployfs/mount/keeper"
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
	for i := range list {
		at := slices.IndexFunc(table, func(e mount.Entry) bool { return e.Dev.String() == list[i].Device })
		list[i].Detached = at < 0
		if at >= 0 && list[i].PID == 0 {
			list[i].fromTable(table[at])
		}
	}
	for _, e := range table {
		device := e.Dev.String()
		if !ours(e) || slices.ContainsFunc(list, func(s Status) bool { return s.Device == device }) {
			continue
		}
		var s Status
		s.fromTable(e)
		list = append(list, s)
	}
	return list, nil
}

// fromTable takes what the mount table tells.
func (s *Status) fromTable(e mount.Entry) {
	at := strings.LastIndexByte(e.Source, '#')
	s.Mountpoint, s.Device = e.Mountpoint, e.Dev.String()
	s.Repo, s.Commit = e.Source[:max(at, 0)], e.Source[at+1:]
	if s.Commit == historySource {
		s.Commit, s.History = "", true
	}
	s.Connection, _ = e.Connection()
}

// servers are the mounts whose keeper or server answers.
func servers() ([]Status, error) {
	answers, err := keeper.Ask()
	if err != nil {
		return nil, err
	}
	list := []Status{}
	for _, answer := range answers {
		var s Status
		if json.Unmarshal(answer, &s) == nil {
			list = append(list, s)
		}
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
	at := slices.IndexFunc(list, func(s Status) bool { return s.Device == entry.Dev.String() })
	if at < 0 && !ours(entry) {
		return &Failure{
			Text:   fmt.Sprintf("unmount %s: not a mount of deployfs, but %s of %s", Line(path), entry.Type, Line(entry.Source)),
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
	id := s.Keeper
	if id == 0 {
		id = s.PID
	}
	for start := time.Now(); time.Since(start) < goneTime; time.Sleep(2 * time.Millisecond) {
		if !keeper.Alive(id) {
			return nil
		}
	}
	return &Failure{
		Text:   fmt.Sprintf("unmount %s: the mount is gone from here, but its server, process %d, still runs", Line(s.Mountpoint), s.PID),
		Remedy: fmt.Sprintf("another mount namespace, a container's perhaps, may hold a copy: end that, or the mount with `kill %d`", id),
	}
}
