package summary

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// delta is a static delta and the SHA-256 of its superblock.
type delta struct {
	objstore.Delta
	name   string
	digest object.Checksum
}

// listDeltas lists a repository's static deltas, sorted by name.
func listDeltas(ctx context.Context, repo *objstore.Repo) (list []delta, err error) {
	err = repo.EachDelta(func(d objstore.Delta) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := repo.ReadFile(d.Path()+"/superblock", MaxSize)
		if err != nil {
			return fmt.Errorf("static delta %s: superblock: %w", d, err)
		}
		list = append(list, delta{d, d.String(), sha256.Sum256(data)})
		return nil
	})
	slices.SortFunc(list, func(a, b delta) int { return cmp.Compare(a.name, b.name) })
	return list, err
}

func encodeDeltas(list []delta) gvariant.Value {
	entries := make([]gvariant.Value, len(list))
	for i, d := range list {
		entries[i] = newEntry(d.name, gvariant.NewBytes(d.digest[:]))
	}
	return gvariant.NewArray("{sv}", entries...)
}

// Reindex makes the indexes of the repository's static deltas anew: all of them, or the
// one of the deltas that lead to a commit, unless that is zero.
func Reindex(ctx context.Context, repo *objstore.Repo, to object.Checksum) (err error) {
	lock, err := repo.LockShared(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	list, err := listDeltas(ctx, repo)
	switch {
	case err != nil:
		return err
	case to.IsZero():
		return reindex(repo, list)
	}
	if err := declareIndexes(repo); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(d delta) bool { return d.To != to })
	file := objstore.Delta{To: to}.IndexPath()
	if len(list) > 0 {
		return writeIndex(repo, file, list)
	}
	if err := remove(repo, file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// reindex makes the indexes of these deltas anew, by the commits that they lead to:
// each an a{sv} as a summary has it. Indexes of no deltas are deleted. The
// repository's config says that there are indexes, even where there is no delta.
func reindex(repo *objstore.Repo, list []delta) error {
	if err := declareIndexes(repo); err != nil {
		return err
	}
	byGoal := map[object.Checksum][]delta{}
	for _, d := range list {
		byGoal[d.To] = append(byGoal[d.To], d)
	}
	for to, list := range byGoal {
		if err := writeIndex(repo, objstore.Delta{To: to}.IndexPath(), list); err != nil {
			return fmt.Errorf("index of static deltas to %s: %w", to, err)
		}
	}
	return repo.EachDeltaIndex(func(to object.Checksum) error {
		if _, ok := byGoal[to]; ok {
			return nil
		}
		return remove(repo, objstore.Delta{To: to}.IndexPath())
	})
}

func declareIndexes(repo *objstore.Repo) error {
	if declared, err := repo.Config().Bool("core", "indexed-deltas", false); err != nil || declared {
		return err
	}
	err := repo.EditConfig(func(data []byte) ([]byte, error) { return objstore.SetKey(data, "core", "indexed-deltas", "true") })
	if err != nil {
		return fmt.Errorf("setting core.indexed-deltas: %w", err)
	}
	return nil
}

// writeIndex leaves an index alone that says the same already.
func writeIndex(repo *objstore.Repo, file string, list []delta) error {
	data := gvariant.NewArray("{sv}", newEntry(keyDeltas, encodeDeltas(list))).Bytes()
	if old, err := repo.ReadFile(file, int64(len(data))); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := repo.MakeDirs(path.Dir(file)); err != nil {
		return err
	}
	dir, err := repo.OpenDir(path.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return repo.Replace(dir, path.Base(file), data, 0o644)
}

// remove deletes a file of the repository, if it is there.
func remove(repo *objstore.Repo, file string) error {
	dir, err := repo.OpenDir(path.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	err = unix.Unlinkat(int(dir.Fd()), path.Base(file), 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("unlinkat(%s): %w", file, err)
	}
	return repo.SyncDir(dir)
}
