package prune

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// deltasOfNothing deletes the static deltas that lead to commits that are gone.
func (p *pruner) deltasOfNothing() error {
	return p.deltas(func(to object.Checksum) (bool, error) {
		there, err := p.repo.HasObject(object.Name{Checksum: to, Kind: object.KindCommit})
		return !there, err
	})
}

// deltas deletes the static deltas whose goal is chosen.
func (p *pruner) deltas(chosen func(to object.Checksum) (bool, error)) error {
	return p.repo.EachDelta(func(d objstore.Delta) error {
		gone, err := chosen(d.To)
		if err != nil || !gone {
			return err
		}
		p.options.Report("Trying to prune static delta %s", d.Base64())
		return p.repo.RemoveDelta(d)
	})
}

func openDir(at *os.File, path string, flags int) (*os.File, error) {
	fd, err := unix.Openat(int(at.Fd()), path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", path, plain(err))
	}
	return os.NewFile(uintptr(fd), path), nil
}
