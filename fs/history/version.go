package history

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/flight"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

const (
	maxName = 255 // bytes of a name in a directory
	// maxVersions is how many versions are remembered, of all refs together.
	maxVersions = 1 << 16
)

// byVersion shows the commits of each ref's history by their versions. Refs of
// remotes are REMOTE:REF, as everywhere.
type byVersion struct {
	repo    *objstore.Repo
	commits *catalog

	reading flight.Group[object.Checksum, *versions]
	mu      sync.Mutex
	heads   map[object.Checksum]*versions
	held    int // versions of all heads
}

// versions are the commits behind one that have versions.
type versions struct {
	list  []entry // newest first
	named map[string]object.Checksum
	end   object.Checksum // the first that is not here, zero when there is none
}

// at is where refs lie that a path stands for: below refs/.
func (b *byVersion) at(path []string) (dir string, ok bool) {
	if len(path) == 0 {
		return "heads", true
	}
	remote, first, ok := strings.Cut(path[0], ":")
	if !ok {
		return "heads/" + strings.Join(path, "/"), true
	}
	rest := append([]string{"remotes", remote, first}, path[1:]...)
	return strings.Join(rest, "/"), refs.IsFragment(remote)
}

// ref is what a path that is not empty stands for.
func (b *byVersion) ref(below []string) (objstore.RefEntry, string, error) {
	dir, ok := b.at(below)
	if !ok {
		return objstore.RefEntry{}, "", iofs.ErrNotExist
	}
	parent, name := path.Split(dir)
	e, err := b.repo.RefEntry(path.Clean(parent), name)
	return e, dir, err
}

func (b *byVersion) list(path []string) ([]entry, error) {
	if len(path) == 0 {
		return b.top()
	}
	ref, dir, err := b.ref(path)
	if err != nil {
		return nil, err
	}
	if ref.Dir {
		return b.refs(dir, "")
	}
	v, err := b.versions(ref.Commit)
	if err != nil {
		return nil, err
	}
	sums, err := b.commits.current()
	if err != nil {
		return nil, err
	}
	var list []entry
	for _, e := range v.list {
		if _, ok := slices.BinarySearchFunc(sums, e.commit, compareSums); ok {
			list = append(list, e)
		}
	}
	return list, nil
}

// top are the first parts of all refs.
func (b *byVersion) top() ([]entry, error) {
	list, err := b.refs("heads", "")
	if err != nil {
		return nil, err
	}
	remotes, err := b.repo.RefDir("remotes")
	if err != nil {
		return nil, err
	}
	for _, remote := range remotes {
		of, err := b.refs("remotes/"+remote.Name, remote.Name+":")
		if err != nil {
			return nil, err
		}
		list = append(list, of...)
	}
	return list, nil
}

// refs lists a directory of refs; each is a directory of versions, or of refs.
func (b *byVersion) refs(dir, prefix string) ([]entry, error) {
	names, err := b.repo.RefDir(dir)
	var list []entry
	for _, ref := range names {
		if ref.Dir || holds(b.repo, ref.Commit) == nil {
			list = append(list, entry{name: prefix + ref.Name, dir: true})
		}
	}
	return list, err
}

// hasLinks is true of a ref: there is the latest at least.
func (b *byVersion) hasLinks(path []string) (bool, error) {
	if len(path) == 0 {
		return false, nil
	}
	ref, _, err := b.ref(path)
	if err == nil && !ref.Dir {
		err = holds(b.repo, ref.Commit)
	}
	return !ref.Dir, err
}

func (b *byVersion) find(path []string, name string) (entry, error) {
	if len(path) > 0 {
		ref, _, err := b.ref(path)
		if err != nil {
			return entry{}, err
		}
		if !ref.Dir {
			return b.version(ref.Commit, name)
		}
	}
	ref, _, err := b.ref(append(slices.Clone(path), name))
	if err == nil && !ref.Dir {
		err = holds(b.repo, ref.Commit)
	}
	return entry{name: name, dir: true}, err
}

// version finds a version in the history of a commit.
func (b *byVersion) version(head object.Checksum, name string) (entry, error) {
	v, err := b.versions(head)
	if err != nil {
		return entry{}, err
	}
	sum, ok := v.named[name]
	if !ok {
		return entry{}, iofs.ErrNotExist
	}
	return entry{name: name, commit: sum}, holds(b.repo, sum)
}

// versions names the commits behind head.
func (b *byVersion) versions(head object.Checksum) (*versions, error) {
	b.mu.Lock()
	v := b.heads[head]
	b.mu.Unlock()
	if v != nil && (v.end.IsZero() || absent(holds(b.repo, v.end))) {
		return v, nil
	}
	return b.reading.Do(head, func() (*versions, error) {
		v, err := b.read(head)
		if err == nil {
			b.remember(head, v)
		}
		return v, err
	})
}

// read goes through the history of a commit as far as that is here.
func (b *byVersion) read(head object.Checksum) (*versions, error) {
	if err := holds(b.repo, head); err != nil {
		return nil, err
	}
	v := &versions{named: map[string]object.Checksum{}}
	v.add(latest, head)
	for sum := head; !sum.IsZero(); {
		commit, err := b.commits.info(sum)
		if sum != head && lacking(err) {
			v.end = sum
			return v, nil
		}
		if err != nil {
			return nil, err
		}
		v.addVersion(commit.version, sum)
		sum = commit.parent
	}
	return v, nil
}

// lacking reports whether an error is that an object is absent or damaged.
func lacking(err error) bool {
	var absent *object.NotExistError
	var damaged *object.CorruptError
	return errors.As(err, &absent) || errors.As(err, &damaged)
}

// remember keeps the versions behind a commit, in the place of others' when there
// are too many.
func (b *byVersion) remember(head object.Checksum, v *versions) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.heads[head]; old != nil {
		b.held -= len(old.list)
		delete(b.heads, head)
	}
	for other, old := range b.heads {
		if b.held+len(v.list) <= maxVersions {
			break
		}
		b.held -= len(old.list)
		delete(b.heads, other)
	}
	if b.heads == nil {
		b.heads = map[object.Checksum]*versions{}
	}
	b.heads[head] = v
	b.held += len(v.list)
}

// addVersion names a commit by its version; where a newer one has the same, the
// checksum tells them apart.
func (v *versions) addVersion(version string, sum object.Checksum) {
	name := fileName(version)
	for _, suffix := range []string{"", "~" + sum.String()[:shortSum], "~" + sum.String()} {
		if _, taken := v.named[name+suffix]; !taken && name != "" && len(name+suffix) <= maxName {
			v.add(name+suffix, sum)
			return
		}
	}
}

func (v *versions) add(name string, sum object.Checksum) {
	v.list = append(v.list, entry{name: name, commit: sum})
	v.named[name] = sum
}

// fileName is a version as a name in a directory: control characters, slashes,
// percent signs and a leading dot are written as %XX.
func fileName(version string) string {
	var b strings.Builder
	for i, c := range []byte(version) {
		if c < ' ' || c == 0x7f || c == '/' || c == '%' || c == '.' && i == 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
