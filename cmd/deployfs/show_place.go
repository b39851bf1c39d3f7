package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// placeJSON is what stands at a path of a commit, in JSON.
type placeJSON struct {
	Commit string `json:"commit"`
	row
	Entries []row `json:"entries,omitempty"` // of a directory
}

// places shows what stands at paths; err is why they can't be.
func (s *shower) places(list []revPath, err error) error {
	all := []placeJSON{}
	for i, p := range list {
		switch {
		case s.json:
			var j placeJSON
			j, err = s.placeJSON(p)
			all = append(all, j)
		case i > 0:
			fmt.Fprintln(s.out)
			fallthrough
		default:
			err = s.place(p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.rev, err)
		}
	}
	if err == nil && s.json {
		err = cli.WriteJSON(s.out, all)
	}
	return err
}

// lister reads entries with their xattrs, as ls --json does.
func (s *shower) lister() *lister {
	return &lister{lsOptions: new(lsOptions), repo: s.repo, out: s.out, rows: []row{}}
}

func (s *shower) placeJSON(p revPath) (j placeJSON, err error) {
	l := s.lister()
	h, err := l.header(p.entry)
	if err != nil {
		return j, err
	}
	j = placeJSON{Commit: p.commit.String(), row: newRow(p.entry, h)}
	if !p.entry.IsDir() {
		return j, nil
	}
	children, err := tree.Children(s.repo, p.entry)
	for _, e := range children {
		if err := l.entry(e); err != nil {
			return j, err
		}
	}
	j.Entries = l.rows
	return j, err
}

// place prints facts and, of a directory, its entries.
func (s *shower) place(p revPath) error {
	h, err := s.lister().header(p.entry)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\nCommit: %s\n", s.paint(cli.Header, "Path: "+daemon.Line(p.entry.Path)), p.commit)
	switch {
	case err != nil:
		return err
	case !p.entry.IsDir():
		_, err = io.WriteString(s.out, fileText(p.entry.Content, h, daemon.Line(h.Target)))
		return err
	}
	fmt.Fprintf(s.out, "Type: directory\nDirtree: %s\nDirmeta: %s\n%s", p.entry.Tree, p.entry.Meta, metaText(h))
	return s.entries(p.entry)
}

// entries lists a directory by name, as ls -l does.
func (s *shower) entries(dir tree.Entry) error {
	children, err := tree.Children(s.repo, dir)
	if err != nil {
		return err
	}
	slices.SortFunc(children, func(a, b tree.Entry) int { return strings.Compare(a.Path, b.Path) })
	l := &lister{lsOptions: new(lsOptions), repo: s.repo}
	headers, widths := make([]object.Header, len(children)), [3]int{}
	for i, e := range children {
		h, err := l.header(e)
		if err != nil {
			return err
		}
		headers[i] = h
		for k, n := range []uint64{uint64(h.UID), uint64(h.GID), h.Size} {
			widths[k] = max(widths[k], len(strconv.FormatUint(n, 10)))
		}
	}
	if len(children) > 0 {
		fmt.Fprintln(s.out)
	}
	for i, e := range children {
		if _, err := fmt.Fprintln(s.out, entryLine(nameOf(e), headers[i], widths)); err != nil {
			return err
		}
	}
	return nil
}

// entryLine is a line of ls -l; widths are those of owner, group and size.
func entryLine(name string, h object.Header, widths [3]int) string {
	line := fmt.Sprintf("%s %*d %*d %*d %s", object.ModeText(h.Mode), widths[0], h.UID, widths[1], h.GID, widths[2], h.Size, daemon.Line(name))
	if h.IsSymlink() {
		line += " -> " + daemon.Line(h.Target)
	}
	return line
}

// nameOf is an entry's name in its directory.
func nameOf(e tree.Entry) string { return e.Path[strings.LastIndexByte(e.Path, '/')+1:] }

// metaText is what files and directories have in common.
func metaText(h object.Header) string {
	return fmt.Sprintf("Mode: 0%04o\nUid: %d\nGid: %d\nExtended Attributes: { %s }\n",
		h.Mode, h.UID, h.GID, gvariant.Print(object.XattrsValue(h.Xattrs), true, false))
}
