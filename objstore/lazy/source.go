package lazy

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/flight"
	"deployfs/objstore/object"
)

// DefaultTimeout is how long a server may be silent.
const DefaultTimeout = 30 * time.Second

// Server says where the objects are.
type Server struct {
	URL         string       // for people
	Fetch       fetch.Config // how to get them
	Collections []string     // of remotes: commits have to be bound to each
}

// Options say how objects are fetched.
type Options struct {
	// Timeout is how long to wait for a server that says nothing; 0 is DefaultTimeout.
	Timeout time.Duration
	// ReadAhead has the neighbours fetched of what is looked at.
	ReadAhead bool
	// Since is when somebody began to keep what headers say: the kernel of a mount. What
	// turned out to be a lie since then is never shown with another header.
	Since time.Time
	// Outage, if any, is told when the server does not answer any more, and with nil when
	// it does again. Arrived, if any, is told of each object that is looked at and whole in
	// the cache, each time.
	Outage  func(error)
	Arrived func(object.Name)
}

// Source is a repository on a server, and what is here of it. Its methods may be called
// at the same time.
type Source struct {
	cache  *Cache
	server Server
	opts   Options
	client *fetch.Client
	ctx    context.Context // of all that is fetched
	cancel context.CancelFunc
	link   link
	said   word
	memory *fetch.Memory
	ahead  *ahead // nil when nothing is read ahead

	bringing flight.Group[object.Name, int64]
	heading  flight.Group[object.Checksum, object.Header]

	hits, objects atomic.Int64
}

var _ objstore.Absent = (*Source)(nil)

// Open makes a Source of a server and a cache, which it takes over. It asks nobody yet.
func Open(cache *Cache, server Server, opts Options) (*Source, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if server.Fetch.Stall <= 0 {
		server.Fetch.Stall = opts.Timeout
	}
	if server.Fetch.Retries == 0 {
		server.Fetch.Retries = fetch.DefaultRetries
	}
	client, err := fetch.New(server.Fetch)
	if err != nil {
		return nil, err
	}
	s := &Source{cache: cache, server: server, opts: opts, client: client}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.said, s.memory = word{cache, s.ID()}, fetch.NewMemory(heldMost)
	s.link = link{url: server.URL, tell: opts.Outage, patience: opts.Timeout}
	if opts.ReadAhead {
		s.ahead = newAhead(s)
	}
	cache.repo.BringAbsent(s)
	return s, nil
}

// Repo is the repository as if it were here: the cache, what is searched also, and the
// server. It is closed with the Source.
func (s *Source) Repo() *objstore.Repo { return s.cache.repo }

// Stop ends what is being fetched; nothing more will be.
func (s *Source) Stop() { s.cancel() }

// Close ends what is being fetched.
func (s *Source) Close() error {
	s.cancel()
	if s.ahead != nil {
		s.ahead.close()
	}
	s.client.Close()
	return s.cache.Close()
}

// Stats is what a Source has done so far.
type Stats struct {
	Fetched int64 // bytes
	Objects int64 // objects that were fetched, whole or for their header alone
	Hits    int64 // how often something was here that was looked at
	Down    bool  // the server did not answer the last time
}

// Stats may be called at any time.
func (s *Source) Stats() Stats {
	return Stats{Fetched: s.client.Transferred(), Objects: s.objects.Load(), Hits: s.hits.Load(), Down: s.link.down()}
}

// Cache is where objects are kept.
func (s *Source) Cache() *Cache { return s.cache }

// here notes that something was here that is looked at.
func (s *Source) here(name object.Name) {
	s.hits.Add(1)
	s.cache.use(name.Checksum)
	s.look(name.Checksum, false)
	if s.opts.Arrived != nil && s.holds(name) {
		s.opts.Arrived(name)
	}
}

// look has fetched what follows something that is looked at.
func (s *Source) look(sum object.Checksum, missing bool) {
	if s.ahead != nil {
		s.ahead.look(sum, missing)
	}
}

// Metadata reads an object that was fetched, once it is.
func (s *Source) Metadata(name object.Name, read func() ([]byte, error)) ([]byte, error) {
	if name.Kind == object.KindCommitMeta {
		read = s.detachedOr(name.Checksum, read)
	}
	data, err := read()
	if err == nil {
		err = check(name, data)
	}
	switch {
	case err == nil:
		s.here(name)
	case isCorrupt(err):
		s.cache.remove(s.file(name))
		fallthrough
	case isAbsent(err):
		s.look(name.Checksum, true)
		err := s.bringAnd(name, func() (err error) { data, err = read(); return err })
		if err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	if s.ahead != nil && name.Kind == object.KindDirTree {
		s.ahead.enter(name.Checksum, data)
	}
	return data, nil
}

// detachedOr reads what the server has said of a commit's metadata, else what read has of it.
func (s *Source) detachedOr(sum object.Checksum, read func() ([]byte, error)) func() ([]byte, error) {
	return func() ([]byte, error) {
		data, err := s.said.detached(sum)
		if data == nil && err == nil {
			return read()
		}
		return data, err
	}
}

// file is where an object is kept that was fetched.
func (s *Source) file(name object.Name) string {
	if name.Kind == object.KindCommitMeta {
		return s.said.detachedFile(name.Checksum)
	}
	return s.cache.file(name)
}

// holds reports whether an object is kept that was fetched.
func (s *Source) holds(name object.Name) bool {
	if name.Kind != object.KindCommitMeta {
		return s.cache.holds(name)
	}
	return unix.Access(s.file(name), unix.F_OK) == nil
}

// Content opens a content object, which has to have the header that was told of it.
func (s *Source) Content(sum object.Checksum, open func() (*objstore.Content, error)) (*objstore.Content, error) {
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	content, err := open()
	switch {
	case err == nil:
		s.here(name)
	case isCorrupt(err):
		s.cache.remove(s.cache.file(name))
		fallthrough
	case isAbsent(err):
		if err := s.said.lied(sum, s.opts.Since); err != nil {
			return nil, err
		}
		err = s.bringAnd(name, func() (err error) { content, err = open(); return err })
	}
	if err != nil {
		return nil, err
	}
	if err := s.said.checkTold(sum, &content.Header, s.opts.Since); err != nil {
		content.Close()
		return nil, err
	}
	return content, nil
}

// Header reads what is known of a content object, or the beginning of it from the server.
func (s *Source) Header(sum object.Checksum, read func() (object.Header, error)) (object.Header, error) {
	h, err := s.header(sum, read)
	switch {
	case err == nil:
		s.here(object.Name{Checksum: sum, Kind: object.KindFile})
		return h, nil
	case !isAbsent(err) && !isCorrupt(err):
		return h, err
	}
	s.look(sum, true)
	return s.bringHeader(sum)
}

// header is the header of a content object that is here, or what was told of it.
func (s *Source) header(sum object.Checksum, read func() (object.Header, error)) (object.Header, error) {
	h, err := read()
	if isAbsent(err) {
		return s.said.told(sum)
	}
	return h, err
}

func isAbsent(err error) bool { return errors.As(err, new(*object.NotExistError)) }

func isCorrupt(err error) bool { return errors.As(err, new(*object.CorruptError)) }

// Directory is where a server's repository is on this machine, as a file URL says, else "".
func (s Server) Directory() string {
	if len(s.Fetch.URLs) == 0 {
		return ""
	}
	u, err := url.Parse(s.Fetch.URLs[0])
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return u.Path
}
