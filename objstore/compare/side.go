package compare

import (
	"io"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Node is an entry of a side. The zero Node is none.
type Node struct {
	tree.Entry              // Path begins at the side's root; the checksums are those of a commit
	Stat       *unix.Stat_t // of a file of this machine
}

// Exists reports whether there is such an entry.
func (n Node) Exists() bool { return n.Stat != nil || !n.Tree.IsZero() || !n.Content.IsZero() }

// IsDir reports whether the node is a directory.
func (n Node) IsDir() bool {
	if n.Stat != nil {
		return n.Stat.Mode&unix.S_IFMT == unix.S_IFDIR
	}
	return !n.Tree.IsZero()
}

// Side is one of two trees that are compared. Its methods may be called at the same time.
type Side interface {
	// Root is the directory that is compared.
	Root() (Node, error)

	// Children lists a directory in the side's own order.
	Children(dir Node) ([]Node, error)

	// Find looks in a directory for entries that are called as those of another side are: the zero
	// Node for each that is not there.
	Find(dir Node, like []Node) ([]Node, error)

	// Sum is the checksum of a node: a directory's own, without its entries.
	Sum(n Node) (object.Checksum, error)

	// Header is what a node has beside its content.
	Header(n Node) (object.Header, error)

	// Open opens a regular file. Content that is not what its checksum says fails at its end.
	Open(n Node) (io.ReadCloser, error)
}

// nameOf is the last part of a node's path.
func nameOf(n Node) string {
	for i := len(n.Path) - 1; i >= 0; i-- {
		if n.Path[i] == '/' {
			return n.Path[i+1:]
		}
	}
	return n.Path
}

// join is the path of a directory's entry.
func join(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}
