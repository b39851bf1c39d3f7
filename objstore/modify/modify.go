package modify

import (
	"sync"

	"deployfs/objstore/object"
)

const (
	permissions = 0o7777
	executable  = 0o111
	writable    = 0o222
	canonical   = 0o755
)

// Modifier says what to change. The zero Modifier, and a nil one, change nothing.
// Its methods may be called at the same time.
type Modifier struct {
	UID, GID *uint32 // the owner of all; nil for that of each

	ReadOnlyExecutables bool // nobody may write to an executable
	NoXattrs            bool
	// Canonical is what a bare-user-only repository can hold: owner 0:0, of the
	// permissions of files and directories the bits 0755, no xattrs.
	Canonical bool

	mu        sync.Mutex // of what follows
	overrides map[string]override
	skips     map[string]bool // true when met
}

// DropsXattrs reports whether all xattrs are dropped, so that nobody need read them.
func (m *Modifier) DropsXattrs() bool { return m != nil && (m.NoXattrs || m.Canonical) }

// Apply changes h, which is of the file at path, absolute in the tree: "/" is its
// root. A directory's header has its type bits. It reports whether the file is to be
// left out, a directory with all that is below it.
func (m *Modifier) Apply(path string, h *object.Header) (skip bool) {
	if m == nil {
		return false
	}
	if m.UID != nil {
		h.UID = *m.UID
	}
	if m.GID != nil {
		h.GID = *m.GID
	}
	if m.ReadOnlyExecutables && h.Mode&object.ModeType == object.ModeRegular && h.Mode&executable != 0 {
		h.Mode &^= writable
	}
	skip = m.applyLists(path, h)
	if m.Canonical {
		canonicalise(h)
	}
	if m.DropsXattrs() {
		h.Xattrs = nil
	}
	return skip
}

// applyLists applies the statoverride and skip-list files. As in ostree a path is
// skipped once: where two sources have it, the second one's stays.
func (m *Modifier) applyLists(path string, h *object.Header) (skip bool) {
	if m.overrides == nil && m.skips == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applyOverride(path, h)
	if met, listed := m.skips[path]; listed && !met {
		m.skips[path] = true
		return true
	}
	return false
}

func canonicalise(h *object.Header) {
	h.UID, h.GID = 0, 0
	if h.Mode&object.ModeType != object.ModeSymlink {
		h.Mode &= object.ModeType | canonical
	}
}
