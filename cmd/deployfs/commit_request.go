package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/cmd/internal/date"
	"deployfs/objstore"
	"deployfs/objstore/compose"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/modify"
)

// request is what the options say.
func (o *commitOptions) request(inv *cli.Invocation) (r compose.Request, err error) {
	r = compose.Request{
		Base: o.base, Branch: o.branch, Orphan: o.orphan, Parent: o.parent, NoBindings: o.noBindings, BindRefs: o.bindRefs,
		Keep: o.keep, Bootable: o.bootable, Sizes: o.sizes, SkipUnchanged: o.skipUnchanged, Consume: o.consume,
		Tar: compose.TarOptions{AutocreateParents: o.tarParents, PathnameFilter: o.tarFilter},
	}
	if !o.isText() {
		return r, cli.Words("Invalid byte sequence in conversion input")
	}
	switch {
	case o.trustLinks:
		r.Links = compose.TrustLinks
	case o.links:
		r.Links = compose.KnowLinks
	}
	if r.Modifier, err = o.modifier(); err != nil {
		return r, err
	}
	if r.Metadata, err = o.pairs(); err != nil {
		return r, err
	}
	if r.Detached, err = stringPairs(o.detached); err != nil {
		return r, err
	}
	if r.Sources, err = o.sources(inv.Args); err != nil {
		return r, err
	}
	if r.Time, err = o.time(); err != nil {
		return r, err
	}
	return r, o.refuse()
}

// isText reports whether what becomes part of the commit is UTF-8.
func (o *commitOptions) isText() bool {
	texts := slices.Concat([]string{o.subject, o.body, o.branch}, o.bindRefs, o.metadata, o.metadataTexts, o.keep, o.detached)
	return !slices.ContainsFunc(texts, func(text string) bool { return !utf8.ValidString(text) })
}

// refuse fails for what can't be done here.
func (o *commitOptions) refuse() error {
	switch {
	case o.policy != nil && o.policyFromBase:
		return cli.Words("Cannot specify both --selinux-policy and --selinux-policy-from-base")
	case o.policy != nil || o.policyFromBase:
		return errNoLabels{}
	}
	return nil
}

// errNoLabels is the answer to --selinux-policy.
type errNoLabels struct{}

func (errNoLabels) Error() string {
	return "--selinux-policy: SELinux labels can't be computed in this build"
}

func (errNoLabels) Hint() string {
	return "without it the files' own security.selinux labels are committed"
}

// modifier is nil when the options change nothing of the files.
func (o *commitOptions) modifier() (*modify.Modifier, error) {
	m := &modify.Modifier{ReadOnlyExecutables: o.readOnly, NoXattrs: o.noXattrs, Canonical: o.canonical}
	var err error
	if m.UID, err = owner("owner-uid", o.owner); err != nil {
		return nil, err
	}
	if m.GID, err = owner("owner-gid", o.group); err != nil {
		return nil, err
	}
	switch {
	case o.canonical && m.UID != nil && *m.UID > 0:
		return nil, cli.Words("Cannot specify both --canonical-permissions and non-zero --owner-uid")
	case o.canonical && m.GID != nil && *m.GID > 0:
		return nil, cli.Words("Cannot specify both --canonical-permissions and non-zero --owner-gid")
	}
	if o.statOverride != nil {
		text, err := readText(*o.statOverride)
		if err == nil {
			err = m.AddStatOverrides(text)
		}
		if err != nil {
			return nil, err
		}
	}
	if o.skipList != nil {
		text, err := readText(*o.skipList)
		if err != nil {
			return nil, err
		}
		m.AddSkipList(text)
	}
	if m.UID == nil && m.GID == nil && !o.readOnly && !o.noXattrs && !o.canonical && o.statOverride == nil && o.skipList == nil {
		return nil, nil
	}
	return m, nil
}

// owner is an owner for all files; nil for a negative one, which leaves each its own.
func owner(option, text string) (*uint32, error) {
	n, err := parseOwner(option, text)
	if err != nil || n < 0 {
		return nil, err
	}
	id := uint32(n)
	return &id, nil
}

// readText reads a file of text.
func readText(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		if errno := unix.Errno(0); errors.As(err, &errno) {
			err = cli.Words("openat(" + path + "): " + objstore.ErrnoText(errno))
		}
		return "", err
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return "", cli.Words("Invalid UTF-8")
	}
	return string(data), nil
}

// pairs are the entries of the commit's metadata.
func (o *commitOptions) pairs() ([]compose.Pair, error) {
	pairs, err := stringPairs(o.metadata)
	if err != nil {
		return nil, err
	}
	for _, text := range o.metadataTexts {
		key, value, err := cutPair(text)
		if err != nil {
			return nil, err
		}
		parsed, err := gvariant.ParseText(value)
		if err != nil {
			return nil, fmt.Errorf("Parsing %s: %w", text, err)
		}
		pairs = append(pairs, compose.Pair{Key: key, Value: parsed})
	}
	return pairs, nil
}

func stringPairs(texts []string) (pairs []compose.Pair, err error) {
	for _, text := range texts {
		key, value, err := cutPair(text)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, compose.Pair{Key: key, Value: gvariant.NewString(value)})
	}
	return pairs, nil
}

func cutPair(text string) (key, value string, err error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", "", cli.Words("Missing '=' in KEY=VALUE metadata '" + text + "'")
	}
	return key, value, nil
}

// sources are the trees that are laid over one another.
func (o *commitOptions) sources(args []string) (list []compose.Source, err error) {
	if len(o.trees) == 0 {
		path := "."
		if len(args) > 0 {
			path = args[0]
		}
		return []compose.Source{{Kind: compose.Dir, Name: path}}, nil
	}
	kinds := []compose.SourceKind{compose.Dir, compose.Tar, compose.Ref}
	for _, text := range o.trees {
		kind, name, ok := strings.Cut(text, "=")
		switch {
		case !ok:
			return nil, cli.Words("Missing type in tree specification '" + text + "'")
		case !slices.Contains(kinds, compose.SourceKind(kind)):
			return nil, cli.Words("Invalid tree type specification '" + kind + "'")
		case kind == "tar" && o.tarFilter != nil && !strings.Contains(*o.tarFilter, ","):
			return nil, cli.Words("Missing ',' in --tar-pathname-filter")
		}
		list = append(list, compose.Source{Kind: compose.SourceKind(kind), Name: name})
	}
	return list, nil
}

// time is when the commit is said to be made; nil is when it is.
func (o *commitOptions) time() (*time.Time, error) {
	if o.timestamp != nil {
		return day(*o.timestamp)
	}
	text, ok := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !ok {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return nil, cli.Words("Parsing SOURCE_DATE_EPOCH: Numerical result out of range")
	}
	if err != nil {
		return nil, cli.Words("Failed to convert SOURCE_DATE_EPOCH")
	}
	t := time.Unix(seconds, 0)
	return &t, nil
}

// day reads --timestamp; an empty one is the beginning of today.
func day(text string) (*time.Time, error) {
	now := time.Now()
	if strings.TrimSpace(text) == "" {
		t := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
		return &t, nil
	}
	t, err := date.Parse(text, now)
	if err != nil {
		return nil, dateError(text)
	}
	return &t, nil
}
