package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// client is a program that fetches from the web server, into a directory that was not there before.
type client struct {
	worker
	web  *webServer
	need string // option of mount without which it can't be asked
	program
}

var _ peer = (*client)(nil)

func (c *client) column() string  { return c.worker.column() }
func (c *client) variant() string { return c.worker.variant() }

func (c *client) absent() string {
	if why := c.web.absent(); why != "" || c.need == "" {
		return why
	}
	return c.unknown(c.need)
}

// prepare publishes the tree's archive.
func (c *client) prepare(ctx context.Context, t *tree) error {
	repo, err := t.repo(ctx, archive)
	if err != nil {
		return err
	}
	if _, absent := os.Stat(filepath.Join(repo, "summary")); absent != nil {
		if _, err := setUp(ctx, "ostree", "summary", "-u", "--repo="+repo); err != nil {
			return err
		}
	}
	return c.web.start()
}

// fetch runs the program once, beside the web server.
func fetch(ctx context.Context, s spot) error {
	c := s.peer.(*client)
	return runFor(ctx, deadline, nil, c.web.inside(append([]string{c.worker.path}, c.args(s.tree, s.dir)...)...)...)
}

// line is the way to the web server.
type line struct{ id, title, host string }

// lines are the ways that there are.
func (b *bench) lines() []line {
	return []line{{"near", "from nginx", nearHost}, {"far", fmt.Sprintf("from nginx, %s away", 2*b.delay), farHost}}
}

// carried is the tree that goes over the wire: the main one, or where only whether it works is asked the smallest.
func (b *bench) carried() *tree {
	if b.quick {
		return b.trees[0]
	}
	return b.main
}

// askWire asks how long it takes to get a commit from a web server: as a whole, and as a mount that fetches
// what is looked at.
func (b *bench) askWire(ctx context.Context) error {
	modes := []string{archive, bareUser}
	if b.quick {
		modes = modes[1:] // ostree takes seconds to compress
	}
	for _, l := range b.lines() {
		for _, mode := range modes {
			if err := b.ask(ctx, b.pull(l, mode)); err != nil {
				return err
			}
		}
	}
	for _, l := range b.lines() {
		if err := b.askSized(ctx, b.lazy(l), "sent for a "+b.lazy(l).title, b.sent); err != nil {
			return err
		}
	}
	return b.web.stop()
}

// pull asks about a pull into a new repository.
func (b *bench) pull(l line, mode string) question {
	return question{
		id: "pull " + l.id + " " + mode, title: "pull of " + b.carried().name + " " + l.title + ", archive to " + mode, tree: b.carried(), fresh: true,
		slow: l.host == farHost, timed: fetch, before: b.subscribe(l, mode),
		peers: []peer{b.client(subject, "deployfs pull", b.peers.standard.path, pullArgs), b.client(native, "", "ostree", pullArgs)},
	}
}

func (b *bench) client(column, label, path string, args func(*tree, string) []string) *client {
	return &client{worker: worker{name: column, label: label, path: path, args: args}, web: b.web, program: b.peers.standard.program}
}

func pullArgs(t *tree, dir string) []string { return []string{"pull", "--repo=" + dir, "o", t.ref()} }

// subscribe makes an empty repository with the tree's archive as a remote.
func (b *bench) subscribe(l line, mode string) func(context.Context, spot) error {
	return func(ctx context.Context, s spot) error {
		if err := initialise(mode)(ctx, s); err != nil {
			return err
		}
		_, err := run(ctx, "ostree", "remote", "add", "--repo="+s.dir, "--no-gpg-verify", "o", b.web.url(l.host, s.tree.repos[archive]))
		unix.Sync() // what others have written is not waited for
		return err
	}
}

// lazy asks about a look at the largest directory: through a mount of what is not here, and after a pull of
// the whole.
func (b *bench) lazy(l line) question {
	dir, names := b.carried().busiest()
	look := b.client(subject, "mount --remote", b.peers.standard.path, nil)
	look.need = "--remote"
	whole := b.client(native, "", "ostree", pullArgs)
	return question{
		id:    "lazy " + l.id,
		title: fmt.Sprintf("mount %s, and `ls -l` of %d names of %s (to `ostree pull`, of all)", l.title, names, b.carried().name),
		tree:  b.carried(), fresh: true, slow: l.host == farHost, peers: []peer{look, whole},
		before: func(ctx context.Context, s spot) error {
			if s.peer == peer(whole) {
				if err := b.subscribe(l, bareUser)(ctx, s); err != nil {
					return err
				}
			}
			_, err := b.web.sent() // what came before is not counted
			return err
		},
		timed: func(ctx context.Context, s spot) error {
			if s.peer == peer(whole) {
				return fetch(ctx, s)
			}
			url := b.web.url(l.host, s.tree.repos[archive]) + "#" + s.tree.ref()
			if err := mountAt(ctx, s.dir, b.web.inside(look.worker.path, "mount", "--remote="+url, "--cache-dir="+s.dir+".cache", s.dir)...); err != nil {
				return err
			}
			return runFor(ctx, deadline, nil, "ls", "-l", filepath.Join(s.dir, dir))
		},
		after: func(ctx context.Context, s spot) error {
			if s.peer == peer(whole) {
				return nil
			}
			_, err := run(ctx, look.worker.path, "umount", s.dir)
			return err
		},
	}
}

// sent is what the web server has sent.
func (b *bench) sent(spot) (float64, error) { return b.web.sent() }

// busiest is the directory with the most files in it, and how many names it has.
func (f *forest) busiest() (dir string, names int) {
	count := map[string]int{}
	for _, file := range f.files {
		count[filepath.Dir(file.path)]++
	}
	for d, n := range count {
		if n > count[dir] || n == count[dir] && strings.Compare(d, dir) < 0 {
			dir = d
		}
	}
	for _, d := range f.dirs {
		count[filepath.Dir(d)]++
	}
	for _, l := range f.links {
		count[filepath.Dir(l.path)]++
	}
	return dir, count[dir]
}

// askSized asks a question, and adds a row of how much each answer came to, in bytes.
func (b *bench) askSized(ctx context.Context, q question, title string, size func(spot) (float64, error)) error {
	sizes := map[place]sample{}
	after := q.after
	q.after = func(ctx context.Context, s spot) error {
		n, err := size(s)
		key := place{s.peer, s.tree}
		sizes[key] = append(sizes[key], n)
		if after != nil {
			err = errors.Join(err, after(ctx, s))
		}
		return err
	}
	rows := len(b.rows)
	if err := b.ask(ctx, q); err != nil || len(b.rows) == rows {
		return err
	}
	r := row{ID: q.id + " bytes", Tree: q.tree.name, Title: title, Unit: octets}
	for i, p := range q.peers {
		c := b.rows[rows].Cells[i]
		c.Values, c.Requests = sizes[place{p, q.tree}], nil
		r.Cells = append(r.Cells, c)
	}
	r.settle()
	b.rows = append(b.rows, r)
	return nil
}
