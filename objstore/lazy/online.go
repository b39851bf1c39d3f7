package lazy

import (
	"fmt"
	"io/fs"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/summary"
)

const (
	maxRef   = 4096 // bytes of a ref's file; a good one has 65
	maxNamed = 20   // refs that stand in a message
)

// lookup finds the commit of a ref in a summary, and the ref where there is only one.
func lookup(found *Found, data []byte) error {
	list, err := summary.Parse(data)
	if err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	if mode := list.Mode(); mode != "" {
		if m, err := objstore.ParseMode(mode); err != nil || m != objstore.Archive {
			return fmt.Errorf("Can't pull from archives with mode \"%.20s\"", mode)
		}
	}
	names := named(list.Refs())
	if found.Ref == "" {
		if len(names) != 1 {
			return &UnknownError{Text: fmt.Sprintf("a ref is needed, as the server has %d", len(names)), Remedy: "name one as URL#REF: " + few(names)}
		}
		found.Ref = names[0]
	}
	ref, ok := list.Refs().Lookup(found.Ref)
	if !ok {
		return &UnknownError{Text: fmt.Sprintf("No such branch '%s' in repository summary", found.Ref), Remedy: "the server has " + few(names)}
	}
	found.Commit = ref.Commit
	return nil
}

// named are the refs of a summary, but for the one that is for programs.
func named(list summary.Refs) (names []string) {
	for i := range list.Len() {
		if name := list.At(i).Name; name != "ostree-metadata" {
			names = append(names, name)
		}
	}
	return names
}

func few(names []string) string {
	if len(names) == 0 {
		return "no refs"
	}
	if len(names) > maxNamed {
		names = append(names[:maxNamed:maxNamed], "...")
	}
	return strings.Join(names, ", ")
}

// online asks the server.
type online struct {
	s          *Source
	list       []byte // the summary
	signatures []byte
}

func (o *online) summary(p Policy) (data, signatures []byte, err error) {
	for range 2 { // it may be replaced between the two
		if signatures, err = o.s.getOptional("summary.sig", summary.MaxSize); err != nil {
			return nil, nil, err
		}
		if data, err = o.s.getOptional("summary", summary.MaxSize); err != nil {
			return nil, nil, err
		}
		if p == nil || !p.WantsSummary() || p.Summary(data, signatures) == nil {
			break
		}
	}
	o.list, o.signatures = data, signatures
	return data, signatures, nil
}

func (o *online) ref(name string) (object.Checksum, error) {
	data, err := o.s.getOptional("refs/heads/"+name, maxRef)
	if err == nil && data == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return object.Checksum{}, err
	}
	text := strings.TrimRight(string(data), " \t\n\r\v\f")
	if !object.IsChecksum(text) {
		return object.Checksum{}, fmt.Errorf("ref '%s': the server gives no checksum for it", name)
	}
	return object.ParseChecksum(text)
}

func (o *online) detached(sum object.Checksum) ([]byte, error) {
	return o.s.getOptional(o.s.place(object.Name{Checksum: sum, Kind: object.KindCommitMeta}).Path, objstore.MaxMetadata)
}

func (o *online) settled(name string, sum object.Checksum) error {
	if err := o.s.cache.keepSummary(o.s.ID(), o.list, o.signatures); err != nil {
		return err
	}
	return o.s.cache.repo.SetRef(o.s.refName(name), sum)
}

// keepDetached replaces what is known of a commit's metadata.
func (s *Source) keepDetached(sum object.Checksum, data []byte) error {
	name := object.Name{Checksum: sum, Kind: object.KindCommitMeta}
	if data == nil {
		s.cache.remove(s.file(name))
		return nil
	}
	if err := check(name, data); err != nil {
		return served(name, err)
	}
	if err := s.cache.write(s.file(name), sum, data); err != nil {
		return err
	}
	if s.opts.Arrived != nil {
		s.opts.Arrived(name)
	}
	return nil
}

// offline tells what the server has said before.
type offline struct{ s *Source }

func (o offline) summary(Policy) (data, signatures []byte, err error) {
	return o.s.cache.keptSummary(o.s.ID())
}

func (o offline) ref(name string) (object.Checksum, error) {
	return o.s.cache.repo.Resolve(o.s.refName(name).String())
}

func (o offline) detached(sum object.Checksum) ([]byte, error) {
	return o.s.said.detached(sum)
}

func (o offline) settled(string, object.Checksum) error { return nil }
