package main

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/tree"
)

const revPathText = `REV:PATH is a file or directory of a commit, as in git. PATH is from the root of the tree on, with or without a leading slash; without one, REV: is the root. A colon can also stand between a remote and a ref, and in a name, so what comes before the PATH is the longest REV that there is: first the whole argument is tried as a REV, then all before its second colon (REMOTE:REF:PATH), then all before its first (REF:PATH, CHECKSUM:PATH, and either with ^). No ref begins with a slash, so with PATH's leading slash nothing is in doubt.`

// revPath is a REV:PATH that was found.
type revPath struct {
	rev    string
	commit object.Checksum
	root   tree.Entry
	entry  tree.Entry
}

// findRevPath resolves REV:PATH; false means that arg is a REV, or leads to none: err is nil when it
// is for ostree to say what is wrong with it.
func findRevPath(repo *objstore.Repo, arg string) (p revPath, ok bool, err error) {
	if !strings.Contains(arg, ":") {
		return p, false, nil
	}
	if _, found, err := tryRev(repo, arg); found || err != nil {
		return p, false, err
	}
	var first error // of the longest that could be a REV
	for rev, name := range splits(arg) {
		sum, found, err := tryRev(repo, rev)
		if found {
			p, err = placeAt(repo, rev, sum, name)
		}
		if found || err != nil {
			return p, true, err
		}
		if first == nil && isRefspec(rev) {
			first = &objstore.RevError{Rev: rev}
		}
	}
	if isRefspec(arg) { // REMOTE:REF, as ostree sees it
		first = nil
	}
	return p, first != nil, first
}

// splits are the ways to take arg apart, the longest REV first.
func splits(arg string) iter.Seq2[string, string] {
	return func(yield func(rev, name string) bool) {
		rev, rest, _ := strings.Cut(arg, ":")
		if ref, name, ok := strings.Cut(rest, ":"); ok && !yield(rev+":"+ref, name) {
			return
		}
		yield(rev, rest)
	}
}

// tryRev resolves a REV; that there is none, or can't be one, is no error. The first parts of a ref
// are none, and neither is a remote.
func tryRev(repo *objstore.Repo, rev string) (sum object.Checksum, found bool, err error) {
	if !object.IsChecksum(rev) && !isRefspec(rev) {
		return sum, false, nil
	}
	sum, err = repo.Resolve(rev)
	if none := (*objstore.RevError)(nil); errors.As(err, &none) && !none.Ambiguous || errors.Is(err, unix.EISDIR) {
		return sum, false, nil
	}
	return sum, err == nil, err
}

// isRefspec reports whether a REV can be a ref or a prefix of a checksum, or an ancestor of one.
func isRefspec(rev string) bool {
	_, err := refs.Parse(strings.TrimRight(rev, "^"))
	return err == nil
}

// placeAt looks a path up in a commit.
func placeAt(repo *objstore.Repo, rev string, sum object.Checksum, name string) (revPath, error) {
	p := revPath{rev: rev, commit: sum}
	commit, err := repo.Commit(sum)
	if err == nil {
		p.root = tree.Root(commit)
		p.entry, err = tree.Lookup(repo, p.root, name)
	}
	switch nowhere := (*tree.Error)(nil); {
	case errors.As(err, &nowhere):
		err = fmt.Errorf("%s:%s: %w", rev, nowhere.Path, wordsFor(nowhere.Err))
	case err != nil:
		err = fmt.Errorf("%s: %w", rev, err)
	}
	return p, err
}

// wordsFor is why a path leads nowhere.
func wordsFor(err error) error {
	if err == unix.ENOTDIR {
		return cli.Words("Not a directory")
	}
	return cli.Words("No such file or directory")
}

// findRevPaths resolves all arguments when the first is a REV:PATH, and then each has to be one; ok is
// false when the first is none.
func findRevPaths(repo *objstore.Repo, args []string) (list []revPath, ok bool, err error) {
	for _, arg := range args {
		p, found, err := findRevPath(repo, arg)
		switch {
		case err != nil:
			return nil, ok || found, err
		case !found && ok:
			return nil, true, fmt.Errorf("'%s' is no REV:PATH", arg)
		case !found:
			return nil, false, nil
		}
		list, ok = append(list, p), true
	}
	return list, ok, nil
}
