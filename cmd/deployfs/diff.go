package main

import (
	"bufio"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/compare"
	"deployfs/objstore/diff"
)

type diffOptions struct {
	stats, fsDiff, noXattrs             bool // ostree's
	ownerUID, ownerGID                  string
	names, stat, patch, renames, detail bool // ours
	rehash                              bool
}

func diffVerb() cli.Verb {
	o := &diffOptions{ownerUID: "-1", ownerGID: "-1"}
	return cli.Verb{
		Name: "diff", Args: "REV_OR_DIR REV_OR_DIR", Short: "Compare directory TARGETDIR against revision REV", JSON: true, Pager: true,
		Long: diffText,
		Options: []cli.Option{
			cli.Flag(&o.stats, "stats", "", "Print various statistics"),
			cli.Flag(&o.fsDiff, "fs-diff", "", "Print filesystem diff"),
			cli.Flag(&o.noXattrs, "no-xattrs", "", "Skip output of extended attributes"),
			cli.String(&o.ownerUID, "owner-uid", "", "UID", "Use file ownership user id for local files"),
			cli.String(&o.ownerGID, "owner-gid", "", "GID", "Use file ownership group id for local files"),
			cli.Flag(&o.names, "name-status", "", "Print a letter and the path of each change"),
			cli.Flag(&o.stat, "stat", "", "Print how many entries and bytes were added, removed and changed in each directory"),
			cli.Flag(&o.patch, "patch", "p", "Print a unified diff of contents"),
			cli.Flag(&o.renames, "find-renames", "M", "Tell what was renamed and not changed"),
			cli.Flag(&o.detail, "metadata", "", "Spell out changes of mode, owner and xattrs"),
			cli.Flag(&o.rehash, "rehash", "", "Hash files of a directory also when they are known to be the same"),
		},
		Examples: []cli.Example{
			{Command: "deployfs diff os/main", Text: "what the newest commit has changed"},
			{Command: "deployfs diff -p os/main^ os/main -- /etc", Text: "line by line, below /etc"},
			{Command: "deployfs diff --stat -M os/stable os/main", Text: "how much has changed, and where"},
			{Command: "deployfs diff --name-status os/main https://example.org/repo#os/main", Text: "what a pull would bring"},
			{Command: "deployfs diff --metadata os/main /sysroot/copy", Text: "what a checkout has become, down to modes and xattrs"},
			{Command: "deployfs diff --json os/main | jq -r '.changes[] | select(.status == \"added\") | .path'", Text: "for scripts"},
		},
		Complete: completeDiff,
		Run:      o.run,
	}
}

const diffText = `Without a second argument, REV is compared with its parent. An argument that begins with / or ./ is a directory of this machine, anything else a commit. What is printed then is what ostree prints: M, D or A and a path for all that was modified, then removed, then added; of a directory that was removed, only itself.

` + farText + ` Only directories that differ are fetched, and what the output needs of files: nothing for names; --stats can't be had.

With -- behind one or two of them, what follows are paths from the root of both, and nothing else is looked at, nor opened. (ostree takes no paths, and would take them for what is compared.)

Any of the other forms tells more, in the order of paths: --name-status, --stat, --patch and --json; -M and --metadata alone print names. They tell of a directory that was added or removed all that is in it, and of the root's own mode, owner and xattrs as "/". The letters are A, D, M, T for a changed type, and R for a rename, with the old path first. Names that would upset a terminal stand in quotes, as git prints them.

A rename is found by checksums: content, mode, owner and xattrs have to be the same, of a directory also those of all that is below it. A patch has git's headers; git apply takes it, and so does patch -p1 unless a file has become a directory. It has no directories, and of one that was renamed it tells file by file; with --metadata it tells of directories, owners and xattrs, and is for reading only. Of binary files, and of those over 4 MiB, only the sizes are told: git apply refuses a patch with such files, patch -p1 passes them over. --stat counts each directory without those below it: CHANGED is the size of files whose content has changed, NET by how much all has grown.

Commits are compared by checksum: equal directories are never opened, so the cost follows the change and not the tree. Of a directory's files those are not read that differ in size, mode or owner, or whose checksum is remembered from an earlier run: by device, inode, size and times to the nanosecond, in a file in the user's cache directory that may be deleted at any time. A hard link of a repository's object is read like any other file: it may have been written through any of its names. A directory that is mounted by deployfs from the same repository counts as the commit that it shows. With --rehash, only a difference in size, mode or owner keeps a file from being read.`

func (o *diffOptions) run(ctx context.Context, inv *cli.Invocation) error {
	uid, err := parseOwner("owner-uid", o.ownerUID)
	if err != nil {
		return err
	}
	gid, err := parseOwner("owner-gid", o.ownerGID)
	if err != nil {
		return err
	}
	revs, paths := inv.Args, []string(nil)
	if inv.Before > 0 {
		revs, paths = inv.Args[:inv.Before], inv.Args[inv.Before:]
	}
	d := &differ{diffOptions: o, inv: inv, uid: uid, gid: gid, within: diff.NewPaths(paths), left: compare.MaxListed, calm: func() {}}
	if err := d.openRepos(ctx, revs); err != nil {
		return err
	}
	defer d.closeRepos()
	if len(revs) == 0 {
		return &cli.UsageError{Text: "REV must be specified"}
	}
	if err := d.name(revs); err != nil {
		return err
	}
	if err = d.run(ctx); errors.Is(err, compare.ErrTooMany) {
		err = &daemon.Failure{Text: err.Error(), Remedy: "name paths behind --, or ask for --name-status or -p alone, which hold nothing"}
	}
	return err
}

// name says what is compared.
func (d *differ) name(revs []string) error {
	if len(revs) > 1 {
		d.from, d.to = revs[0], revs[1]
	} else {
		d.from, d.to = revs[0]+"^", revs[0]
	}
	d.fromRev, d.toRev = d.from, d.to
	if len(revs) == 1 && !isLocal(d.to) { // resolved once: a ref may move on at any time
		sum, err := d.resolve(d.to)
		if err != nil {
			return err
		}
		d.fromRev, d.toRev = sum+"^", sum
		return nil
	}
	return d.nameFar()
}

// parseOwner reads a number as GLib does.
func parseOwner(option, text string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(text, " \t"), 0, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, cli.Words("Integer value “" + text + "” for --" + option + " out of range")
	case err != nil:
		return 0, cli.Words("Cannot parse integer value “" + text + "” for --" + option)
	}
	return int(n), nil
}

// differ is one run of the verb.
type differ struct {
	*diffOptions
	inv      *cli.Invocation
	repo     *objstore.Repo
	fars     map[string]*far // by URL
	fromRepo *objstore.Repo  // that fromRev is in, and so on
	toRepo   *objstore.Repo
	uid, gid int // of local files, negative for their own
	within   *diff.Paths
	from, to string // as they were asked for
	fromRev  string // what they stand for
	toRev    string
	old, new compare.Side

	left        compare.Budget // for lists
	found, told atomic.Int64   // changes
	calm        func()         // takes the line of progress away
}

// out is where to print to, with no progress in between.
func (d *differ) out() *bufio.Writer {
	d.calm()
	return d.inv.Stdout
}

// beyond reports whether more is asked for than ostree's forms.
func (d *differ) beyond() bool {
	return d.names || d.stat || d.patch || d.renames || d.detail || d.inv.JSON
}

func (d *differ) run(ctx context.Context) error {
	if d.inv.JSON {
		return d.writeJSON(ctx)
	}
	if d.fsDiff || !d.stats {
		if err := d.compare(ctx); err != nil {
			return err
		}
	}
	if d.stats {
		return d.printCount(ctx)
	}
	return nil
}

// compare compares the two sides, and prints what differs.
func (d *differ) compare(ctx context.Context) error {
	done, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if d.beyond() {
		return d.print(ctx)
	}
	return d.printAsOstree(ctx)
}

// each calls visit for all that differs, as it is found.
func (d *differ) each(ctx context.Context, visit func(compare.Change) error) error {
	options := compare.Options{AsOstree: !d.beyond(), Within: d.within}
	return compare.Run(ctx, d.old, d.new, options, func(c compare.Change) error {
		d.found.Add(1)
		return visit(c)
	})
}

// list is all that differs.
func (d *differ) list(ctx context.Context) (list []compare.Change, err error) {
	err = d.each(ctx, func(c compare.Change) error {
		list = append(list, c)
		return d.left.TakeChange(c)
	})
	if err == nil && d.renames {
		list, err = compare.Renames(list, d.old, d.new)
	}
	return list, err
}

// completeDiff completes refs and directories, then, and behind "--", paths inside the first commit.
func completeDiff(inv *cli.Invocation, word string) cli.Completion {
	switch {
	case inv.Dashes:
		return completeRevPaths(inv, word)
	case strings.HasPrefix(word, "/"), strings.HasPrefix(word, "./"):
		return cli.Completion{Dirs: true}
	case len(inv.Args) < 2:
		return completeRevs(inv, word)
	}
	return completeRevPaths(inv, word)
}
