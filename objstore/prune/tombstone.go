package prune

import (
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// bury leaves a tombstone for a commit, which tells who pulls that the commit was
// deleted. One that is there is left alone.
func (p *pruner) bury(sum object.Checksum) error {
	name := object.Name{Checksum: sum, Kind: object.KindTombstone}
	objects, file := p.repo.ObjectFile(name)
	if _, err := sizeOf(objects, file); err == nil {
		return nil
	}
	if err := unix.Mkdirat(int(objects.Fd()), path.Dir(file), 0o777); err != nil && err != unix.EEXIST {
		return fmt.Errorf("writing object %s: %w", name, plain(err))
	}
	if err := p.replace(objects, file, tombstone(sum), 0o644, nil); err != nil {
		return fmt.Errorf("writing object %s: %w", name, err)
	}
	return nil
}

// tombstone is the object's bytes: a dictionary that names the commit.
func tombstone(sum object.Checksum) []byte {
	text := gvariant.NewBytes(append([]byte(sum.String()), 0))
	entry := gvariant.NewEntry(gvariant.NewString("commit"), gvariant.NewVariant(text))
	return gvariant.NewArray("{sv}", entry).Bytes()
}

// wantTombstones sets core.tombstone-commits in the repository's configuration,
// as ostree does when it is told which commit to delete.
func (p *pruner) wantTombstones() error {
	if p.tombs {
		return nil
	}
	p.tombs = true
	data, st, err := readConfig(p.repo)
	if err == nil {
		data, err = objstore.SetKey(data, "core", "tombstone-commits", "true")
	}
	if err == nil {
		err = p.replace(p.repo.Dir(), "config", data, st.Mode&0o7777, &st)
	}
	if err != nil {
		err = fmt.Errorf("writing configuration: %w", err)
	}
	return err
}

// readConfig reads the repository's configuration anew, with its owner and mode.
func readConfig(repo *objstore.Repo) (data []byte, st unix.Stat_t, err error) {
	fd, err := unix.Openat(int(repo.Dir().Fd()), "config", unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, st, fmt.Errorf("openat(config): %w", plain(err))
	}
	file := os.NewFile(uintptr(fd), "config")
	defer file.Close()
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, st, err
	}
	data, err = io.ReadAll(file)
	return data, st, err
}
