// Package flatpak makes what flatpak looks for in a summary, and ostree does not put
// there: of each application and runtime its sizes and its description, and what
// the group flatpak of the repository's config tells of the repository as a whole.
//
// Source: flatpak 1.14, common/flatpak-utils.c, generate_summary and
// add_summary_metadata.
package flatpak

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// cacheVersion is of the form of xa.cache.
const cacheVersion = 2

// Metadata are entries {sv} of a summary: xa.cache, xa.sparse-cache and what the
// config says. Applications and runtimes are local refs whose name begins as those
// of flatpak do. What their commits do not say of themselves is found in their trees.
func Metadata(ctx context.Context, repo *objstore.Repo) ([]gvariant.Value, error) {
	entries, err := about(repo)
	if err != nil {
		return nil, err
	}
	list, err := repo.Refs()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b objstore.Ref) int { return cmp.Compare(a.Ref, b.Ref) })
	m := measure{ctx: ctx, repo: repo, known: map[object.Checksum]sizes{}}
	var cache, sparse []gvariant.Value
	for _, ref := range list {
		if ref.Remote != "" || !isFlatpak(ref.Ref) {
			continue
		}
		d, err := m.describe(ref.Checksum)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref.Ref, err)
		}
		name := gvariant.NewString(ref.Ref)
		cache = append(cache, gvariant.NewEntry(name, gvariant.NewTuple(swapped(d.Installed), swapped(d.Download), gvariant.NewString(d.text))))
		if len(d.sparse) > 0 {
			sparse = append(sparse, gvariant.NewEntry(name, gvariant.NewArray("{sv}", d.sparse...)))
		}
	}
	return append(entries,
		entry("xa.cache-version", gvariant.NewUint32(cacheVersion)),
		entry("xa.cache", gvariant.NewVariant(gvariant.NewArray("{s(tts)}", cache...))),
		entry("xa.sparse-cache", gvariant.NewArray("{sa{sv}}", sparse...)),
	), nil
}

// isFlatpak tells whether a ref is of what flatpak installs, or of its catalogue.
func isFlatpak(ref string) bool {
	first, _, ok := strings.Cut(ref, "/")
	return ok && slices.Contains([]string{"app", "runtime", "appstream", "appstream2"}, first)
}

func entry(key string, v gvariant.Value) gvariant.Value {
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v))
}

// swapped is a t as flatpak stores it, big endian.
func swapped(n uint64) gvariant.Value { return gvariant.NewUint64(bits.ReverseBytes64(n)) }
