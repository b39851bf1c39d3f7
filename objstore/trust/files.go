package trust

import (
	"path/filepath"
	"slices"

	"deployfs/objstore"
)

// Files are the directories and files that a judgement about a repository's
// commits may read, as far as they exist: for a process that is to read nothing
// else. Links are resolved.
func Files(repo *objstore.Repo) []string { return machine.files(repo) }

func (s system) files(repo *objstore.Repo) (paths []string) {
	add := func(path string) {
		if real, err := filepath.EvalSymlinks(path); err == nil && !slices.Contains(paths, real) {
			paths = append(paths, real)
		}
	}
	for _, dir := range s.keys {
		add(dir)
		for _, kind := range []string{"trusted", "revoked"} {
			for _, pattern := range []string{kind + ".ed25519", kind + ".ed25519.d", kind + ".ed25519.d/*"} {
				found, _ := filepath.Glob(filepath.Join(dir, pattern))
				for _, path := range found {
					add(path)
				}
			}
		}
	}
	add(s.places.Dir)
	add(globalKeyrings())
	list, err := s.places.Load(repo)
	if err != nil {
		return paths // none of them counts
	}
	for _, r := range list.All() {
		if path, ok := r.Get("verification-ed25519-file"); ok {
			add(path)
		}
		keys, _ := keyPaths(r)
		for _, path := range keys {
			add(path)
		}
	}
	return paths
}
