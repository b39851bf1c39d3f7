package modify

import (
	"maps"
	"slices"
	"strings"
)

// AddSkipList reads a skip-list file: paths, one a line.
func (m *Modifier) AddSkipList(text string) {
	for path := range strings.SplitSeq(text, "\n") {
		if path == "" {
			continue
		}
		if m.skips == nil {
			m.skips = make(map[string]bool)
		}
		m.skips[path] = false
	}
}

// UnmatchedError names the paths of a list that met no file, sorted.
type UnmatchedError struct {
	List  string // "statoverride" or "skip-list"
	Paths []string
}

func (e *UnmatchedError) Error() string { return "Unmatched " + e.List + " paths" }

// Lines names each path on a line of its own, as ostree does before the error.
func (e *UnmatchedError) Lines() string {
	var b strings.Builder
	for _, path := range e.Paths {
		b.WriteString("Unmatched " + e.List + " path: " + path + "\n")
	}
	return b.String()
}

// Unmatched is an [*UnmatchedError] when paths of a list have met nothing. As in
// ostree, a mode that was to be set is not among them.
func (m *Modifier) Unmatched() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	overrides := maps.Clone(m.overrides)
	maps.DeleteFunc(overrides, func(_ string, o override) bool { return o.met || !o.adds })
	if len(overrides) > 0 {
		return &UnmatchedError{"statoverride", slices.Sorted(maps.Keys(overrides))}
	}
	skips := maps.Clone(m.skips)
	maps.DeleteFunc(skips, func(_ string, met bool) bool { return met })
	if len(skips) > 0 {
		return &UnmatchedError{"skip-list", slices.Sorted(maps.Keys(skips))}
	}
	return nil
}
