package usage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Other is what a repository has besides objects: files and links, without the
// directories that they are in.
type Other struct {
	Detached Amount // metadata of commits
	Deltas   Amount // static deltas and their indexes
	Summary  Amount // with its signature
	Indexes  Amount // tree indexes
	Scratch  Amount // tmp, and what was inflated for checkouts
	Rest     Amount // config, refs, state, keys, and what is not known
	Unread   int    // directories that this user may not look into
}

// others looks at what is no object.
func others(ctx context.Context, repo *objstore.Repo) (o Other, err error) {
	list, err := os.ReadDir(repo.Path())
	if err != nil {
		return o, err
	}
	for _, top := range list {
		to := o.of(top.Name())
		err := below(ctx, filepath.Join(repo.Path(), top.Name()), &o.Unread, func(path string) {
			switch {
			case top.Name() != "objects":
				to.addPath(path)
			case strings.HasSuffix(path, "."+object.KindCommitMeta.String()):
				o.Detached.addPath(path)
			case !isObject(repo, path):
				o.Rest.addPath(path)
			}
		})
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// of is where the files below a part of the repository count.
func (o *Other) of(name string) *Amount {
	switch name {
	case "deltas", "delta-indexes":
		return &o.Deltas
	case "summary", "summary.sig":
		return &o.Summary
	case "deployfs":
		return &o.Indexes
	case "tmp", "uncompressed-objects-cache":
		return &o.Scratch
	}
	return &o.Rest
}

// isObject reports whether a file below objects is an object of the inventory.
func isObject(repo *objstore.Repo, path string) bool {
	dir, name := filepath.Split(path)
	_, ok := repo.ObjectOf(filepath.Base(dir), name)
	return ok
}

// below visits the files below path, or path itself; a link to a directory is
// followed only there. What disappears meanwhile is not there.
func below(ctx context.Context, path string, unread *int, visit func(path string)) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path += "/"
	}
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrPermission):
			*unread++
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return nil
		}
		visit(path)
		return nil
	})
}

// pruned adds what goes with the commits that a prune deletes.
func (s *survey) pruned(p *Prune) error {
	err := s.held.Each(object.KindCommit, func(n int, sum object.Checksum) error {
		if s.stays(n) {
			return nil
		}
		st, err := statObject(s.repo, object.Name{Checksum: sum, Kind: object.KindCommitMeta})
		if err == nil {
			p.Detached.addFile(&st)
		}
		return nil // most have none
	})
	if err != nil {
		return err
	}
	return s.repo.EachDelta(func(d objstore.Delta) error {
		stays, err := s.hasAfter(d.To)
		if err != nil || stays {
			return err
		}
		return below(s.ctx, filepath.Join(s.repo.Path(), d.Path()), new(int), p.Deltas.addPath)
	})
}

// hasAfter reports whether a commit is here, or in a parent repository, after a prune.
func (s *survey) hasAfter(sum object.Checksum) (bool, error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	n, held := s.held.Find(name)
	switch {
	case held && s.stays(n):
		return true, nil
	case held && s.repo.Parent() == nil:
		return false, nil
	case held:
		return s.repo.Parent().HasObject(name)
	}
	return s.repo.HasObject(name)
}
