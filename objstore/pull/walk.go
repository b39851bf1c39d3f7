package pull

import (
	"context"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// walk takes over the trees of commits, side by side. The first error ends all of it.
func (p *puller) walk() error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	q := newQueue(p.Progress, cleaned(p.Subpaths), p.reload)
	for _, root := range p.roots {
		q.push(part{root, q.root(root)})
	}
	var threads sync.WaitGroup
	for range p.from.crew() {
		threads.Go(func() {
			for {
				next, ok := q.next()
				if !ok {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = p.part(ctx, q, next)
				}
				if q.done(next, err) {
					cancel()
				}
			}
		})
	}
	threads.Wait()
	return q.failed
}

// reload reads a directory again that was taken over.
func (p *puller) reload(name object.Name) (tree object.DirTree, err error) {
	data, err := p.t.ReadMetadata(name, objstore.MaxMetadata)
	if err == nil {
		tree, err = object.DecodeDirTree(data)
	}
	return tree, err
}

// part takes over one object, and puts what it leads to into the queue.
func (p *puller) part(ctx context.Context, q *queue, next part) error {
	done, err := p.take(ctx, next.name)
	defer done.free()
	if err != nil || next.name.Kind != object.KindDirTree {
		return err
	}
	tree, err := object.DecodeDirTree(done.Data)
	if err != nil {
		return object.Corrupt(next.name, err)
	}
	q.expand(next.name, tree, len(done.Data), next.way)
	return nil
}
