package compile

import (
	"context"
	"fmt"
	"runtime"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/delta/bsdiff"
	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/object"
)

// builder packs objects into parts.
type builder struct {
	ctx     context.Context
	repo    *objstore.Repo
	options Options
	target  target
	super   *delta.Superblock
	part    *part // that is being filled
	packer  *packer
	memory  *budget // for patches being made
	loose   uint64  // bytes that objects take in the repository that are packed whole
	counts  struct{ chunks, patches, shared uint64 }
}

// build packs all that is new: metadata, files, symbolic links.
func (b *builder) build(plan *plan, jobs []job) error {
	b.part, b.packer, b.memory = newPart(b.repo), newPacker(b), newBudget(patchMemory)
	err := b.fill(plan, jobs)
	if err == nil {
		b.packer.pack(b.part)
		b.part = nil
	}
	if failed := b.packer.finish(); err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return b.writeSuperblock()
}

func (b *builder) fill(plan *plan, jobs []job) error {
	for _, name := range plan.metadata {
		if err := b.addMetadata(name); err != nil {
			return err
		}
	}
	jobs, err := b.leaveOut(jobs)
	if err != nil {
		return err
	}
	if err := b.addFiles(jobs); err != nil {
		return err
	}
	for _, sum := range plan.links {
		if err := b.addLink(sum); err != nil {
			return err
		}
	}
	return nil
}

// room begins another part where size more bytes would make this one too large.
func (b *builder) room(size uint64) {
	if len(b.part.objects) > 0 && b.part.size()+size > b.options.Limits.Chunk {
		b.packer.pack(b.part)
		b.part = newPart(b.repo)
	}
}

func (b *builder) addMetadata(name object.Name) error {
	data, err := b.repo.Metadata(name)
	if err == nil {
		err = b.ctx.Err()
	}
	if err != nil {
		return err
	}
	b.room(uint64(len(data)))
	if err := b.count(name); err != nil {
		return err
	}
	return b.part.addMetadata(name, data)
}

func (b *builder) addLink(sum object.Checksum) error {
	h, err := b.repo.Header(sum)
	if err == nil {
		err = objstore.CheckEmpty(sum, h)
	}
	if err != nil {
		return err
	}
	b.room(uint64(len(h.Target)))
	if err := b.count(fileName(sum)); err != nil {
		return err
	}
	return b.part.addWhole(sum, h, []byte(h.Target))
}

// leaveOut takes the files that are to be fetched by themselves out of the jobs, whose last they
// are.
func (b *builder) leaveOut(jobs []job) ([]job, error) {
	for len(jobs) > 0 && jobs[len(jobs)-1].method == absent {
		f := jobs[len(jobs)-1]
		fmt.Fprintf(b.options.Log, "fallback for %s (%s)\n", f.sum, objstore.FormatSize(f.size))
		size, err := storedSize(b.repo, fileName(f.sum))
		if err != nil {
			return nil, err
		}
		b.super.Fallbacks = append(b.super.Fallbacks, delta.Fallback{Object: fileName(f.sum), Size: size, Usize: f.size})
		jobs = jobs[:len(jobs)-1]
	}
	return jobs, nil
}

// product is what a part holds of a file: its content, or a patch.
type product struct {
	header object.Header
	data   *bulk.Bulk
}

// addFiles packs files in the order of the jobs.
func (b *builder) addFiles(jobs []job) error {
	patches := 0
	for _, j := range jobs {
		if j.method == patch {
			patches++
		}
	}
	return ordered(b.ctx, runtime.GOMAXPROCS(0), len(jobs),
		func(ctx context.Context, i int) (product, error) { return b.make(ctx, jobs[i]) },
		func(i int, p product) error {
			defer p.data.Close()
			if jobs[i].method == patch {
				b.tellPatch(patches)
			}
			return b.addFile(jobs[i], p)
		},
		func(p product) { p.data.Close() })
}

// tellPatch tells of each tenth of the patches.
func (b *builder) tellPatch(all int) {
	if tenth := uint64(all / 10); tenth == 0 || b.counts.patches%tenth == 0 {
		fmt.Fprintf(b.options.Log, "processing bsdiff: [%d/%d]\n", b.counts.patches, all)
	}
	b.counts.patches++
}

// make makes what a part will hold of a file.
func (b *builder) make(ctx context.Context, j job) (p product, err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	if j.method == patch {
		return b.makePatch(j)
	}
	p.header, p.data, err = readContent(b.repo, j.sum)
	return p, err
}

// patchMemory bounds what patches that are being made at the same time take, in bytes; one alone
// may take more.
const patchMemory = 384 << 20

func (b *builder) makePatch(j job) (p product, err error) {
	need := int64((bsdiff.Memory+1)*j.base.size + j.size)
	defer b.memory.release(b.memory.acquire(need))
	if p.header, err = b.repo.Header(j.sum); err != nil {
		return p, err
	}
	pair, err := openPair(b.repo, j.file)
	if err != nil {
		return p, err
	}
	defer pair.close()
	old, new, err := pair.bytes()
	if err != nil {
		return p, err
	}
	p.data = bulk.New(b.repo, bulk.InMemory)
	if err := bsdiff.Diff(p.data, old, new); err != nil {
		p.data.Close()
		return p, err
	}
	return p, nil
}

func (b *builder) addFile(j job, p product) error {
	data, err := p.data.Bytes()
	if err != nil {
		return err
	}
	switch j.method {
	case chunks:
		b.room(0)
		b.counts.chunks++
		b.counts.shared += uint64(j.match.Size)
		return b.part.addChunks(j.file, p.header, data, j.match)
	case patch:
		b.room(0)
		return b.part.addPatch(j.file, p.header, data)
	}
	b.room(uint64(len(data)))
	if err := b.count(fileName(j.sum)); err != nil {
		return err
	}
	return b.part.addWhole(j.sum, p.header, data)
}

// count counts an object that is packed whole.
func (b *builder) count(name object.Name) error {
	size, err := storedSize(b.repo, name)
	b.loose += size
	return err
}

func (b *builder) close() {
	if b.part != nil {
		b.part.close()
	}
	if b.packer != nil {
		b.packer.close()
	}
}
