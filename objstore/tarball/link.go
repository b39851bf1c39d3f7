package tarball

import (
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// links are the hard links of an archive, by target. They are made when all
// entries are there: a link may come before its target, and any of those of one
// file may be the one that has the content.
type links struct {
	targets  []string // in the order of the archive
	byTarget map[string][]link
}

type link struct {
	dir     *mtree.Tree
	name    string
	content bool // it came with content of its own
}

func (l *links) add(target string, one link) {
	if l.byTarget == nil {
		l.byTarget = make(map[string][]link)
	}
	if l.byTarget[target] == nil {
		l.targets = append(l.targets, target)
	}
	l.byTarget[target] = append(l.byTarget[target], one)
}

// resolve gives all links their content objects.
func (l *links) resolve(root *mtree.Tree) error {
	for _, target := range l.targets {
		if err := resolve(root, target, l.byTarget[target]); err != nil {
			return fmt.Errorf("ostree-tar: Processing deferred hardlink %s: %w", target, err)
		}
	}
	return nil
}

// resolve gives the links to target one content: that of the first that has some,
// else the target's.
func resolve(root *mtree.Tree, target string, list []link) error {
	parts, err := split(target)
	if err != nil {
		return err
	}
	for _, one := range list {
		if !one.content {
			continue
		}
		if err := moveTo(root, parts, target, one); err != nil {
			return fmt.Errorf("Failed importing hardlink: %w", err)
		}
		break
	}
	content, err := lookup(root, parts, target)
	if err != nil {
		return fmt.Errorf("Failed to find object: %w", err)
	}
	for _, one := range list {
		if err := one.dir.SetFile(one.name, content); err != nil {
			return fmt.Errorf("Failed to replace file: %w", err)
		}
	}
	return nil
}

// moveTo gives the target the content of one of its links.
func moveTo(root *mtree.Tree, parts []string, target string, from link) error {
	_, content, found, err := from.dir.Lookup(from.name)
	if err != nil {
		return err
	}
	if !found || content.IsZero() {
		return &tree.Error{Path: from.name, Err: unix.ENOENT}
	}
	dir, err := walk(root, parts)
	if err != nil {
		return err
	}
	return dir.SetFile(base(target), content)
}

// lookup finds a link's target, which must be a file.
func lookup(root *mtree.Tree, parts []string, target string) (content object.Checksum, err error) {
	dir, err := walk(root, parts)
	if err != nil {
		return content, err
	}
	sub, content, found, err := dir.Lookup(base(target))
	switch {
	case err != nil:
	case !found:
		err = &tree.Error{Path: base(target), Err: unix.ENOENT}
	case sub != nil:
		err = fmt.Errorf("Expected hardlink file target at \"%s\" but found a directory", target)
	}
	return content, err
}
