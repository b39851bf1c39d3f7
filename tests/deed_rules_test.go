package tests

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// disk knows what a loss of power may take back: content that was written and names that were
// changed since they were last made durable.
type disk struct {
	written map[string]bool // by path
	names   []name
	found   []string
}

// name is a change in a directory.
type name struct{ call, path string }

// faults are deeds after which a loss of power leaves something broken. When nothing is to be
// durable only the order is looked at in which files that others may see are replaced.
func faults(deeds []deed, loose bool) []string {
	if loose {
		return nil
	}
	d := &disk{written: map[string]bool{}}
	for _, deed := range deeds {
		d.do(deed)
	}
	for _, n := range d.names {
		if strings.HasPrefix(n.path, "repo") && !passing(n) {
			d.fault("at the end %s of %s is not durable", n.call, n.path)
		}
	}
	return d.found
}

// passing are changes that may be lost: what is temporary, and deletions that do no harm when they
// are taken back, such as that of an object that nobody needs.
func passing(n name) bool {
	in := func(place string) bool { return strings.HasPrefix(n.path, "repo/"+place) }
	return in("tmp") || in(".lock") || n.call == "unlink" && (in("state/") || in("objects/") && !isCommit(n.path))
}

func (d *disk) fault(format string, args ...any) {
	if text := shortName(fmt.Sprintf(format, args...)); !slices.Contains(d.found, text) {
		d.found = append(d.found, text)
	}
}

func (d *disk) do(e deed) {
	switch e.call {
	case "write":
		d.written[e.path] = true
	case "syncfs":
		clear(d.written)
		d.names = nil
	case "fsync", "fdatasync":
		delete(d.written, e.path)
		d.names = slices.DeleteFunc(d.names, func(n name) bool { return path.Dir(n.path) == path.Clean(e.path) })
	case "open":
		if !strings.Contains(e.flag, "O_TMPFILE") {
			d.change(e)
		}
	case "mkdir", "symlink", "unlink":
		d.change(e)
	case "link", "rename":
		if d.written[e.from] {
			d.written[e.path] = true
		} else {
			delete(d.written, e.path)
		}
		d.change(e)
		if e.call == "rename" {
			d.names = append(d.names, name{"taking away", e.from})
			delete(d.written, e.from)
		}
	}
}

// change holds a new or changed name to the rules, and takes note of it.
func (d *disk) change(e deed) {
	public := !strings.HasPrefix(e.path, "repo/tmp/")
	if public && d.written[e.path] {
		d.fault("%s of %s: its content is not durable", e.call, e.path)
	}
	switch {
	case strings.HasPrefix(e.path, "repo/refs/") && (e.call == "rename" || e.call == "symlink"):
		d.demand(e, "the object", isObject)
	case isCommit(e.path) && e.call != "unlink":
		d.demand(e, "what it needs", func(p string) bool { return isObject(p) || strings.HasPrefix(p, "repo/state/") })
	case isObject(e.path) && e.call == "unlink" && !isCommit(e.path):
		d.demand(e, "the deletion of who needs it", func(p string) bool { return isCommit(p) || strings.HasPrefix(p, "repo/refs/") })
	}
	if public || e.call != "unlink" {
		d.names = append(d.names, name{e.call, e.path})
	}
}

// demand wants changes of some files to be durable.
func (d *disk) demand(e deed, what string, of func(string) bool) {
	for _, n := range d.names {
		if of(n.path) && n.path != path.Dir(e.path) && !(isCommit(e.path) && isCommit(n.path)) {
			d.fault("%s of %s: %s is not durable: %s of %s", e.call, e.path, what, n.call, n.path)
		}
	}
	for p := range d.written {
		if of(p) {
			d.fault("%s of %s: %s is not durable: content of %s", e.call, e.path, what, p)
		}
	}
}

func isObject(p string) bool {
	return strings.HasPrefix(p, "repo/objects/") && !strings.HasSuffix(p, ".commitmeta") && !strings.HasSuffix(p, ".tombstone-commit")
}

func isCommit(p string) bool { return isObject(p) && strings.HasSuffix(p, ".commit") }

// TestDeedRules: the rules find what they are for.
func TestDeedRules(t *testing.T) {
	const object, commit, ref = "repo/objects/aa/x.file", "repo/objects/bb/y.commit", "repo/refs/heads/main"
	write := func(p string) deed { return deed{call: "write", path: p} }
	rename := func(from, to string) deed { return deed{call: "rename", from: from, path: to} }
	fsync := func(p string) deed { return deed{call: "fsync", path: p} }
	sync := deed{call: "syncfs", path: "repo"}
	for want, deeds := range map[string][]deed{
		"": {write("repo/tmp/o"), sync, rename("repo/tmp/o", object), sync, write("repo/tmp/c"), fsync("repo/tmp/c"), rename("repo/tmp/c", commit), sync,
			write("repo/tmp/r"), fsync("repo/tmp/r"), rename("repo/tmp/r", ref), fsync("repo/refs/heads")},
		"rename of refs/heads/main: its content is not durable":                                                   {write("repo/tmp/r"), rename("repo/tmp/r", ref), sync},
		"rename of refs/heads/main: the object is not durable: rename of objects/aa/x.file":                       {rename("repo/tmp/o", object), rename("repo/tmp/r", ref), sync},
		"rename of objects/bb/y.commit: what it needs is not durable: rename of objects/aa/x.file":                {rename("repo/tmp/o", object), rename("repo/tmp/c", commit), sync},
		"unlink of objects/aa/x.file: the deletion of who needs it is not durable: unlink of objects/bb/y.commit": {{call: "unlink", path: commit}, {call: "unlink", path: object}, sync},
		"at the end rename of refs/heads/main is not durable":                                                     {rename("repo/tmp/r", ref)},
	} {
		got := strings.ReplaceAll(strings.Join(faults(deeds, false), "\n"), "repo/", "")
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
