package compile

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"

	"deployfs/objstore/delta"
	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/delta/xz"
	"deployfs/objstore/object"
)

// partVersion is that of the format.
const partVersion = 0

// packer compresses parts that are full and writes them, several at the same time.
type packer struct {
	b    *builder
	crew *crew

	lock sync.Mutex
	list []*packed
	told int // of how many parts the log was told
}

// packed is a part that is full.
type packed struct {
	delta.Part
	file   *os.File   // where it is written, or
	inline *bulk.Bulk // what will be in the superblock
	ready  bool
}

func newPacker(b *builder) *packer { return &packer{b: b, crew: newCrew(runtime.GOMAXPROCS(0))} }

// pack takes a part over.
func (p *packer) pack(part *part) {
	p.lock.Lock()
	one, i := &packed{}, len(p.list)
	p.list = append(p.list, one)
	p.lock.Unlock()
	one.Part = delta.Part{Version: partVersion, Usize: part.usize, Objects: part.objects}
	p.crew.do(func() error {
		if err := p.write(one, strconv.Itoa(i), part); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		p.done(one)
		return nil
	})
}

// write writes a part's file.
func (p *packer) write(one *packed, name string, part *part) error {
	payload, err := part.payload(p.b.repo)
	if err != nil {
		return err
	}
	defer payload.Close()
	data, err := payload.Bytes()
	if err != nil {
		return err
	}
	var out io.Writer
	if p.b.options.Inline {
		one.inline = bulk.New(p.b.repo, bulk.InMemory)
		out = one.inline
	} else {
		p.lock.Lock()
		one.file, err = p.b.target.create(name)
		p.lock.Unlock()
		if err != nil {
			return err
		}
		out = one.file
	}
	hash := sha256.New()
	counted := &counter{to: io.MultiWriter(out, hash)}
	if _, err := counted.Write([]byte{delta.PackedXZ}); err != nil {
		return err
	}
	if err := xz.Compress(p.b.ctx, counted, data); err != nil {
		return err
	}
	one.Checksum, one.Size = object.Checksum(hash.Sum(nil)), counted.n
	if one.file != nil {
		file := one.file
		one.file = nil
		return endFile(p.b.repo, file)
	}
	return nil
}

// counter counts bytes on their way.
type counter struct {
	to io.Writer
	n  uint64
}

func (c *counter) Write(data []byte) (int, error) {
	n, err := c.to.Write(data)
	c.n += uint64(n)
	return n, err
}

// done tells of the parts that are ready, in their order.
func (p *packer) done(one *packed) {
	p.lock.Lock()
	defer p.lock.Unlock()
	one.ready = true
	for p.told < len(p.list) && p.list[p.told].ready {
		next := p.list[p.told]
		p.told++
		fmt.Fprintf(p.b.options.Log, "part %d n:%d compressed:%d uncompressed:%d\n", p.told, len(next.Objects), next.Size, next.Usize)
	}
}

// finish waits for all parts.
func (p *packer) finish() error { return p.crew.finish() }

func (p *packer) close() {
	p.finish()
	for _, one := range p.list {
		if one.file != nil {
			one.file.Close()
		}
		if one.inline != nil {
			one.inline.Close()
		}
	}
}
