package main

import (
	"context"
	"fmt"
	"io"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/delta"
)

func staticDeltaShowVerb() cli.Verb {
	return cli.Verb{
		Name: "show", Args: "DELTA", Short: "Dump information on a delta", JSON: true,
		Long:     "DELTA is the name of a delta of the repository, or the path of a superblock, with a slash in it.",
		Examples: []cli.Example{{Command: "deployfs static-delta show --json \"$old-$new\"", Text: "what a delta costs, for programs"}},
		Complete: completeDelta,
		Run:      withRepo(runStaticDeltaShow),
	}
}

func runStaticDeltaShow(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if len(inv.Args) == 0 {
		return errNoDelta
	}
	file, err := delta.Find(repo, inv.Args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	s, err := file.Parse()
	if err != nil {
		return err
	}
	_, _, signed := delta.Signed(file.Bytes())
	if inv.JSON {
		return showDeltaJSON(inv, file, s, signed)
	}
	printDelta(inv.Stdout, inv.Args[0], s, signed)
	fallback := printFallbacks(inv.Stdout, s)
	fmt.Fprintf(inv.Stdout, "Number of parts: %d\n", len(s.Parts))
	var parts deltaSizes
	for i, p := range s.Parts {
		parts.add(p.Size, p.Usize)
		if err := printPart(inv.Stdout, file, s, i); err != nil {
			return err
		}
	}
	parts.print(inv.Stdout, "Part ")
	parts.add(fallback.size, fallback.usize)
	parts.print(inv.Stdout, "")
	return nil
}

// printDelta prints what precedes the parts, in ostree's layout.
func printDelta(w io.Writer, id string, s *delta.Superblock, signed bool) {
	word, from := "no", "From <scratch>"
	if signed {
		word = "yes"
	}
	if !s.From.IsZero() {
		from = "From: " + s.From.String()
	}
	fmt.Fprintf(w, "Delta: %s\nSigned: %s\n%s\nTo: %s\nEndianness: %s\nTimestamp: %d\nNumber of parents: %d\n",
		id, word, from, s.To, s.Order, s.Timestamp, s.Prerequisites)
}

// printFallbacks prints the fallbacks and sums them up.
func printFallbacks(w io.Writer, s *delta.Superblock) (sizes deltaSizes) {
	fmt.Fprintf(w, "Number of fallback entries: %d\n", len(s.Fallbacks))
	for _, f := range s.Fallbacks {
		fmt.Fprintf(w, "  %s\n", f.Object.Checksum)
		sizes.add(f.Size, f.Usize)
	}
	sizes.print(w, "Fallback ")
	return sizes
}

// deltaSizes sums up what a delta says of sizes, in bytes.
type deltaSizes struct{ size, usize uint64 }

func (d *deltaSizes) add(size, usize uint64) {
	d.size += size
	d.usize += usize
}

func (d *deltaSizes) print(w io.Writer, of string) {
	fmt.Fprintf(w, "Total %sSize: %d (%s)\nTotal %sUncompressed Size: %d (%s)\n",
		of, d.size, objstore.FormatSize(d.size), of, d.usize, objstore.FormatSize(d.usize))
}

func printPart(w io.Writer, file *delta.File, s *delta.Superblock, i int) error {
	p := &s.Parts[i]
	fmt.Fprintf(w, "PartMeta%d: nobjects=%d size=%d usize=%d\n", i, len(p.Objects), p.Size, p.Usize)
	c, err := file.Stats(s, i)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "PartPayload%d: nmodes=%d nxattrs=%d blobsize=%d opsize=%d\n", i, c.Modes, c.Xattrs, c.Blob, c.Ops)
	fmt.Fprintf(w, "PartPayloadOps%d: openspliceclose=%d open=%d write=%d setread=%d unsetread=%d close=%d bspatch=%d\n",
		i, c.Splices, c.Opens, c.Writes, c.SetSources, c.UnsetSources, c.Closes, c.Patches)
	return nil
}
