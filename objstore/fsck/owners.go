package fsck

import (
	"bytes"
	"slices"

	"deployfs/objstore/object"
)

// owners knows which commits need an object: ways from each object up to the
// directories that hold it, and from root directories to commits.
type owners struct {
	w     *walk
	first [object.KindCommit + 1][]int32 // by kind and number: the object's last way, plus 1
	ways  []way
	trees int     // dirtrees have numbers below it
	seen  []int32 // by a dirtree's number: the last search that came by
	turn  int32
}

// way leads up from an object.
type way struct {
	to   int32 // a dirtree's number; from trees on a commit's place in the list
	next int32 // the object's way before, plus 1
}

// newOwners goes through all directories once more.
func newOwners(w *walk) (*owners, error) {
	o := &owners{w: w, trees: w.Len(object.KindDirTree)}
	for kind := range o.first {
		o.first[kind] = make([]int32, w.Len(object.Kind(kind)))
	}
	o.seen = make([]int32, o.trees)
	for i, sum := range w.c.whole {
		if w.c.commits[sum] != nil {
			continue
		}
		commit, err := w.c.repo.Commit(sum)
		if err != nil {
			continue // it went, or goes to pieces right now
		}
		o.dir(int32(o.trees+i), commit.Root, commit.RootMeta)
		if err := o.descend(commit.Root); err != nil {
			return nil, err
		}
	}
	clear(o.seen)
	return o, nil
}

// descend notes the ways from what is in a directory and below, unless that was
// done before.
func (o *owners) descend(root object.Checksum) error {
	for stack := []object.Checksum{root}; len(stack) > 0; {
		if err := o.w.c.ctx.Err(); err != nil {
			return err
		}
		name := object.Name{Checksum: stack[len(stack)-1], Kind: object.KindDirTree}
		stack = stack[:len(stack)-1]
		n, ok := o.w.Number(name)
		if !ok || n >= o.trees || o.seen[n] != 0 {
			continue
		}
		o.seen[n] = 1
		tree, err := o.w.c.repo.DirTree(name.Checksum)
		if err != nil {
			continue // that was found before
		}
		for i := range tree.NumFiles() {
			_, content := tree.File(i)
			o.add(object.Name{Checksum: content, Kind: object.KindFile}, int32(n))
		}
		for i := range tree.NumDirs() {
			_, sub, meta := tree.Dir(i)
			o.dir(int32(n), sub, meta)
			stack = append(stack, sub)
		}
	}
	return nil
}

func (o *owners) dir(from int32, tree, meta object.Checksum) {
	o.add(object.Name{Checksum: tree, Kind: object.KindDirTree}, from)
	o.add(object.Name{Checksum: meta, Kind: object.KindDirMeta}, from)
}

// add notes a way from an object up.
func (o *owners) add(name object.Name, to int32) {
	n, ok := o.w.Number(name)
	first := o.first[name.Kind]
	if !ok || n >= len(first) {
		return
	}
	o.ways = append(o.ways, way{to, first[n]})
	first[n] = int32(len(o.ways))
}

// of lists the commits that need an object, sorted.
func (o *owners) of(name object.Name) (commits []object.Checksum) {
	n, ok := o.w.Number(name)
	if !ok || n >= len(o.first[name.Kind]) {
		return nil
	}
	o.turn++
	for stack := []int32{o.first[name.Kind][n]}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for ; at != 0; at = o.ways[at-1].next {
			to := int(o.ways[at-1].to)
			if to >= o.trees {
				commits = append(commits, o.w.c.whole[to-o.trees])
			} else if o.seen[to] != o.turn {
				o.seen[to] = o.turn
				stack = append(stack, o.first[object.KindDirTree][to])
			}
		}
	}
	slices.SortFunc(commits, func(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(commits)
}
