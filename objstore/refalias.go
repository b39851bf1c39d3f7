package objstore

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/refs"
)

const maxAliases = 40 // aliases of aliases, as many as the kernel follows

// CheckUnaliased fails with an [AliasError] where an alias leads to a ref.
func (r *Repo) CheckUnaliased(name refs.Name) error {
	alias, err := r.aliasOf(r.stored(name))
	if err == nil && alias != "" {
		err = &AliasError{Ref: name.Ref, Alias: alias}
	}
	return err
}

// aliasOf finds an alias that points to a ref; "" when there is none.
func (r *Repo) aliasOf(name refs.Name) (alias string, err error) {
	dir, file := "refs/"+name.Dir(), "refs/"+name.Path()
	err = r.walkRefNames(dir, maxRefDepth, func(link string, typ os.FileMode) bool {
		if typ&os.ModeSymlink == 0 {
			return true
		}
		target, ok := r.linkTarget(link)
		if ok && target == file {
			alias = strings.TrimPrefix(link, dir+"/")
		}
		return alias == ""
	})
	return alias, err
}

// checkAlias fails where an alias would lead back to itself, or out of what can
// be followed.
func (r *Repo) checkAlias(name, target refs.Name) error {
	if err := target.Check(); err != nil {
		return err
	}
	at, own := "refs/"+target.Path(), "refs/"+name.Path()
	for range maxAliases {
		if at == own {
			return fmt.Errorf("Cannot create alias to itself: %s", name.Ref)
		}
		next, ok := r.linkTarget(at)
		if !ok {
			return nil
		}
		at = next
	}
	return fmt.Errorf("Cannot create alias to %s: %w", target.Ref, strError{unix.ELOOP})
}

// linkTarget is what a symbolic link below refs/ points to, if it is one: a path
// of the repository, perhaps outside of refs/.
func (r *Repo) linkTarget(link string) (target string, ok bool) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(r.dir.Fd()), link, buf)
	if err != nil {
		return "", false
	}
	return path.Join(path.Dir(link), string(buf[:n])), true
}

// replaceLink puts a symbolic link in place at once.
func (r *Repo) replaceLink(dir *os.File, name, to string) error {
	if err := r.MakeTmp(); err != nil {
		return err
	}
	at, temp := int(r.dir.Fd()), "tmp/"+TemporaryName()
	if err := unix.Symlinkat(to, at, temp); err != nil {
		return fmt.Errorf("symlinkat(%s): %w", temp, describe(err))
	}
	if err := unix.Renameat(at, temp, int(dir.Fd()), name); err != nil {
		unix.Unlinkat(at, temp, 0)
		return fmt.Errorf("renameat(%s): %w", name, describe(err))
	}
	return r.SyncDir(dir)
}

func sortEntries(list []os.DirEntry) {
	slices.SortFunc(list, func(a, b os.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
}
