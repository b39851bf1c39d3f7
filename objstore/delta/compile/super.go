package compile

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
)

// writeSuperblock writes what leads to the parts.
func (b *builder) writeSuperblock() error {
	var inline []*io.SectionReader
	var size, usize uint64
	for _, one := range b.packer.list {
		b.super.Parts = append(b.super.Parts, one.Part)
		size += one.Size
		usize += one.Usize
		if one.inline == nil {
			continue
		}
		data, err := one.inline.Bytes()
		if err != nil {
			return err
		}
		inline = append(inline, io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))))
	}
	log := b.options.Log
	fmt.Fprintf(log, "uncompressed=%d compressed=%d loose=%d\n", usize, size, b.loose)
	fmt.Fprintf(log, "rollsum=%d objects, %d bytes\n", b.counts.chunks, b.counts.shared)
	fmt.Fprintf(log, "bsdiff=%d objects\n", b.counts.patches)
	encoded, _ := b.super.Encode(inline)
	if len(b.options.Signers) > 0 {
		return b.writeSigned(encoded)
	}
	return b.writeFile(encoded)
}

// writeSigned signs a superblock and writes it.
func (b *builder) writeSigned(encoded io.Reader) error {
	held, err := bulk.Read(b.repo, encoded)
	if err != nil {
		return err
	}
	defer held.Close()
	data, err := held.Bytes()
	if err != nil {
		return err
	}
	signatures, err := sign.Add(b.ctx, gvariant.Value{}, data, b.options.Signers...)
	if err != nil {
		return err
	}
	signed, _ := delta.EncodeSigned(data, signatures)
	return b.writeFile(signed)
}

func (b *builder) writeFile(data io.Reader) error {
	f, err := b.target.create(superblockName)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, data); err != nil {
		f.Close()
		return fmt.Errorf("writing the superblock: %w", err)
	}
	return endFile(b.repo, f)
}

// storedSize is how many bytes an object takes as a file, here or in a parent repository.
func storedSize(repo *objstore.Repo, name object.Name) (uint64, error) {
	for ; repo != nil; repo = repo.Parent() {
		objects, path := repo.ObjectFile(name)
		var st unix.Stat_t
		err := unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			return uint64(st.Size), nil
		}
		if err != unix.ENOENT {
			return 0, fmt.Errorf("fstatat(%s): %w", path, err)
		}
	}
	return 0, &object.NotExistError{Object: name}
}
