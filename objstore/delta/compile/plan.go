package compile

import (
	"context"
	"fmt"
	"path"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// plan is what is new in a commit.
type plan struct {
	metadata []object.Name // dirtrees and dirmetas, in the order in which they are met
	files    []*file       // regular files
	links    []object.Checksum
}

// file is a new regular file.
type file struct {
	sum   object.Checksum
	size  uint64
	path  string          // the first one, from the root on
	names []string        // of it and of its other paths, each once
	same  object.Checksum // what the old commit has at the path; zero for nothing
	base  *base           // the old file that it resembles; nil for none
}

// planner walks commits.
type planner struct {
	ctx   context.Context
	repo  *objstore.Repo
	old   map[object.Name]struct{} // what the old commit needs
	known map[object.Name]struct{} // what was met in the new one
	files map[object.Checksum]*file
	plan  plan
}

// makePlan finds out what a commit needs that another, or none, does not.
func makePlan(ctx context.Context, repo *objstore.Repo, from, to object.Checksum) (*plan, error) {
	p := &planner{ctx: ctx, repo: repo, old: map[object.Name]struct{}{}, known: map[object.Name]struct{}{}, files: map[object.Checksum]*file{}}
	var oldRoot object.Checksum
	if !from.IsZero() {
		commit, err := repo.Commit(from)
		if err != nil {
			return nil, err
		}
		oldRoot = commit.Root
		p.old[object.Name{Checksum: commit.RootMeta, Kind: object.KindDirMeta}] = struct{}{}
		if err := eachTree(ctx, repo, oldRoot, p.addOld); err != nil {
			return nil, err
		}
	}
	commit, err := repo.Commit(to)
	if err != nil {
		return nil, err
	}
	if err := p.directory("", commit.Root, commit.RootMeta, oldRoot); err != nil {
		return nil, err
	}
	return &p.plan, nil
}

// eachTree visits each dirtree below one, and that, once.
func eachTree(ctx context.Context, repo *objstore.Repo, root object.Checksum, visit func(object.Checksum, object.DirTree)) error {
	seen := map[object.Checksum]bool{root: true}
	for left := []object.Checksum{root}; len(left) > 0; {
		sum := left[len(left)-1]
		left = left[:len(left)-1]
		tree, err := repo.DirTree(sum)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		visit(sum, tree)
		for i := range tree.NumDirs() {
			if _, sub, _ := tree.Dir(i); !seen[sub] {
				seen[sub] = true
				left = append(left, sub)
			}
		}
	}
	return nil
}

// addOld notes what a directory of the old commit needs.
func (p *planner) addOld(sum object.Checksum, tree object.DirTree) {
	p.old[object.Name{Checksum: sum, Kind: object.KindDirTree}] = struct{}{}
	for i := range tree.NumDirs() {
		_, _, meta := tree.Dir(i)
		p.old[object.Name{Checksum: meta, Kind: object.KindDirMeta}] = struct{}{}
	}
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		p.old[object.Name{Checksum: content, Kind: object.KindFile}] = struct{}{}
	}
}

// isNew reports whether an object is met for the first time and the old commit does not need it.
func (p *planner) isNew(name object.Name) bool {
	if _, ok := p.old[name]; ok {
		return false
	}
	if _, ok := p.known[name]; ok {
		return false
	}
	p.known[name] = struct{}{}
	return true
}

// directory plans a directory; old is the dirtree that the old commit has at its path, or zero.
func (p *planner) directory(dir string, sum, meta, old object.Checksum) error {
	if name := (object.Name{Checksum: meta, Kind: object.KindDirMeta}); p.isNew(name) {
		p.plan.metadata = append(p.plan.metadata, name)
	}
	name := object.Name{Checksum: sum, Kind: object.KindDirTree}
	if !p.isNew(name) {
		return nil
	}
	p.plan.metadata = append(p.plan.metadata, name)
	tree, err := p.repo.DirTree(sum)
	if err != nil {
		return err
	}
	var before object.DirTree
	if !old.IsZero() {
		if before, err = p.repo.DirTree(old); err != nil {
			return err
		}
	}
	for i := range tree.NumFiles() {
		if err := p.file(dir, tree, i, before); err != nil {
			return err
		}
	}
	for i := range tree.NumDirs() {
		name, sub, meta := tree.Dir(i)
		var old object.Checksum
		if at, ok := before.FindDir(name); ok {
			_, old, _ = before.Dir(at)
		}
		if err := p.directory(dir+"/"+string(name), sub, meta, old); err != nil {
			return err
		}
	}
	return p.ctx.Err()
}

// file plans file i of a directory; before is the same directory in the old commit.
func (p *planner) file(dir string, tree object.DirTree, i int, before object.DirTree) error {
	name, sum := tree.File(i)
	if f, ok := p.files[sum]; ok {
		f.addName(string(name))
		return nil
	}
	if !p.isNew(object.Name{Checksum: sum, Kind: object.KindFile}) {
		return nil
	}
	h, err := p.repo.Stat(sum)
	if err != nil {
		return fmt.Errorf("%s/%s: %w", dir, name, err)
	}
	if h.IsSymlink() {
		p.plan.links = append(p.plan.links, sum)
		return nil
	}
	f := &file{sum: sum, size: h.Size, path: dir + "/" + string(name), names: []string{string(name)}}
	if at, ok := before.FindFile(name); ok {
		_, f.same = before.File(at)
	}
	p.files[sum] = f
	p.plan.files = append(p.plan.files, f)
	return nil
}

// ending is what comes behind the last dot of the file's name, where there is one.
func (f *file) ending() string { return path.Ext(f.path) }

// addName notes another name, unless it is one of many.
func (f *file) addName(name string) {
	for _, known := range f.names {
		if known == name {
			return
		}
	}
	if len(f.names) < maxNames {
		f.names = append(f.names, name)
	}
}

// maxNames is how many names of a file count.
const maxNames = 32
