package main

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/verify"
)

func verifyVerb() cli.Verb {
	return cli.Verb{
		Name: "verify", Args: "MOUNTPOINT|REV [PATH]", Short: "Check every object of a tree against its name", Ours: true, JSON: true,
		Long: verifyText,
		Examples: []cli.Example{
			{Command: "deployfs verify /mnt", Text: "all that a mount shows"},
			{Command: "deployfs verify os/main /usr/bin", Text: "a directory of a commit, and all below it"},
		},
		Complete: completeVerify,
		Run:      runVerify,
	}
}

const verifyText = `Reads dirtrees, dirmetas and contents from the repository, each distinct object once and on all processors, and hashes them. There is one line for each object that is damaged, absent, or can't be read: with a path that needs it, the object, and why. Nothing else is printed, beside the progress on a terminal; the exit status is 0 when all is good, and 1 otherwise.

With a MOUNTPOINT, or anything in a mount, what it shows is checked: its commit, from there on; PATH goes on from there. The mount itself is not asked, and what a writable layer changed is not looked at. A tree that is on a server (mount --remote) can't be checked so: what is read of it is verified as it comes. Anything else, and everything with --repo, is a REV. Paths that are printed begin at the commit's root.

What lies below a damaged or absent directory is not known, and so not checked. Of a partial commit, objects may be absent by intention; that is said, and they count all the same.`

// verifiedJSON is what was checked, and what is wrong. At most maxListed
// problems are listed.
type verifiedJSON struct {
	Repo       string        `json:"repo"`
	Commit     string        `json:"commit"`
	Path       string        `json:"path"`
	PathBytes  []byte        `json:"path_bytes,omitempty"`
	Partial    bool          `json:"partial"` // objects may be absent by intention
	Objects    int64         `json:"objects"` // that were checked
	Bytes      int64         `json:"bytes"`
	Seconds    float64       `json:"seconds"`
	Damaged    []problemJSON `json:"damaged"`
	Absent     []problemJSON `json:"absent"`
	Unreadable []problemJSON `json:"unreadable"`
	Unlisted   int64         `json:"unlisted,omitempty"`
}

type problemJSON struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
	Object    string `json:"object"`
	Reason    string `json:"reason"`
}

const maxListed = 100000

// verifier is one run of the verb.
type verifier struct {
	inv    *cli.Invocation
	repo   *objstore.Repo
	commit object.Checksum
	path   string
	count  verify.Count
	found  verifiedJSON
}

func runVerify(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) < 1 || len(inv.Args) > 2 {
		return &cli.UsageError{Text: fmt.Sprintf("a mountpoint or a commit and at most one path are needed, not %d arguments", len(inv.Args))}
	}
	v := &verifier{inv: inv, found: verifiedJSON{Damaged: []problemJSON{}, Absent: []problemJSON{}, Unreadable: []problemJSON{}}}
	if err := v.open(); err != nil {
		return daemon.WithRemedy(err)
	}
	defer v.repo.Close()
	return daemon.WithRemedy(v.run(ctx))
}

// open finds out what is to be checked.
func (v *verifier) open() (err error) {
	if v.path = "/"; len(v.inv.Args) == 2 {
		v.path = path.Join("/", v.inv.Args[1])
	}
	if !v.inv.RepoGiven {
		if ok, err := v.openMount(v.inv.Args[0]); ok || err != nil {
			return err
		}
	}
	if v.repo, err = openRepo(v.inv); err != nil {
		return err
	}
	if v.commit, err = v.repo.Resolve(v.inv.Args[0]); err != nil {
		v.repo.Close()
	}
	return err
}

// openMount takes what the mount shows in which name lies; false when name must
// be a REV.
func (v *verifier) openMount(name string) (ok bool, err error) {
	m, at, ok, err := daemon.Find(name)
	if !ok {
		if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, ".") {
			return false, nil
		}
		if err == nil {
			err = &daemon.Failure{Text: daemon.Line(name) + ": not in a mount of deployfs", Remedy: "`deployfs mounts` lists them"}
		}
	}
	if err != nil {
		return true, err
	}
	if m.Commit == "" {
		return true, &daemon.Failure{Text: daemon.Line(name) + ": in the tree of no commit", Remedy: "name one of those in " + daemon.Line(m.Mountpoint) + "/commits"}
	}
	if m.Remote != nil {
		return true, &daemon.Failure{
			Text:   fmt.Sprintf("%s: the tree is on a server, %s", daemon.Line(name), daemon.Line(m.Remote.URL)),
			Remedy: "what is read of it is verified as it comes; to check all of it, pull it and verify the commit with --repo=PATH",
		}
	}
	v.path = path.Join("/", m.Subpath, at, v.path)
	if v.commit, err = object.ParseChecksum(m.Commit); err != nil {
		return true, err
	}
	v.repo, err = objstore.Open(m.Repo)
	return true, err
}

func (v *verifier) run(ctx context.Context) error {
	f := &v.found
	f.Repo, f.Commit, f.Partial = v.repo.Path(), v.commit.String(), v.repo.IsPartial(v.commit)
	f.Path, f.PathBytes = cli.Text(v.path)
	start := time.Now()
	progress := cli.StartProgress(v.inv.Stderr, v.text)
	err := verify.Check(ctx, v.repo, v.commit, v.path, &v.count, func(p verify.Problem) { v.add(progress, p) })
	f.Seconds = time.Since(start).Seconds()
	progress.Stop(fmt.Sprintf("%s in %.1f s", v.text(), f.Seconds))
	if err != nil {
		return err
	}
	f.Objects, f.Bytes = v.count.Objects.Load(), v.count.Bytes.Load()
	if v.inv.JSON {
		if err := cli.WriteJSON(v.inv.Stdout, f); err != nil {
			return err
		}
	}
	return v.result()
}

func (v *verifier) text() string {
	return fmt.Sprintf("%d objects, %s", v.count.Objects.Load(), amount(v.count.Bytes.Load()))
}

// add prints a problem, or keeps it for JSON.
func (v *verifier) add(progress *cli.Progress, p verify.Problem) {
	if !v.inv.JSON {
		progress.Aside(func() {
			fmt.Fprintf(v.inv.Stdout, "%s %s %s: %s\n", p.Kind, daemon.Line(p.Path), p.Object, p.Reason())
			v.inv.Stdout.Flush()
		})
		return
	}
	f := &v.found
	if len(f.Damaged)+len(f.Absent)+len(f.Unreadable) >= maxListed {
		f.Unlisted++
		return
	}
	list := map[verify.Kind]*[]problemJSON{verify.Damaged: &f.Damaged, verify.Absent: &f.Absent, verify.Unreadable: &f.Unreadable}[p.Kind]
	one := problemJSON{Object: p.Object.String(), Reason: p.Reason()}
	one.Path, one.PathBytes = cli.Text(p.Path)
	*list = append(*list, one)
}

// result is the error that makes the exit status.
func (v *verifier) result() error {
	bad := v.count.Bad.Load()
	if bad == 0 {
		return nil
	}
	failure := &daemon.Failure{
		Text:   fmt.Sprintf("%d of %d objects of commit %s are not good", bad, v.found.Objects, v.commit),
		Remedy: "`ostree fsck --delete` removes what is damaged, and `ostree pull` fetches what is absent",
	}
	if v.found.Partial {
		failure.Text += ", which is partial: some may be absent by intention"
	}
	return failure
}

// completeVerify completes mountpoints and refs, then paths inside a commit.
func completeVerify(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) > 0 {
		return completeRevPaths(inv, word)
	}
	c = completeMountpoint(inv, word)
	c.Words = append(c.Words, completeRevs(inv, word).Words...)
	return c
}
