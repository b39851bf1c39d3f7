package summary

import (
	"math/bits"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// maxDate is the last second of the year 9999; ostree leaves out what is later.
const maxDate = 253402300799

// minDate is the first second of the year 1.
const minDate = -62135596800

// newRef is the entry of a ref whose commit object is of size bytes.
func newRef(name string, sum object.Checksum, size int, commit object.Commit) Ref {
	var about []gvariant.Value
	if v, ok := lookup(commit.Metadata, "version", "s"); ok {
		about = append(about, newEntry(keyVersion, v))
	}
	if at := int64(commit.Timestamp); at >= minDate && at <= maxDate {
		about = append(about, newEntry(keyTimestamp, newSwapped(commit.Timestamp)))
	}
	return Ref{Name: name, Size: uint64(size), Commit: sum, Metadata: gvariant.NewArray("{sv}", about...)}
}

func (r Ref) encode() gvariant.Value {
	about := gvariant.NewTuple(gvariant.NewUint64(r.Size), gvariant.NewBytes(r.Commit[:]), r.Metadata)
	return gvariant.NewTuple(gvariant.NewString(r.Name), about)
}

func encodeRefs(list []Ref) gvariant.Value {
	entries := make([]gvariant.Value, len(list))
	for i, ref := range list {
		entries[i] = ref.encode()
	}
	return gvariant.NewArray(refType, entries...)
}

// encode is the summary of these refs, which must be sorted by name, and metadata.
func encode(list []Ref, metadata []gvariant.Value) gvariant.Value {
	return gvariant.NewTuple(encodeRefs(list), gvariant.NewArray("{sv}", metadata...))
}

func newEntry(key string, v gvariant.Value) gvariant.Value {
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v))
}

func newSwapped(n uint64) gvariant.Value { return gvariant.NewUint64(bits.ReverseBytes64(n)) }

// Merge is one dictionary of several: of entries, each an {sv}, with the same key
// the last counts.
func Merge(lists ...[]gvariant.Value) []gvariant.Value {
	var merged []gvariant.Value
	at := map[string]int{}
	for _, list := range lists {
		for _, entry := range list {
			key := entry.At(0).Str()
			if i, ok := at[key]; ok {
				merged[i] = entry
				continue
			}
			at[key] = len(merged)
			merged = append(merged, entry)
		}
	}
	return merged
}
