package pull

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
)

// plan is what static deltas are going to bring.
type plan struct {
	parts, held           int
	size, heldSize, usize uint64 // bytes, as the deltas say
}

// job is a part of a static delta that is to be applied.
type job struct {
	*offer
	index int
}

// applyDeltas makes the objects of static deltas. Those that deltas need and do not bring
// are put among the roots.
func (p *puller) applyDeltas() error {
	var jobs []job
	for _, o := range p.deltas {
		list, err := p.plan(o)
		if err != nil {
			return err
		}
		jobs = append(jobs, list...)
	}
	if p.DryRun {
		return nil
	}
	if err := p.checkSpace(); err != nil {
		return err
	}
	p.count.parts.Add(int64(p.plans.held))
	err := p.applyAll(jobs)
	p.byDeltas = p.t.Stats().BytesWritten
	return err
}

// plan looks at what a delta brings.
func (p *puller) plan(o *offer) (jobs []job, err error) {
	for _, fallback := range o.Fallbacks {
		held, err := p.t.Holds(fallback.Object)
		if err != nil {
			return nil, err
		}
		if !held && fallback.Object.Kind != object.KindFile {
			return nil, fmt.Errorf("Found metadata object as fallback: %s", fallback.Object)
		}
		p.plans.add(held, fallback.Size, fallback.Usize)
		p.roots = append(p.roots, fallback.Object)
	}
	for i := range o.Parts {
		part := &o.Parts[i]
		held, err := part.Held(p.t)
		if err != nil {
			return nil, err
		}
		p.plans.add(held, part.Size, part.Usize)
		p.plans.parts++
		if held {
			p.plans.held++
		} else {
			jobs = append(jobs, job{o, i})
		}
	}
	return jobs, nil
}

func (l *plan) add(held bool, size, usize uint64) {
	l.size += size
	l.usize += usize
	if held {
		l.heldSize += size
	}
}

// checkSpace fails where what comes does not fit on the disk.
func (p *puller) checkSpace() error {
	st, err := p.dest.Statfs()
	if err != nil {
		return err
	}
	if p.plans.usize/uint64(st.Bsize) > st.Bfree {
		return fmt.Errorf("Delta requires %s free space, but only %s available",
			objstore.FormatSize(p.plans.usize), objstore.FormatSize(uint64(st.Bsize)*st.Bfree))
	}
	return nil
}

// applyAll applies parts side by side. The first error ends all.
func (p *puller) applyAll(jobs []job) error {
	ctx, cancel := context.WithCancelCause(p.ctx)
	defer cancel(nil)
	var threads sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		threads.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				if err := p.applyPart(ctx, jobs[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	threads.Wait()
	return context.Cause(ctx)
}

// applyPart makes the objects of one part.
func (p *puller) applyPart(ctx context.Context, j job) error {
	part := &j.Parts[j.index]
	if data, ok := j.Inline(j.index); ok {
		return named(j.index, part.Apply(ctx, p.t, data))
	}
	body, err := j.from.client.Open(ctx, fetch.File{Path: j.PartPath(j.index), Content: true}, int64(min(max(part.Size, 1), maxPart)))
	if err != nil {
		return err
	}
	defer body.Close()
	if err := part.Receive(ctx, p.t, body); err != nil {
		return named(j.index, err)
	}
	p.count.parts.Add(1)
	j.from.came()
	return nil
}

// maxPart is the largest file of a part that is taken, in bytes.
const maxPart = 1 << 40

func named(index int, err error) error {
	if err != nil {
		err = fmt.Errorf("Executing delta part %d: %w", index, err)
	}
	return err
}

// completeDeltas walks the trees of commits of which a static delta did not bring all, or may
// not have: who says that it brings nothing else must not make a partial commit a whole one.
func (p *puller) completeDeltas() error {
	p.roots = nil
	for _, o := range p.deltas {
		err := o.Complete(p.t, false)
		if err != nil && p.NeedDeltas {
			return err
		}
		if err == nil && !p.doubtful {
			continue
		}
		c, decoded := object.DecodeCommit(o.Commit)
		if decoded != nil {
			return errors.Join(err, decoded)
		}
		p.wantRoots(c)
	}
	return p.walk()
}

// describe tells of a plan in ostree's words.
func (l *plan) describe() string {
	return fmt.Sprintf("Delta update: %d/%d parts, %s/%s, %s total uncompressed", l.held, l.parts,
		objstore.FormatSize(l.heldSize), objstore.FormatSize(l.size), objstore.FormatSize(l.usize))
}
