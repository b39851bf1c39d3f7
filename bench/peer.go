package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// peer is a way to make the tree of a commit usable in a directory.
type peer interface {
	name() string
	// place makes the commit that ref names usable at dir, which must not exist.
	place(ctx context.Context, ref, dir string) error
	// renew gives what was placed at dir a fresh start: nothing that the peer
	// itself remembers of the tree's use is left.
	renew(ctx context.Context, ref, dir string) error
	// remove ends what place began. Files may stay until the run ends.
	remove(ctx context.Context, dir string) error
	// status tells about the server behind dir; it is zero where there is none.
	status(ctx context.Context, dir string) (status, error)
}

// status is what a server tells about a mount.
type status struct {
	Mountpoint string `json:"mountpoint"`
	PID        int    `json:"pid"`
	Requests   uint64 `json:"requests"`
}

// mounted is the program under test.
type mounted struct{ program, repo string }

func (m mounted) name() string { return "deployfs" }

func (m mounted) place(ctx context.Context, ref, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	_, err := run(ctx, m.program, "mount", "--repo="+m.repo, ref, dir)
	return err
}

func (m mounted) renew(ctx context.Context, ref, dir string) error {
	if err := m.remove(ctx, dir); err != nil {
		return err
	}
	return m.place(ctx, ref, dir)
}

func (m mounted) remove(ctx context.Context, dir string) error {
	if _, err := run(ctx, m.program, "umount", dir); err != nil {
		return err
	}
	return os.Remove(dir)
}

func (m mounted) status(ctx context.Context, dir string) (s status, err error) {
	out, err := run(ctx, m.program, "mounts", "--json")
	if err != nil {
		return s, err
	}
	var list []status
	if err := json.Unmarshal(out, &list); err != nil {
		return s, fmt.Errorf("%s mounts --json: %w", m.program, err)
	}
	for _, one := range list {
		if one.Mountpoint == dir {
			return one, nil
		}
	}
	return s, nil
}

// checkout is the real ostree, which links every file into place.
type checkout struct{ repo string }

func (c checkout) name() string { return "`ostree checkout -H`" }

func (c checkout) place(ctx context.Context, ref, dir string) error {
	_, err := run(ctx, "ostree", "checkout", "--repo="+c.repo, "-H", ref, dir)
	return err
}

func (c checkout) renew(context.Context, string, string) error { return nil }

// remove leaves the files: ext4 does not use the inodes of deleted directories again for a minute or
// more, but looks at each of them when it makes a directory, so that the next checkout would be slow.
func (c checkout) remove(context.Context, string) error { return nil }

func (c checkout) status(context.Context, string) (status, error) { return status{}, nil }
