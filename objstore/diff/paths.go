package diff

import (
	"path"
	"slices"
	"strings"
)

// Paths is a set of places in a tree. A nil one is the whole tree.
type Paths struct {
	sorted []string // absolute, without a last slash; "" is the root
}

// NewPaths makes a set of paths from the root on, with or without a leading slash. Each stands for
// itself and all below it.
func NewPaths(names []string) *Paths {
	if len(names) == 0 {
		return nil
	}
	p := new(Paths)
	for _, name := range names {
		p.sorted = append(p.sorted, strings.TrimSuffix(path.Clean("/"+name), "/"))
	}
	slices.Sort(p.sorted)
	p.sorted = slices.Compact(p.sorted)
	return p
}

// Place is where a path is, seen from a set.
type Place uint8

// The places.
const (
	Outside Place = iota
	Above         // on the way to one of the set
	Inside        // one of the set, or below it
)

// Place finds where an absolute path is.
func (p *Paths) Place(name string) Place {
	if p == nil {
		return Inside
	}
	own := strings.TrimSuffix(name, "/")
	for i := 0; i <= len(own); i++ { // itself and all that it is below
		if i == len(own) || own[i] == '/' {
			if _, found := slices.BinarySearch(p.sorted, own[:i]); found {
				return Inside
			}
		}
	}
	i, _ := slices.BinarySearch(p.sorted, own+"/")
	if i < len(p.sorted) && strings.HasPrefix(p.sorted[i], own+"/") {
		return Above
	}
	return Outside
}
