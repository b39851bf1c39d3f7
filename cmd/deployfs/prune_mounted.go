package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/prune"
)

// repoMounts are the mounts of one repository that can be seen from here.
type repoMounts []daemon.Status

// mountsOf lists the mounts of a repository, whatever path they know it by.
func mountsOf(repo *objstore.Repo) (repoMounts, error) {
	list, err := daemon.List()
	if err != nil {
		return nil, err
	}
	own, err := repo.Dir().Stat()
	if err != nil {
		return nil, err
	}
	var here repoMounts
	for _, s := range list {
		if info, err := os.Stat(s.Repo); err == nil && os.SameFile(info, own) {
			here = append(here, s)
		}
	}
	return here, nil
}

// commits are those that the mounts show.
func (m repoMounts) commits() (list []object.Checksum) {
	for _, s := range m {
		if sum, err := object.ParseChecksum(s.Commit); err == nil {
			list = append(list, sum)
		}
	}
	return list
}

// where lists the mountpoints of a commit, or says that they are elsewhere.
func (m repoMounts) where(sum object.Checksum) string {
	var points []string
	for _, s := range m {
		if s.Commit == sum.String() {
			points = append(points, daemon.Line(s.Mountpoint))
		}
	}
	if points == nil {
		return "a mountpoint that can't be seen from here"
	}
	return strings.Join(points, ", ")
}

// tellKept says which commits are there only because they are mounted.
func (m repoMounts) tellKept(w io.Writer, kept []object.Checksum) {
	if len(kept) == 0 {
		return
	}
	var places []string
	for _, sum := range kept {
		places = append(places, short(sum.String())+" at "+m.where(sum))
	}
	what := "a commit that is"
	if len(kept) > 1 {
		what = fmt.Sprintf("%d commits that are", len(kept))
	}
	fmt.Fprintf(w, "kept %s mounted: %s (--force deletes what is mounted, too)\n", what, strings.Join(places, "; "))
}

// explain adds the remedy to an error that a mount is the reason for.
func (m repoMounts) explain(err error) error {
	var mounted *prune.MountedError
	var hint string
	switch {
	case errors.As(err, &mounted):
		hint = "it is at " + m.where(mounted.Commit) + ": unmount it, or use --force"
	case errors.As(err, new(*prune.LostLeaseError)):
	case errors.Is(err, objstore.ErrInUse):
		hint = "another program works on the repository, or a mount of a repository of which it is the parent holds it"
	}
	if hint == "" {
		return daemon.WithRemedy(err)
	}
	return &daemon.Failure{Text: err.Error(), Remedy: hint}
}
