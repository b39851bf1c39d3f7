// Package rollsum finds what two versions of some content have in common, as ostree does for
// static deltas: both are cut into chunks where their bytes say so, so that what is inserted or
// removed changes only the chunks around it, and chunks that are equal are paired.
//
// The places are those where a sum over the last 64 bytes ends in 13 set bits (the rolling
// checksum of bup and rsync), but at most 32 KiB apart. Chunks are found by length and CRC-32 and
// then compared.
//
// Source: ostree, src/libostree/ostree-rollsum.c.
package rollsum

import (
	"bytes"
	"hash/crc32"
)

// Match is bytes of new content that are found in old content.
type Match struct {
	To, From int64 // where they begin: in the new content, and in the old
	Size     int64
}

// Matches is what new content has in common with old.
type Matches struct {
	List   []Match // sorted by To, none beside another that goes on where it ends
	Chunks int     // of the new content
	Sums   int     // different chunks of it whose sum is also that of an old chunk
	Equal  int     // chunks of it that are found in the old content
	Size   int64   // bytes of these
}

// Percent is how many of the new content's chunks are found in the old.
func (m *Matches) Percent() int {
	if m.Chunks == 0 {
		return 0
	}
	return m.Equal * 100 / m.Chunks
}

// key is what equal chunks have in common.
type key struct {
	sum  uint32
	size int32
}

func keyOf(chunk []byte) key { return key{crc32.ChecksumIEEE(chunk), int32(len(chunk))} }

// chunks are those of the old content.
type chunks struct {
	first map[key]int // the first chunk of a key
	list  []chunk
}

type chunk struct {
	from int64
	next int // chunk of the same key, or 0 for none
}

// maxEqual is how many old chunks of one key are looked at.
const maxEqual = 16

// Compare finds new chunks in the old content. It holds 24 bytes or so for each chunk of the old
// content, which are 8 KiB on average, and each Match.
func Compare(old, new []byte) *Matches {
	known := split(old)
	m := &Matches{}
	seen := map[key]bool{}
	for at := 0; at < len(new); m.Chunks++ {
		data := new[at:][:nextChunk(new[at:])]
		k := keyOf(data)
		if i, ok := known.first[k]; ok {
			if !seen[k] {
				seen[k] = true
				m.Sums++
			}
			if from, ok := known.find(i, old, data); ok {
				m.add(Match{int64(at), from, int64(len(data))})
			}
		}
		at += len(data)
	}
	return m
}

// split cuts the old content into chunks.
func split(old []byte) *chunks {
	c := &chunks{first: map[key]int{}, list: make([]chunk, 1)}
	last := map[key]int{}
	for at := 0; at < len(old); {
		data := old[at:][:nextChunk(old[at:])]
		k := keyOf(data)
		c.list = append(c.list, chunk{from: int64(at)})
		i := len(c.list) - 1
		if before, ok := last[k]; ok {
			c.list[before].next = i
		} else {
			c.first[k] = i
		}
		last[k] = i
		at += len(data)
	}
	return c
}

// find returns where a chunk that equals data begins in the old content, from chunk i on.
func (c *chunks) find(i int, old, data []byte) (from int64, ok bool) {
	for n := 0; i != 0 && n < maxEqual; n++ {
		from = c.list[i].from
		if bytes.Equal(old[from:from+int64(len(data))], data) {
			return from, true
		}
		i = c.list[i].next
	}
	return 0, false
}

// add appends a match, or lengthens the last one by it.
func (m *Matches) add(match Match) {
	m.Equal++
	m.Size += match.Size
	if n := len(m.List); n > 0 {
		last := &m.List[n-1]
		if last.To+last.Size == match.To && last.From+last.Size == match.From {
			last.Size += match.Size
			return
		}
	}
	m.List = append(m.List, match)
}
