package prune

import (
	"fmt"
	"slices"

	"deployfs/objstore/object"
)

// deleteNamed deletes the commit with this checksum, or its deltas.
func (p *pruner) deleteNamed(text string) error {
	sum, err := object.ParseChecksum(text)
	if p.options.DeleteDeltasOnly {
		if err != nil {
			return nil // no delta leads there
		}
		return p.deltas(func(to object.Checksum) (bool, error) { return to == sum, nil })
	}
	if err != nil {
		return noCommit(text)
	}
	if err := p.checkUnreferenced(sum); err != nil {
		return err
	}
	if slices.Contains(p.used, sum) {
		return &MountedError{sum}
	}
	objects, path := p.repo.ObjectFile(object.Name{Checksum: sum, Kind: object.KindCommit})
	if _, err := sizeOf(objects, path); err != nil {
		return fmt.Errorf("Deleting object %s.commit: unlinkat(%s): %w", sum, path, plain(err))
	}
	p.tombs = true // as ostree does it when it is told which commit to delete
	if err := p.repo.WantTombstones(); err != nil {
		return err
	}
	if err := p.sync.first(); err != nil {
		return err
	}
	return p.deleteCommit(sum)
}

// noCommit is ostree's answer to what is no checksum: it takes it for one.
func noCommit(text string) error {
	path := text
	if len(text) > 1 {
		path = text[:2] + "/" + text[2:] + ".commit"
	}
	return fmt.Errorf("Deleting object %s.commit: unlinkat(%s): No such file or directory", text, path)
}

// checkUnreferenced fails when a ref names the commit.
func (p *pruner) checkUnreferenced(sum object.Checksum) error {
	list, err := p.repo.Refs()
	if err != nil {
		return err
	}
	mirrored, err := p.repo.MirroredRefs()
	if err != nil {
		return err
	}
	for _, ref := range append(list, mirrored...) {
		switch {
		case ref.Checksum != sum.String():
		case ref.Collection != "":
			return fmt.Errorf("Commit '%s' is referenced by (%s, %s)", sum, ref.Collection, ref.Ref)
		default:
			return fmt.Errorf("Commit '%s' is referenced by '%s'", sum, ref)
		}
	}
	return nil
}
