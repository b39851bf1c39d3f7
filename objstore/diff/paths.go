package diff

import (
	"path"
	"slices"
	"strings"
)

// Paths is a set of places in a tree. A nil one is the whole tree.
type Paths struct {
	sorted []string // as [Paths.place] compares: absolute, without a last slash; "" is the root
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

// placement is where a path is, seen from a set.
type placement uint8

const (
	outside placement = iota
	above             // on the way to one of the set
	inside            // one of the set, or below it
)

// place finds where a path is: absolute, that of the root is empty.
func (p *Paths) place(name []byte) placement {
	if p == nil {
		return inside
	}
	own := string(name)
	for i := 0; i <= len(own); i++ { // itself and all that it is below
		if i == len(own) || own[i] == '/' {
			if _, found := slices.BinarySearch(p.sorted, own[:i]); found {
				return inside
			}
		}
	}
	i, _ := slices.BinarySearch(p.sorted, own+"/")
	if i < len(p.sorted) && strings.HasPrefix(p.sorted[i], own+"/") {
		return above
	}
	return outside
}
