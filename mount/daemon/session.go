package daemon

import (
	"bytes"
	"encoding/gob"
	"os"
	"strconv"
	"time"

	"deployfs/mount/keeper"
	"deployfs/objstore"
	"deployfs/objstore/index"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
)

// session is what the next server of a mount has to know beside the
// configuration. What it holds is part of [fs.StateVersion].
type session struct {
	Mountpoint string
	Device     string // of what is mounted there
	Connection uint32 // number in /sys/fs/fuse/connections
	Since      time.Time
	Commit     string
	Tree       string // of what is shown
	Meta       string
	Mtime      uint64
	Locked     bool
	Data       DataPath
	StackDepth int    // 0: passthrough was not asked of the kernel
	Init       []byte // the kernel's first request
	IndexError string // why the index is used no more

	Server lazy.Server // of a mount of what is on one
	Ref    string      // of it
	Stale  string      // why the commit is what the ref meant earlier
}

// The names under which the keeper holds the files of a mount.
const (
	stateFile = "state"      // of [fs.State]
	indexFile = keeper.Index // in use
	lockFiles = "lock"       // and a number
)

// keep has the keeper hold what the next server needs.
func (s *server) keep(device *os.File) error {
	files := map[string]*os.File{keeper.Device: device, stateFile: s.view.state.File()}
	for i, file := range s.view.lock.Files() {
		files[lockFiles+strconv.Itoa(i)] = file
	}
	for name, file := range files {
		if err := s.keeper.Keep(name, file); err != nil {
			return err
		}
	}
	return nil
}

// save has the keeper remember the session.
func (s *server) save() error {
	data, err := encode(&s.session)
	if err != nil {
		return err
	}
	place := keeper.Place{Mountpoint: []byte(s.session.Mountpoint), Device: s.session.Device}
	return s.keeper.Save(data, place, !s.fuse.Resends())
}

// encode is what the keeper hands on. Paths in it have any encoding.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(value)
	return b.Bytes(), err
}

func decode(data []byte, value any) error { return gob.NewDecoder(bytes.NewReader(data)).Decode(value) }

// change changes the session for the next server, too.
func (s *server) change(edit func(*session)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.session)
	return s.save()
}

// reopen opens the repository of a mount that an earlier server has served.
// Nothing is read but its configuration, as nothing else must be there.
func (s *server) reopen() (v *view, err error) {
	v = &view{}
	if s.cfg.Remote != "" {
		err = v.openRemote(&s.cfg, s.session.Server, s.session.Since, s.report)
	} else {
		v.repo, err = objstore.Open(s.cfg.Repo)
	}
	if err != nil {
		return nil, err
	}
	if s.cfg.History {
		return v, nil
	}
	v.found.Ref = s.session.Ref
	if v.commit, err = object.ParseChecksum(s.session.Commit); err != nil {
		return nil, err
	}
	v.root, err = parseRoot(&s.session)
	return v, err
}

func parseRoot(at *session) (root index.Root, err error) {
	if root.Tree, err = object.ParseChecksum(at.Tree); err == nil {
		root.Meta, err = object.ParseChecksum(at.Meta)
	}
	return root, err
}
