package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/fs"
	"deployfs/fs/backing"
	"deployfs/fs/history"
	"deployfs/objstore"
	"deployfs/objstore/index"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
	"deployfs/objstore/trust"
)

const (
	// maxOpen bounds the content objects that are held open for the next
	// read; the kernel keeps pages, so that few are read twice.
	maxOpen = 64
	// bareUserOnlyMode is what ostree leaves of a directory's mode when it
	// checks out of a bare-user-only repository.
	bareUserOnlyMode = 0o775
)

// view is a commit's tree, ready to be served.
type view struct {
	repo   *objstore.Repo
	lock   *objstore.Lock
	commit object.Checksum
	root   index.Root // what is shown
	mtime  uint64     // of every entry
	state  *fs.State
	fs     *fs.FS
	index  *index.Mapped // nil as long as there is none
	record *backing.Record

	source *lazy.Source // nil for a repository of this machine
	server lazy.Server
	found  lazy.Found
	keeps  *keeping // nil when nothing is kept in a repository
}

// prepare opens what the configuration names, and proves that its root
// directory can be shown.
func prepare(ctx context.Context, cfg *Config, report func(path string, err error)) (*view, error) {
	v := &view{}
	err := v.prepare(ctx, cfg, report)
	if err != nil {
		v.unlock()
		v.Close()
		if cfg.Remote != "" {
			err = withServerRemedy(err)
		}
		return nil, err
	}
	return v, nil
}

func (v *view) prepare(ctx context.Context, cfg *Config, report func(string, error)) (err error) {
	switch {
	case cfg.Remote != "":
		err = v.prepareRemote(ctx, cfg, report)
	case cfg.History:
		return v.prepareHistory(cfg, report)
	default:
		err = v.prepareLocal(ctx, cfg)
	}
	if err != nil {
		return err
	}
	commit, err := v.repo.Commit(v.commit)
	if err != nil {
		return err
	}
	if err := v.lock.Lease(v.commit); err != nil {
		return fmt.Errorf("repository %s: %w", cfg.Repo, err)
	}
	dir, err := shownDir(v.repo, commit, cfg.Subpath)
	if err != nil {
		return err
	}
	v.root = index.Root{Tree: dir.Tree, Meta: dir.Meta}
	if cfg.CommitMtime {
		v.mtime = commit.Timestamp
	}
	if v.state, err = fs.NewState(); err != nil {
		return err
	}
	return v.open(cfg, v.mtime, report)
}

// prepareLocal finds the commit that is to be shown, and holds the repository's lock.
func (v *view) prepareLocal(ctx context.Context, cfg *Config) (err error) {
	if err := v.openRepo(cfg); err != nil {
		return err
	}
	if !cfg.NoLock {
		if v.lock, err = v.repo.LockShared(ctx); err != nil {
			return fmt.Errorf("repository %s: %w", cfg.Repo, err)
		}
	}
	if v.commit, err = v.repo.Resolve(cfg.Rev); err != nil {
		return err
	}
	if !cfg.RequireSignature {
		return nil
	}
	return trust.Check(v.repo, v.commit, cmp.Or(cfg.SignRemote, trust.RemoteOf(cfg.Rev)))
}

func (v *view) openRepo(cfg *Config) (err error) {
	if v.repo, err = objstore.Open(cfg.Repo); err != nil {
		return fmt.Errorf("repository %s: %w", cfg.Repo, err)
	}
	return nil
}

// prepareHistory shows all commits. It holds none of them: who deletes need not
// wait, and sees them go.
func (v *view) prepareHistory(cfg *Config, report func(string, error)) (err error) {
	if err := v.openRepo(cfg); err != nil {
		return err
	}
	if v.state, err = fs.NewState(); err != nil {
		return err
	}
	return v.open(cfg, 0, report)
}

// shownDir is the directory that becomes the mount's root.
func shownDir(repo *objstore.Repo, commit object.Commit, subpath string) (tree.Entry, error) {
	dir, err := tree.Lookup(repo, tree.Root(commit), subpath)
	if err == nil && !dir.IsDir() {
		err = &tree.Error{Path: dir.Path, Err: unix.ENOTDIR}
	}
	if err != nil {
		return dir, fmt.Errorf("subpath %s: %w", subpath, err)
	}
	if _, err := repo.DirTree(dir.Tree); err != nil {
		return dir, err
	}
	_, err = repo.DirMeta(dir.Meta)
	return dir, err
}

// open makes the view of what is shown.
func (v *view) open(cfg *Config, mtime uint64, report func(string, error)) (err error) {
	opts := fs.Options{
		Verify: cfg.Verify, Memory: cfg.Memory, Mtime: mtime, NoXattrs: !v.repo.HasXattrs(), State: v.state, Report: report,
	}
	if v.repo.Mode() == objstore.BareUserOnly {
		opts.DirMode = bareUserOnlyMode
	}
	if cfg.History {
		opts.Names, opts.NamesUID, opts.NamesGID = history.New(v.repo), uint32(os.Geteuid()), uint32(os.Getegid())
	}
	v.fs, err = fs.New(v.repo, v.files(cfg), v.root.Tree, v.root.Meta, opts)
	return err
}

// files opens the content of objects. Without a record of what was verified,
// it is verified in each mount.
func (v *view) files(cfg *Config) *backing.Store {
	if cfg.Verify != fs.VerifyNone && cfg.CacheDir != "" {
		v.record, _ = backing.OpenRecord(filepath.Join(cfg.CacheDir, "verified"))
	}
	open := func(sum object.Checksum) (backing.Content, error) { return v.repo.Content(sum) }
	limits := backing.Limits{Files: maxOpen, Bytes: cfg.CacheSize}
	return backing.NewStore(open, backing.NewInflated(cfg.CacheDir, cfg.CacheSize), v.record, limits)
}

// unlock lets others delete from the repository.
func (v *view) unlock() { v.lock.Close() } // nothing was written through it

// Close gives back everything else that prepare took.
func (v *view) Close() {
	if v.fs != nil {
		v.fs.Close()
	} else if v.state != nil {
		v.state.Close()
	}
	if v.index != nil {
		v.index.Close()
	}
	v.record.Close()
	switch {
	case v.source != nil:
		v.source.Close()
	case v.repo != nil:
		v.repo.Close()
	}
}
