package keeper

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The names under which a server has the keeper hold the FUSE connection, and what
// may be another file later.
const (
	Device = "fuse"
	Index  = "index"
)

// saved is what a keeper knows, in a form that outlives it.
type saved struct {
	Version    int       `json:"version"`
	Config     []byte    `json:"config"`
	Session    []byte    `json:"session,omitempty"`
	Place      Place     `json:"place"`
	Mortal     bool      `json:"mortal"`
	Foreground bool      `json:"foreground"`
	OOM        string    `json:"oom"`
	Restarts   int       `json:"restarts"`
	Upgrades   int       `json:"upgrades"`
	Server     int       `json:"server"` // process
	Began      time.Time `json:"began"`  // when that was started
	Path       string    `json:"path"`   // of the control socket
}

// kept is what a keeper holds: files by name, and what it knows, in a file, too.
type kept struct {
	saved
	files map[string]*os.File
	state *os.File
}

// stateHalf is the size of each of the two places in the state file. What is
// saved goes to the one that does not count, until its number, which stands
// before both, does.
const stateHalf = 1 << 16

func newKept() (*kept, error) {
	fd, err := unix.MemfdCreate("keeper", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return &kept{files: map[string]*os.File{}, state: os.NewFile(uintptr(fd), "keeper")}, nil
}

// save writes down what the keeper knows.
func (k *kept) save() error {
	data, err := json.Marshal(k.saved)
	if err != nil {
		return err
	}
	if len(data) > stateHalf {
		return fmt.Errorf("state of %d bytes is too large", len(data))
	}
	var head [8]byte
	k.state.ReadAt(head[:], 0)
	half := (head[0] + head[1]) & 1 // the other one, when there is one
	if _, err := k.state.WriteAt(data, 8+int64(half)*stateHalf); err != nil {
		return err
	}
	head = [8]byte{half, 1, 0, 0, byte(len(data)), byte(len(data) >> 8), byte(len(data) >> 16)}
	_, err = k.state.WriteAt(head[:], 0)
	return err
}

// load reads what was saved.
func (k *kept) load() error {
	var head [8]byte
	if _, err := k.state.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	data := make([]byte, int(head[4])|int(head[5])<<8|int(head[6])<<16)
	if _, err := k.state.ReadAt(data, 8+int64(head[0]&1)*stateHalf); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := json.Unmarshal(data, &k.saved); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// hold keeps a file instead of what it kept under that name.
func (k *kept) hold(name string, file *os.File) {
	if old := k.files[name]; old != nil {
		old.Close()
	}
	k.files[name] = file
}

// start is what a server is told first.
func (k *kept) start(version int, waits bool) message {
	m := message{Kind: kindStart, Version: version, Config: k.Config, Session: k.Session, OOM: k.OOM, Waits: waits}
	for _, name := range slices.Sorted(maps.Keys(k.files)) {
		m.Names = append(m.Names, name)
		m.files = append(m.files, k.files[name])
	}
	return m
}
