package finder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/medium"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
	"deployfs/objstore/summary"
	"deployfs/objstore/trust"
)

const mountPriority = 50

// mounted finds the repositories on media that have one of the refs.
func (s *search) mounted(ctx context.Context) error {
	for _, place := range s.Media {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := medium.Open(place)
		if err != nil {
			s.Ignored(place, err)
			continue
		}
		s.scan(m)
		m.Close()
	}
	return nil
}

// scan finds the repositories on one medium. Each ref is taken from the first that has it.
func (s *search) scan(m *medium.Medium) {
	left := slices.Clone(s.asked)
	for at := range m.Repos() {
		repo, err := m.Repo(at)
		if err == nil && s.isOwn(repo) {
			err = errors.Join(errors.New("it is the one that is to be served"), repo.Close())
		}
		switch {
		case err == nil:
			left = s.offer(repo, left)
		case !errors.Is(err, fs.ErrNotExist):
			s.Ignored(path.Join(m.Path(), at), err)
		}
	}
}

func (s *search) isOwn(repo *objstore.Repo) bool {
	var own, other unix.Stat_t
	return unix.Fstat(int(s.repo.Dir().Fd()), &own) == nil && unix.Fstat(int(repo.Dir().Fd()), &other) == nil &&
		own.Dev == other.Dev && own.Ino == other.Ino
}

// offer adds a repository as a candidate for those refs that it has, one for each remote whose
// keys count for them, and returns the rest.
func (s *search) offer(repo *objstore.Repo, asked []refs.Name) (left []refs.Name) {
	served := map[string][]refs.Name{} // by remote
	for _, name := range asked {
		keys := keyringFor(s.remotes, name.Collection)
		switch {
		case !holds(repo, name):
			left = append(left, name)
		case keys == "":
			s.Ignored(repo.Path(), fmt.Errorf("No keyring found configured locally for collection ‘%s’", name.Collection))
			left = append(left, name)
		default:
			served[keys] = append(served[keys], name)
		}
	}
	if len(served) == 0 {
		repo.Close()
		return left
	}
	s.open = append(s.open, repo)
	list, err := summary.Read(repo)
	for keys, names := range served {
		c := s.ofMedium(repo, keys, names)
		c.list = list
		s.add(c, err)
	}
	return left
}

// holds reports whether a ref of a collection is among those that a repository has not from
// remotes.
func holds(repo *objstore.Repo, name refs.Name) bool {
	places := []refs.Name{name}
	if repo.Collection() == name.Collection {
		places = append(places, refs.Name{Ref: name.Ref})
	}
	return slices.ContainsFunc(places, func(name refs.Name) bool {
		e, err := repo.RefEntry(path.Dir(name.Path()), path.Base(name.Path()))
		return err == nil && !e.Dir
	})
}

func (s *search) ofMedium(repo *objstore.Repo, keys string, serves []refs.Name) *candidate {
	url, keyring := "file://"+repo.Path(), remote.Keyring(keys)
	return &candidate{
		Result: Result{Kind: Mount, Remote: keys, URL: url, Keyring: keyring, Priority: mountPriority, name: escape(url) + "_" + escape(keyring),
			source: &carried{dest: s.repo, repo: repo, remote: keys}},
		serves: serves,
	}
}

// carried is the source of a repository on a medium.
type carried struct {
	dest, repo *objstore.Repo
	remote     string // whose keys count
}

func (c *carried) timestamp(_ context.Context, commit object.Checksum) (seconds uint64, size int, err error) {
	data, err := c.repo.Metadata(object.Name{Checksum: commit, Kind: object.KindCommit})
	if err != nil {
		return 0, 0, err
	}
	decoded, err := object.DecodeCommit(data)
	return decoded.Timestamp, len(data), err
}

func (c *carried) doubt(commit object.Checksum, collection string) error {
	verify, err := c.verifier(collection)
	if err != nil {
		return err
	}
	data, err := c.repo.Metadata(object.Name{Checksum: commit, Kind: object.KindCommit})
	if err != nil {
		return err
	}
	detached, _, err := c.repo.CommitMeta(commit)
	if err != nil {
		return err
	}
	return verify(commit, data, detached)
}

// verifier fails for what is not signed as the remote's configuration says, or else with GPG, and
// for what is not made for a collection.
func (c *carried) verifier(collection string) (verifier, error) {
	policy, err := trust.ForPull(c.dest, c.remote)
	if err != nil {
		return nil, err
	}
	if !policy.WantsCommit() {
		policy = trust.ForLocalPull(c.dest, c.remote, true, false)
	}
	return bound(collection, policy.Commit), nil
}

func (c *carried) pull(ctx context.Context, o pull.Options) (err error) {
	if o.VerifyCommit, err = c.verifier(o.CollectionRefs[0].Collection); err != nil {
		return err
	}
	o.Remote = c.remote
	_, err = pull.Local(ctx, c.dest, c.repo, o)
	return err
}
