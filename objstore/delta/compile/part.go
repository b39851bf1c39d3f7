package compile

import (
	"encoding/binary"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/delta/rollsum"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// inMemory is how many bytes of a part's data are held in memory; more are only those of a single
// file that is larger than parts are.
const inMemory = 64 << 20

// part is a part that is being built.
type part struct {
	objects []object.Name
	usize   uint64 // bytes of what it makes
	data    *bulk.Bulk
	ops     []byte

	owners   []delta.Owner
	ownerAt  map[delta.Owner]uint64
	xattrs   []gvariant.Value
	xattrsAt map[string]uint64
	tables   uint64 // bytes of both tables, about
}

func newPart(repo *objstore.Repo) *part {
	return &part{data: bulk.New(repo, inMemory), ownerAt: map[delta.Owner]uint64{}, xattrsAt: map[string]uint64{}}
}

// size is how large the part is before it is compressed, about.
func (p *part) size() uint64 { return uint64(p.data.Len()) + uint64(len(p.ops)) + p.tables }

// at is where the next data begins.
func (p *part) at() uint64 { return uint64(p.data.Len()) }

// op appends an operation.
func (p *part) op(code byte, args ...uint64) {
	p.ops = append(p.ops, code)
	for _, n := range args {
		p.ops = binary.AppendUvarint(p.ops, n)
	}
}

// add begins an object of that many bytes.
func (p *part) add(name object.Name, size uint64) {
	p.objects = append(p.objects, name)
	p.usize += size
}

// header returns the places of a file's owner and xattrs in the tables.
func (p *part) header(h object.Header) (owner, xattrs uint64) {
	o := delta.OwnerOf(h)
	owner, ok := p.ownerAt[o]
	if !ok {
		owner = uint64(len(p.owners))
		p.ownerAt[o] = owner
		p.owners = append(p.owners, o)
		p.tables += delta.OwnerSize
	}
	v := object.XattrsValue(h.Xattrs)
	xattrs, ok = p.xattrsAt[string(v.Bytes())]
	if !ok {
		xattrs = uint64(len(p.xattrs))
		p.xattrsAt[string(v.Bytes())] = xattrs
		p.xattrs = append(p.xattrs, v)
		p.tables += uint64(len(v.Bytes()))
	}
	return owner, xattrs
}

// addMetadata adds a dirtree or dirmeta.
func (p *part) addMetadata(name object.Name, data []byte) error {
	p.add(name, uint64(len(data)))
	p.op(delta.OpSplice, uint64(len(data)), p.at())
	_, err := p.data.Write(data)
	return err
}

// addWhole adds a file, or a symbolic link, by its content.
func (p *part) addWhole(sum object.Checksum, h object.Header, content []byte) error {
	p.add(fileName(sum), h.Size)
	owner, xattrs := p.header(h)
	p.op(delta.OpSplice, owner, xattrs, uint64(len(content)), p.at())
	_, err := p.data.Write(content)
	return err
}

// addPatch adds a file as a patch of its base.
func (p *part) addPatch(f *file, h object.Header, patch []byte) error {
	p.add(fileName(f.sum), h.Size)
	owner, xattrs := p.header(h)
	p.op(delta.OpSetSource, p.at())
	if _, err := p.data.Write(f.base.sum[:]); err != nil {
		return err
	}
	p.op(delta.OpOpen, owner, xattrs, h.Size)
	p.op(delta.OpPatch, p.at(), uint64(len(patch)))
	if _, err := p.data.Write(patch); err != nil {
		return err
	}
	p.op(delta.OpClose)
	p.op(delta.OpUnsetSource)
	return nil
}

// addChunks adds a file as chunks of its base and what lies between these.
func (p *part) addChunks(f *file, h object.Header, content []byte, m *rollsum.Matches) error {
	p.add(fileName(f.sum), h.Size)
	owner, xattrs := p.header(h)
	source := p.at()
	if _, err := p.data.Write(f.base.sum[:]); err != nil {
		return err
	}
	p.op(delta.OpOpen, owner, xattrs, h.Size)
	at, set := int64(0), false
	for _, match := range m.List {
		if match.To > at {
			if set {
				p.op(delta.OpUnsetSource)
				set = false
			}
			if err := p.write(content[at:match.To]); err != nil {
				return err
			}
		}
		if !set {
			p.op(delta.OpSetSource, source)
			set = true
		}
		p.op(delta.OpWrite, uint64(match.Size), uint64(match.From))
		at = match.To + match.Size
	}
	if set {
		p.op(delta.OpUnsetSource)
	}
	if at < int64(len(content)) {
		if err := p.write(content[at:]); err != nil {
			return err
		}
	}
	p.op(delta.OpClose)
	return nil
}

// write adds a piece of a file that lies in the data.
func (p *part) write(data []byte) error {
	p.op(delta.OpWrite, uint64(len(data)), p.at())
	_, err := p.data.Write(data)
	return err
}

func fileName(sum object.Checksum) object.Name {
	return object.Name{Checksum: sum, Kind: object.KindFile}
}

// payload is what the part is before it is compressed. It takes the place of the part, which is
// closed.
func (p *part) payload(repo *objstore.Repo) (*bulk.Bulk, error) {
	defer p.close()
	data, err := p.data.Bytes()
	if err != nil {
		return nil, err
	}
	from, size := delta.Payload(p.owners, p.xattrs, data, p.ops)
	all := bulk.New(repo, inMemory)
	all.Grow(size)
	if _, err := io.Copy(all, from); err != nil {
		all.Close()
		return nil, err
	}
	return all, nil
}

func (p *part) close() { p.data.Close() }
