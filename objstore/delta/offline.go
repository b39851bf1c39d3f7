package delta

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

var (
	errUnsigned  = errors.New("no signatures in static-delta")
	errNoKey     = errors.New("Key is mandatory to check delta signature")
	errFallbacks = errors.New("Cannot execute delta offline: contains nonempty http fallback entries")
)

// ApplyOffline applies a delta that lies in a directory, or whose superblock is path
// itself with the parts beside it. No ref is moved. The commit becomes visible when all
// that its tree needs is there, or nothing does.
//
// Verify, unless it is nil, judges who has signed the delta before anything else of it
// is looked at: the superblock, and the signatures as [Signed] gives them, or the zero
// Value for a delta that is not signed. Without it, and for a delta that is not signed,
// core.sign-verify-deltas has it fail.
func ApplyOffline(ctx context.Context, repo *objstore.Repo, path string, verify func(superblock []byte, signatures gvariant.Value) error) error {
	file, err := Open(repo, path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.judge(repo, verify); err != nil {
		return err
	}
	s, err := file.Parse()
	if err != nil {
		return err
	}
	t, err := transaction.Begin(ctx, repo)
	if err != nil {
		return err
	}
	return errors.Join(s.applyAll(ctx, t, file), t.Close())
}

// applyAll makes the objects, and the commit after them.
func (s *Superblock) applyAll(ctx context.Context, t *transaction.Transaction, file *File) error {
	if err := s.needSource(t); err != nil {
		return err
	}
	if len(s.Fallbacks) > 0 {
		return errFallbacks
	}
	if err := s.applyParts(ctx, t, file); err != nil {
		return err
	}
	held, err := t.Holds(object.Name{Checksum: s.To, Kind: object.KindCommit})
	if err != nil {
		return err
	}
	doubtful, err := t.Repo().HasPartial()
	if err == nil {
		err = s.Complete(t, doubtful)
	}
	if err != nil {
		return err
	}
	if !held && s.Detached.Type() != "" {
		if err := t.WriteDetached(s.To, s.Detached); err != nil {
			return err
		}
	}
	if !held {
		if _, err := t.WriteMetadata(object.KindCommit, s.Commit); err != nil {
			return err
		}
	}
	return t.Commit(ctx)
}

// needSource fails unless the commit is there that the delta begins with.
func (s *Superblock) needSource(t *transaction.Transaction) error {
	if s.From.IsZero() {
		return nil
	}
	held, err := t.Holds(object.Name{Checksum: s.From, Kind: object.KindCommit})
	if err == nil && !held {
		err = fmt.Errorf("Commit %s, which is the delta source, is not in repository", s.From)
	}
	return err
}

// applyParts applies the parts side by side. The first error ends all.
func (s *Superblock) applyParts(ctx context.Context, t *transaction.Transaction, file *File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var threads sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(s.Parts)) {
		threads.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(s.Parts) {
					return
				}
				if err := s.applyPart(ctx, t, file, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	threads.Wait()
	return context.Cause(ctx)
}

func (s *Superblock) applyPart(ctx context.Context, t *transaction.Transaction, file *File, i int) error {
	p := &s.Parts[i]
	if held, err := p.Held(t); err != nil || held && p.Version <= newest {
		return err
	}
	data, err := file.part(s, i)
	if err != nil {
		return fmt.Errorf("Opening deltapart '%d': %w", i, err)
	}
	defer data.Close()
	if err := p.Apply(ctx, t, data.Bytes()); err != nil {
		return fmt.Errorf("Executing delta part %d: %w", i, err)
	}
	return nil
}

// judge asks who has signed the delta.
func (f *File) judge(repo *objstore.Repo, verify func([]byte, gvariant.Value) error) error {
	required, err := repo.Config().Bool("core", "sign-verify-deltas", false)
	if err != nil {
		return err
	}
	superblock, signatures, signed := Signed(f.bulk.Bytes())
	switch {
	case verify == nil && required:
		return errNoKey
	case verify == nil:
		return nil
	case !signed && required:
		return errUnsigned
	case !signed:
		superblock = f.bulk.Bytes()
	}
	return verify(superblock, signatures)
}
