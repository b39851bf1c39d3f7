package delta

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/fault"
)

// Stats is what is in a part's file.
type Stats struct {
	Modes, Xattrs int // entries of the tables
	Blob, Ops     int // bytes

	Splices, Opens, Writes, SetSources, UnsetSources, Closes, Patches int // operations
}

// Stats counts what is in the file of part i. Nothing is checked that does not belong to
// counting.
func (f *File) Stats(s *Superblock, i int) (stats Stats, err error) {
	data, err := f.part(s, i)
	if err != nil {
		return stats, fmt.Errorf("openat(%s): %w", s.PartPath(i), err)
	}
	defer data.close()
	if fault.Catch(func() { stats, err = s.Parts[i].stats(f.repo, data.data) }) {
		err = errCut
	}
	return stats, err
}

func (p *Part) stats(repo *objstore.Repo, data []byte) (stats Stats, err error) {
	payload, err := openPayload(repo, data)
	if err != nil {
		return stats, err
	}
	defer payload.close()
	stats = Stats{Modes: payload.modes.Len(), Xattrs: payload.xattrs.Len(), Blob: len(payload.blob), Ops: len(payload.ops)}
	if len(p.Objects) == 0 {
		return stats, nil
	}
	scan, made := scanner{rest: payload.ops}, 0
	for len(scan.rest) > 0 {
		op, err := scan.next(isMeta(p.Objects, made))
		if err != nil {
			return stats, err
		}
		*stats.counter(op.code)++
		if op.code == OpSplice || op.code == OpClose {
			made++
		}
	}
	return stats, nil
}

// counter is that of an operation.
func (s *Stats) counter(code byte) *int {
	switch code {
	case OpSplice:
		return &s.Splices
	case OpOpen:
		return &s.Opens
	case OpWrite:
		return &s.Writes
	case OpSetSource:
		return &s.SetSources
	case OpUnsetSource:
		return &s.UnsetSources
	case OpClose:
		return &s.Closes
	}
	return &s.Patches
}
