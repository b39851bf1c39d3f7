package compile

import (
	"io"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/sign"
)

// Options say how a delta is made.
type Options struct {
	Limits   Limits
	NoBsdiff bool // no patches
	Inline   bool // parts stand in the superblock, so that the delta is one file
	Big      bool // sizes are written in big endian

	// Filename is where the superblock is written, with the parts beside it; "" is the
	// repository, where the delta is found by its name.
	Filename string
	Metadata gvariant.Value // an a{sv} that the delta begins with; zero is none
	Signers  []sign.Signer  // of the superblock, by one scheme; nil leaves it unsigned
	Log      io.Writer      // is told what is done, in ostree's words; nil is nobody
}

// Limits are sizes, in bytes.
type Limits struct {
	Fallback uint64 // a file with more, of which nothing is known, is left out; 0 leaves none out
	Bsdiff   uint64 // no patch is made for a file that has more with the one it resembles
	Chunk    uint64 // a part ends before it has more, but for a single file that has
}

// DefaultLimits are ostree's.
var DefaultLimits = Limits{Fallback: 4 * Megabyte, Bsdiff: 128 * Megabyte, Chunk: 32 * Megabyte}

// Megabyte is the unit in which ostree takes limits.
const Megabyte = 1000 * 1000
