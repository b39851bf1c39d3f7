package main

import (
	"deployfs/cmd/internal/cli"
	"deployfs/objstore/delta"
)

// deltaShowJSON is a static delta with what is in it. Sizes are what the delta says of
// itself, in bytes.
type deltaShowJSON struct {
	deltaJSON
	Signed     bool                `json:"signed"`
	ByteOrder  string              `json:"byte_order"`
	Timestamp  uint64              `json:"timestamp"`
	Fallbacks  []deltaFallbackJSON `json:"fallbacks"` // objects that it does not hold
	Parts      []deltaPartJSON     `json:"parts"`
	Size       uint64              `json:"size"`
	Uncompress uint64              `json:"uncompressed_size"`
}

type deltaFallbackJSON struct {
	Object     string `json:"object"`
	Size       uint64 `json:"size"`
	Uncompress uint64 `json:"uncompressed_size"`
}

type deltaPartJSON struct {
	Checksum   string   `json:"checksum"`
	Inline     bool     `json:"inline"` // it is in the superblock
	Size       uint64   `json:"size"`
	Uncompress uint64   `json:"uncompressed_size"`
	Objects    []string `json:"objects"`

	Modes      int            `json:"modes"`
	Xattrs     int            `json:"xattrs"`
	Data       int            `json:"data_size"`
	Program    int            `json:"operations_size"`
	Operations map[string]int `json:"operations"`
}

func showDeltaJSON(inv *cli.Invocation, file *delta.File, s *delta.Superblock, signed bool) error {
	out := deltaShowJSON{
		deltaJSON: newDeltaJSON(s.Delta()), Signed: signed, ByteOrder: s.Order.String(), Timestamp: s.Timestamp,
		Fallbacks: []deltaFallbackJSON{}, Parts: []deltaPartJSON{},
	}
	var total deltaSizes
	for _, f := range s.Fallbacks {
		total.add(f.Size, f.Usize)
		out.Fallbacks = append(out.Fallbacks, deltaFallbackJSON{f.Object.String(), f.Size, f.Usize})
	}
	for i, p := range s.Parts {
		total.add(p.Size, p.Usize)
		part, err := newDeltaPartJSON(file, s, i)
		if err != nil {
			return err
		}
		out.Parts = append(out.Parts, part)
	}
	out.Size, out.Uncompress = total.size, total.usize
	return cli.WriteJSON(inv.Stdout, out)
}

func newDeltaPartJSON(file *delta.File, s *delta.Superblock, i int) (deltaPartJSON, error) {
	p := &s.Parts[i]
	c, err := file.Stats(s, i)
	_, inline := s.Inline(i)
	part := deltaPartJSON{
		Checksum: p.Checksum.String(), Inline: inline, Size: p.Size, Uncompress: p.Usize, Objects: []string{},
		Modes: c.Modes, Xattrs: c.Xattrs, Data: c.Blob, Program: c.Ops,
		Operations: map[string]int{
			"openspliceclose": c.Splices, "open": c.Opens, "write": c.Writes, "setread": c.SetSources,
			"unsetread": c.UnsetSources, "close": c.Closes, "bspatch": c.Patches,
		},
	}
	for _, name := range p.Objects {
		part.Objects = append(part.Objects, name.String())
	}
	return part, err
}
