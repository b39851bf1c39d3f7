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

// AliasError says that a ref can't be deleted since an alias leads to it.
type AliasError struct{ Ref, Alias string }

func (e *AliasError) Error() string {
	return fmt.Sprintf("Ref '%s' has an active alias: '%s'", e.Ref, e.Alias)
}

// CheckUnaliased fails with an [AliasError] where an alias leads to one of these
// refs.
func (r *Repo) CheckUnaliased(names ...refs.Name) error {
	links, err := r.aliases(names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if list := links["refs/"+r.stored(name).Path()]; len(list) > 0 {
			return r.aliasError(name, list[0])
		}
	}
	return nil
}

// aliasError names the alias by its file.
func (r *Repo) aliasError(name refs.Name, alias string) error {
	return &AliasError{Ref: name.Ref, Alias: strings.TrimPrefix(alias, "refs/"+r.stored(name).Dir()+"/")}
}

// aliases finds the aliases that are kept where these refs are: by what they lead
// to, all as files from the repository on.
func (r *Repo) aliases(names []refs.Name) (map[string][]string, error) {
	links, seen := map[string][]string{}, map[string]bool{}
	for _, name := range names {
		dir := "refs/" + r.stored(name).Dir()
		if seen[dir] {
			continue
		}
		seen[dir] = true
		err := r.walkRefNames(dir, maxRefDepth, func(file string, typ os.FileMode) bool {
			if typ&os.ModeSymlink != 0 {
				if target, ok := r.linkTarget(file); ok {
					links[target] = append(links[target], file)
				}
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return links, nil
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
