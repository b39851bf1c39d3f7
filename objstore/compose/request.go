package compose

import (
	"time"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/modify"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// Request says what to commit.
type Request struct {
	Base     *string  // REV to start from, as it is; nil for an empty tree
	Sources  []Source // in the order in which they are laid over one another
	Modifier *modify.Modifier
	Tar      TarOptions
	Links    Links
	Consume  bool // delete directories that were committed

	Branch string  // "" for none: Orphan must say that this is meant
	Orphan bool    // no parent unless Parent names one
	Parent *string // a checksum, "none", or nil for the branch's commit

	Subject, Body string
	Time          *time.Time // nil is when the commit is written
	NoBindings    bool
	BindRefs      []string // refs, beside Branch, under which the commit may be found
	Metadata      []Pair
	Keep          []string // keys of the parent's metadata
	Detached      []Pair
	Bootable      bool // its kernel is looked for, and named
	Sizes         bool // those of the objects, in an archive

	SkipUnchanged bool // make no commit of the parent's tree

	// Sign, if not nil, returns entries {sv} of detached metadata that a commit
	// object's bytes are signed with, after those of Detached.
	Sign func(commit []byte) ([]gvariant.Value, error)
}

// Pair is an entry of a commit's metadata.
type Pair struct {
	Key   string
	Value gvariant.Value
}

// SourceKind is the type of a source.
type SourceKind string

// The types of sources, as `ostree commit --tree` names them.
const (
	Dir SourceKind = "dir" // a directory's path
	Tar SourceKind = "tar" // an archive's path, "-" for the standard input
	Ref SourceKind = "ref" // REV
)

// Source is a tree that is laid over those before it.
type Source struct {
	Kind SourceKind
	Name string
}

// TarOptions says how archives are read.
type TarOptions struct {
	AutocreateParents bool
	PathnameFilter    *string // REGEX,REPLACEMENT for the paths of entries, or nil
}

// Links says what hard links to the repository's objects are trusted to be.
type Links uint8

const (
	// IgnoreLinks reads every file.
	IgnoreLinks Links = iota
	// KnowLinks takes a file that is a link to an object for that object, unless the
	// commit changes owner, mode or xattrs. What was written through the link goes
	// unseen.
	KnowLinks
	// TrustLinks takes it for the object before anything else is looked at: modifiers
	// and skip lists do not see it.
	TrustLinks
)

// Result is what became of a request.
type Result struct {
	Commit  object.Checksum
	Skipped bool // there was nothing to commit: Commit is the parent
	Stats   transaction.Stats
	Known   int // files that were known by their links
}
