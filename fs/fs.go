package fs

import (
	"sync"
	"sync/atomic"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/fs/backing"
	"deployfs/fs/cache"
	"deployfs/objstore/object"
)

// FS serves one immutable tree. It is a [gofuse.RawFileSystem].
type FS struct {
	gofuse.RawFileSystem // answers what no method here does: ENOSYS

	src     Source
	files   *backing.Store
	opts    Options
	rootDir place
	names   Names  // nil, or what is shown instead of rootDir
	words   *words // of names
	listed  listings
	fact    atomic.Pointer[fact] // that was read last

	state  *State
	nodes  *table
	index  atomic.Pointer[mapped] // nil as long as there is none
	told   atomic.Pointer[told]   // the one that was distrusted, or nil
	recent [recentPlaces]atomic.Pointer[place]
	trees  *cache.Cache[object.DirTree]
	metas  *cache.Cache[object.DirMeta]

	ahead  *ahead
	passed *passed // nil unless the kernel reads files by itself

	stats    *counters // in the state
	mu       sync.Mutex
	reported map[string]struct{}
}

var _ gofuse.RawFileSystem = (*FS)(nil)

// New makes the view of the directory whose dirtree and dirmeta are given, or of
// [Options].Names; files opens the content of the same objects that src tells about.
func New(src Source, files *backing.Store, tree, meta object.Checksum, opts Options) (*FS, error) {
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	if opts.DirMode == 0 {
		opts.DirMode = 0o7777
	}
	if opts.Report == nil {
		opts.Report = func(string, error) {}
	}
	if opts.State == nil {
		var err error
		if opts.State, err = NewState(); err != nil {
			return nil, err
		}
	}
	forMetas := max(opts.Memory/8, 1)
	trees, err := cache.New[object.DirTree](max(opts.Memory-forMetas, 1))
	if err != nil {
		return nil, err
	}
	metas, err := cache.New[object.DirMeta](forMetas)
	if err != nil {
		trees.Close()
		return nil, err
	}
	nodes, err := newTable(opts.State)
	var names *words
	if err == nil && opts.Names != nil {
		names, err = newWords(opts.State)
	}
	if err != nil {
		trees.Close()
		metas.Close()
		return nil, err
	}
	f := &FS{
		RawFileSystem: gofuse.NewDefaultRawFileSystem(),
		src:           src,
		files:         files,
		opts:          opts,
		rootDir:       place{tree: tree, meta: meta},
		names:         opts.Names,
		words:         names,
		state:         opts.State,
		nodes:         nodes,
		stats:         &opts.State.first.stats,
		trees:         trees,
		metas:         metas,
		reported:      map[string]struct{}{},
	}
	f.ahead = newAhead(f)
	return f, nil
}

// String is the filesystem's name.
func (f *FS) String() string { return "deployfs" }

// Close ends the caches. The FS must not be asked any more.
func (f *FS) Close() {
	f.ahead.close()
	f.trees.Close()
	f.metas.Close()
	f.files.Close()
	f.state.Close()
}

// Forget has nothing to do: a node id means the same for ever.
func (f *FS) Forget(nodeid, nlookup uint64) {}

// Stats is what an FS has done so far, and before it all that shared its State.
type Stats struct {
	Requests    uint64 // messages from the kernel
	Bytes       uint64 // bytes of content handed out
	Errors      uint64 // requests that failed for want of an object or of memory
	Damaged     uint64 // objects that are not what their names say, once for each process
	Nodes       int    // entries that the kernel has asked for
	MemoryUsed  int64  // bytes of decoded metadata
	MemoryLimit int64
	OpenFiles   int   // content objects held open
	CacheUsed   int64 // bytes of inflated content on disk
	CacheLimit  int64
}

type counters struct{ requests, bytes, errors, damaged atomic.Uint64 }

// Stats may be called at any time.
func (f *FS) Stats() Stats {
	open, inflated := f.files.Used()
	return Stats{
		Requests:    f.stats.requests.Load(),
		Bytes:       f.stats.bytes.Load(),
		Errors:      f.stats.errors.Load(),
		Damaged:     f.stats.damaged.Load(),
		Nodes:       f.nodes.size(),
		MemoryUsed:  f.trees.Used() + f.metas.Used(),
		MemoryLimit: f.opts.Memory,
		OpenFiles:   open,
		CacheUsed:   inflated,
		CacheLimit:  f.files.Limits().Bytes,
	}
}
