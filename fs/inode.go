package fs

import (
	"crypto/sha256"
	"encoding/binary"
)

// maxName is the longest name of an entry, in bytes.
const maxName = 255

// rootIno is the inode number of the mounted directory.
const rootIno = 1

// inodeOf is the inode number of an entry: 64 bits of a hash over the names
// from the root on, so that no two mounts disagree.
func inodeOf(dir uint64, name []byte) uint64 {
	var buf [8 + maxName]byte
	binary.LittleEndian.PutUint64(buf[:], dir)
	sum := sha256.Sum256(buf[:8+copy(buf[8:], name)])
	ino := binary.LittleEndian.Uint64(sum[:])
	if ino <= rootIno {
		ino += 2 // 0 means no inode to the kernel
	}
	return ino
}
