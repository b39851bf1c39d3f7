package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount"
	"deployfs/mount/daemon"
	"deployfs/objstore"
)

func demoVerb() cli.Verb {
	return cli.Verb{
		Name: "demo", Short: "Run the main job on a small built-in repository", Ours: true, NoRepo: true,
		Long:     "Unpacks a repository of three commits, mounts the newest, lists it, compares every file with its known checksum, shows the log and what changed, and takes everything away again. Each line says how long its step took.",
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run: func(ctx context.Context, inv *cli.Invocation) error {
			if err := mount.Available(); err != nil {
				return err
			}
			dir, err := os.MkdirTemp("", "deployfs-demo-")
			if err != nil {
				return err
			}
			d := &demo{ctx: ctx, inv: inv, dir: dir}
			err = d.run()
			return errors.Join(err, d.clean())
		},
	}
}

// demo is one run: the repository and the mountpoint lie in dir.
type demo struct {
	ctx     context.Context
	inv     *cli.Invocation
	dir     string
	repo    *objstore.Repo
	mounted bool
}

func (d *demo) repoPath() string   { return filepath.Join(d.dir, "repo") }
func (d *demo) mountpoint() string { return filepath.Join(d.dir, "mnt") }

func (d *demo) run() error {
	for _, step := range []struct {
		name string
		do   func() (string, error)
	}{
		{"unpack", d.unpack}, {"log", d.log}, {"mount", d.mount}, {"list", d.list},
		{"read", d.read}, {"attributes", d.attributes}, {"write", d.write}, {"changes", d.changes}, {"unmount", d.unmount},
	} {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		text, err := step.do()
		if err != nil {
			return err
		}
		took := float64(time.Since(start).Microseconds()) / 1000
		first, more, _ := strings.Cut(text, "\n")
		fmt.Fprintf(d.inv.Stdout, "%8.2f ms  %-10s  %s\n", took, step.name, first)
		for line := range strings.Lines(more) {
			fmt.Fprintf(d.inv.Stdout, "%25s%s\n", "", strings.TrimSuffix(line, "\n"))
		}
		if err := d.inv.Stdout.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// clean leaves nothing behind, however far run came.
func (d *demo) clean() error {
	if d.repo != nil {
		d.repo.Close()
	}
	if d.mounted {
		err := daemon.Unmount(d.mountpoint(), false)
		if errors.Is(err, mount.ErrBusy) {
			err = daemon.Unmount(d.mountpoint(), true)
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(d.dir)
}
