package trust

import (
	"fmt"
	"path/filepath"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/sign"
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
		for _, pattern := range []string{"%s.%s", "%s.%s.d", "%s.%s.d/*"} {
			for _, scheme := range sign.Names() {
				for _, kind := range []string{trusted, revoked} {
					found, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf(pattern, kind, scheme)))
					for _, path := range found {
						add(path)
					}
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
		for _, scheme := range sign.Names() {
			if path, ok := r.Get("verification-" + scheme + "-file"); ok {
				add(path)
			}
		}
		keys, _ := keyPaths(r)
		for _, path := range keys {
			add(path)
		}
	}
	return paths
}
