package delta

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// Complete fails unless the commit's tree is there once all parts are applied and all
// fallbacks fetched: what the delta does not name must be there already. It looks into
// the directories that the delta brings, and takes others to be whole unless it is told
// that they are doubtful, as some commit is partial.
func (s *Superblock) Complete(t *transaction.Transaction, doubtful bool) error {
	commit, err := object.DecodeCommit(s.Commit)
	if err != nil {
		return err
	}
	c := &completer{t: t, commit: s.To, all: doubtful, brought: map[object.Name]struct{}{}, seen: map[object.Name]struct{}{}}
	for _, p := range s.Parts {
		for _, name := range p.Objects {
			c.brought[name] = struct{}{}
		}
	}
	for _, f := range s.Fallbacks {
		c.brought[f.Object] = struct{}{}
	}
	c.need(object.Name{Checksum: commit.Root, Kind: object.KindDirTree})
	c.need(object.Name{Checksum: commit.RootMeta, Kind: object.KindDirMeta})
	return c.walk()
}

type completer struct {
	t       *transaction.Transaction
	commit  object.Checksum
	all     bool                     // directories are looked into
	brought map[object.Name]struct{} // by the delta
	seen    map[object.Name]struct{}
	todo    []object.Name
}

// need adds what was never looked at.
func (c *completer) need(name object.Name) {
	if _, ok := c.seen[name]; !ok {
		c.seen[name] = struct{}{}
		c.todo = append(c.todo, name)
	}
}

func (c *completer) walk() error {
	for len(c.todo) > 0 {
		last := len(c.todo) - 1
		name := c.todo[last]
		c.todo = c.todo[:last]
		if err := c.look(name); err != nil {
			return err
		}
	}
	return nil
}

// look fails unless an object is there, and adds what it needs, if that need not be.
func (c *completer) look(name object.Name) error {
	_, brought := c.brought[name]
	if !brought {
		held, err := c.t.Holds(name)
		if err != nil {
			return err
		}
		if !held {
			return fmt.Errorf("commit %s needs %s, which is neither in the delta nor in the repository", c.commit, name)
		}
	}
	if name.Kind != object.KindDirTree || !brought && !c.all {
		return nil
	}
	return c.enter(name)
}

// enter adds what a directory needs.
func (c *completer) enter(name object.Name) error {
	data, err := c.t.ReadMetadata(name, objstore.MaxMetadata)
	if err != nil {
		return err
	}
	tree, err := object.DecodeDirTree(data)
	if err != nil {
		return object.Corrupt(name, err)
	}
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		c.need(object.Name{Checksum: content, Kind: object.KindFile})
	}
	for i := range tree.NumDirs() {
		_, sub, meta := tree.Dir(i)
		c.need(object.Name{Checksum: sub, Kind: object.KindDirTree})
		c.need(object.Name{Checksum: meta, Kind: object.KindDirMeta})
	}
	return nil
}
