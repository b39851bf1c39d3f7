package compare

import (
	"io"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Commit is a directory of a commit as a side.
type Commit struct {
	Repo *objstore.Repo
	Dir  tree.Entry // whose path is the one that is shown

	mu       sync.Mutex
	last     object.Checksum // of the dirtree that was read last
	tree     object.DirTree
	lastMeta object.Checksum // of the dirmeta that was read last
	meta     object.DirMeta
}

var (
	_ Side        = (*Commit)(nil)
	_ tree.Loader = (*Commit)(nil)
)

// Root is the directory.
func (c *Commit) Root() (Node, error) { return Node{Entry: c.Dir}, nil }

// Children lists files, then directories, each by name.
func (c *Commit) Children(dir Node) ([]Node, error) {
	entries, err := tree.Children(c, dir.Entry)
	nodes := make([]Node, len(entries))
	for i, e := range entries {
		nodes[i].Entry = e
	}
	return nodes, err
}

// Find looks in the dirtree.
func (c *Commit) Find(dir Node, like []Node) ([]Node, error) {
	t, err := c.DirTree(dir.Tree)
	if err != nil {
		return nil, err
	}
	found := make([]Node, len(like))
	for i := range like {
		name, n := nameOf(like[i]), &found[i]
		if k, ok := t.FindFile([]byte(name)); ok {
			n.Path = join(dir.Path, name)
			_, n.Content = t.File(k)
		} else if k, ok := t.FindDir([]byte(name)); ok {
			n.Path = join(dir.Path, name)
			_, n.Tree, n.Meta = t.Dir(k)
		}
	}
	return found, nil
}

// DirTree reads a dirtree; that which was read last is not read again.
func (c *Commit) DirTree(sum object.Checksum) (object.DirTree, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sum == c.last {
		return c.tree, nil
	}
	t, err := c.Repo.DirTree(sum)
	if err == nil {
		c.last, c.tree = sum, t
	}
	return t, err
}

// dirMeta reads a dirmeta; most directories have the one that was read last.
func (c *Commit) dirMeta(sum object.Checksum) (object.DirMeta, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sum == c.lastMeta {
		return c.meta, nil
	}
	m, err := c.Repo.DirMeta(sum)
	if err == nil {
		c.lastMeta, c.meta = sum, m
	}
	return m, err
}

// Sum is what the commit says.
func (c *Commit) Sum(n Node) (object.Checksum, error) {
	if n.IsDir() {
		return n.Meta, nil
	}
	return n.Content, nil
}

// Header reads the content object's, or the dirmeta.
func (c *Commit) Header(n Node) (object.Header, error) {
	if !n.IsDir() {
		return c.Repo.Header(n.Content)
	}
	m, err := c.dirMeta(n.Meta)
	return object.Header{UID: m.UID, GID: m.GID, Mode: m.Mode, Xattrs: m.Xattrs}, err
}

// Open opens the content object.
func (c *Commit) Open(n Node) (io.ReadCloser, error) {
	content, err := c.Repo.Content(n.Content)
	if err != nil {
		return nil, err
	}
	return content, nil
}
