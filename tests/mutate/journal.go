package mutate

import (
	"fmt"
	"os"
	"path/filepath"
)

// step is what stood at a path before it was changed: a file that was moved to
// saved, or nothing.
type step struct{ path, saved string }

// clear moves away what is at path, and remembers it.
func (r *Repo) clear(path string) {
	saved := ""
	if _, err := os.Lstat(path); err == nil {
		saved = filepath.Join(r.aside, fmt.Sprint(len(r.steps)))
		r.check(os.Rename(path, saved))
	} else {
		r.check(os.MkdirAll(filepath.Dir(path), 0o755))
	}
	r.steps = append(r.steps, step{path, saved})
}

// put writes a file in place of what is at path.
func (r *Repo) put(path string, data []byte) {
	r.clear(path)
	r.check(os.WriteFile(path, data, 0o644))
}

// Undo takes back all that was changed.
func (r *Repo) Undo() {
	for i := len(r.steps) - 1; i >= 0; i-- {
		s := r.steps[i]
		r.check(os.RemoveAll(s.path))
		if s.saved != "" {
			r.check(os.Rename(s.saved, s.path))
		}
	}
	r.steps = r.steps[:0]
}
