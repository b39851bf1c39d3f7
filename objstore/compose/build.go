package compose

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// builder lays sources over one another.
type builder struct {
	*Plan
	tx       *transaction.Transaction
	root     *mtree.Tree
	crew     *crew
	noXattrs bool  // of files of the file system
	self     inode // the repository's directory
	given    []given

	links map[inode]object.Checksum // nil when links are not looked at
	known atomic.Int64              // files found there

	dirmetas map[string]object.Checksum // written, by their bytes
	repeated int                        // that were not written again
	merged   int                        // files of commits that were not written again
}

// build makes the tree: from the base, and the sources in their order.
func (p *Plan) build(ctx context.Context, tx *transaction.Transaction) (*builder, error) {
	b, err := p.newBuilder(tx)
	if err != nil {
		return nil, err
	}
	defer b.crew.leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err = b.scanLinks(ctx); err == nil {
		err = b.compose(ctx, cancel)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // which made everything else end
	}
	if err == nil {
		err = p.Modifier.Unmatched()
	}
	return b, err
}

func (p *Plan) newBuilder(tx *transaction.Transaction) (*builder, error) {
	disabled, err := p.repo.Config().Bool("core", "disable-xattrs", false)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(p.repo.Dir().Fd()), &st); err != nil {
		return nil, failure("fstat", p.repo.Path(), err)
	}
	return &builder{
		Plan: p, tx: tx, root: mtree.New(), crew: newCrew(), dirmetas: map[string]object.Checksum{},
		noXattrs: disabled || p.Modifier.DropsXattrs(), self: inode{st.Dev, st.Ino},
	}, nil
}

func (b *builder) compose(ctx context.Context, fail context.CancelCauseFunc) (err error) {
	if b.Base != nil {
		tip, err := b.resolve(*b.Base)
		if err != nil {
			return err
		}
		b.root = mtree.Load(b.repo, tip.Root, tip.RootMeta)
	}
	for _, source := range b.Sources {
		switch source.Kind {
		case Dir:
			err = b.addDir(ctx, fail, source.Name)
		case Tar:
			err = b.addTar(ctx, source.Name)
		case Ref:
			err = b.addRef(ctx, fail, source.Name)
		default:
			err = fmt.Errorf("Invalid tree type specification '%s'", source.Kind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) resolve(rev string) (object.Commit, error) {
	sum, err := b.repo.Resolve(rev)
	if err != nil {
		return object.Commit{}, err
	}
	return b.repo.Commit(sum)
}

// dirMeta writes the dirmeta of a directory. Most have one that was written before.
func (b *builder) dirMeta(h *object.Header) (object.Checksum, error) {
	data := object.DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}.Encode()
	if sum, ok := b.dirmetas[string(data)]; ok {
		b.repeated++
		return sum, nil
	}
	if h.Mode&object.ModeType != object.ModeDir || h.Mode&^(object.ModeType|0o7777) != 0 {
		return object.Checksum{}, fmt.Errorf("Invalid mode %d; invalid bits in mode", h.Mode)
	}
	sum, err := b.tx.WriteMetadata(object.KindDirMeta, data)
	if err == nil {
		b.dirmetas[string(data)] = sum
	}
	return sum, err
}
