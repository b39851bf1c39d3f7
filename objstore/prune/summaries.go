package prune

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/remote"
)

// staleSummaries deletes the kept summaries of remotes that there are no more.
func (p *pruner) staleSummaries() error {
	dir, err := openDir(p.repo.Dir(), "tmp/cache/summaries", unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("kept summaries: %w", err)
	}
	list, err := remote.Load(p.repo)
	if err != nil {
		return err
	}
	known := list.Names()
	for _, name := range names {
		if slices.Contains(known, strings.TrimSuffix(name, ".sig")) {
			continue
		}
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil {
			return fmt.Errorf("unlinkat(%s): %w", name, plain(err))
		}
	}
	return nil
}
