package pull

import (
	"context"
	"sync"

	"deployfs/objstore/object"
)

// walk takes over the trees of commits, side by side. The first error ends all of it.
func (p *puller) walk() error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	q := newQueue(p.Progress, cleaned(p.Subpaths))
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

// part takes over one object, and puts what it leads to into the queue.
func (p *puller) part(ctx context.Context, q *queue, next part) error {
	done, err := p.take(ctx, next.name)
	if err != nil || next.name.Kind != object.KindDirTree {
		return err
	}
	tree, err := object.DecodeDirTree(done.Data)
	if err != nil {
		return object.Corrupt(next.name, err)
	}
	q.expand(tree, len(done.Data), next.way)
	return nil
}
