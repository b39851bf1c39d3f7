package pull

import (
	"fmt"
	"strings"
	"time"

	"deployfs/objstore"
)

// Result is what a pull has brought.
type Result struct {
	Metadata int // objects that were not there before
	Content  int // the same
	Detached int // bytes of detached metadata of commits that were there before

	Far                               bool   // the other repository is not on this machine
	ImportedMetadata, ImportedContent int    // objects that were not there before, from local caches
	DeltaParts                        int    // that were applied, or whose objects were there
	Plan                              string // of a dry run: what static deltas are going to bring, in ostree's words
	Transferred                       int64  // bytes that came over the network

	Written uint64 // bytes of content, where the repositories keep it differently; without that of static deltas
	Lossy   int    // files whose owner or xattrs the repository does not keep
}

func (p *puller) result() Result {
	r := Result{
		Metadata: int(p.count.metadata.Load()), Content: int(p.count.content.Load()), Detached: p.detached,
		Far: !p.from.near(), DeltaParts: int(p.count.parts.Load()),
		ImportedMetadata: int(p.count.importedMetadata.Load()), ImportedContent: int(p.count.importedContent.Load()),
		Written: uint64(p.count.written.Load()), Lossy: int(p.count.lossy.Load()),
	}
	if p.DryRun {
		r.Plan = p.plans.describe()
	}
	return r
}

// Describe tells of a pull in ostree's words.
func (r Result) Describe(took time.Duration) string {
	var b strings.Builder
	switch {
	case !r.Far:
		fmt.Fprintf(&b, "%d metadata, %d content objects imported", r.Metadata, r.Content)
	case r.DeltaParts > 0:
		fmt.Fprintf(&b, "%d delta parts, %d loose fetched", r.DeltaParts, r.Metadata+r.Content)
	default:
		fmt.Fprintf(&b, "%d metadata, %d content objects fetched", r.Metadata, r.Content)
	}
	if r.ImportedMetadata+r.ImportedContent > 0 {
		fmt.Fprintf(&b, " (%d meta, %d content local)", r.ImportedMetadata, r.ImportedContent)
	}
	n, unit := r.Transferred, "B"
	if !r.Far {
		n = int64(r.Detached)
	}
	if n > 0 {
		if n >= 1024 {
			n, unit = n/1024, "KiB"
		}
		fmt.Fprintf(&b, "; %d %s transferred in %d seconds", n, unit, int(took.Seconds()))
	}
	return b.String() + "; " + objstore.FormatSize(r.Written) + " content written"
}
