package pull

import (
	"path"
	"strings"
)

// Where only some paths of a tree are wanted, a directory on the way to them is walked with
// its own path, a way, which ends with a slash. Below the wanted paths the way is "", and all
// is taken: so what is shared between directories is walked once.

// cleaned are paths as ways are compared to them: from the root on, without a slash at the
// end.
func cleaned(subpaths []string) (paths []string) {
	for _, p := range subpaths {
		paths = append(paths, strings.TrimSuffix(path.Clean("/"+p), "/"))
	}
	return paths
}

// follow finds what is wanted of an entry of the directory at way: nothing, all of it, or for
// a directory what is at its own way.
func follow(paths []string, way, name string, dir bool) (next string, wanted bool) {
	if way == "" {
		return "", true
	}
	full := way + name
	through := false
	for _, p := range paths {
		if p == full || p == "" || strings.HasPrefix(full, p+"/") {
			return "", true
		}
		through = through || dir && strings.HasPrefix(p, full+"/")
	}
	return full + "/", through
}
