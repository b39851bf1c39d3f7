package tarball

import (
	"fmt"
	"strings"
)

const maxPath = 4096 // bytes, Linux's PATH_MAX

// relative is an archived path as one from the root on: the root itself is "".
// One that leaves the root is an error.
func relative(path string) (string, error) {
	for strings.HasPrefix(path, "/") {
		path = path[1:]
		if strings.HasPrefix(path, "../") {
			path = path[2:]
		}
	}
	for strings.HasPrefix(path, "./") || strings.HasPrefix(path, "/") {
		path = strings.TrimPrefix(strings.TrimPrefix(path, "."), "/")
	}
	if path == "." {
		path = ""
	}
	if _, err := split(path); err != nil {
		return "", fmt.Errorf("While making relative path %q:%w", clip(path), err)
	}
	return path, nil
}

// split lists the parts of a relative path.
func split(path string) ([]string, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("Path '%s' is too long", clip(path))
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			return nil, fmt.Errorf("Invalid uplink '..' in path %s", path)
		default:
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// clip shortens what an error is to name.
func clip(path string) string { return path[:min(len(path), 200)] }

// base is the last part of a path, "" where that ends with a slash.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
