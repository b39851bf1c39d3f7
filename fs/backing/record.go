package backing

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/words"
)

const (
	recordSlots = 1 << 20
	recordWays  = 4 // slots that a checksum may be in
	recordMagic = "deployfs verified content 2\n"
	// settling is more than two ticks of the clock that stamps files: a file
	// that was stamped this long ago gets another ctime when it is stamped again.
	settling = 50 * time.Millisecond
)

// Record remembers which files were verified, also after the process. It is one
// file that all of a user's servers map, a set-associative table of 64-bit tags:
// a tag is the hash of the checksum that was verified, of the object's header,
// which may stand elsewhere than in the file, and of the file's identity, which
// is device, inode, size and ctime. What does not fit pushes out something else.
// A nil Record knows nothing.
//
// Only files that nobody but root or the effective user can change are recorded
// or believed. Another could write through an old mapping and leave the ctime
// as it is; those two are trusted not to. A file that changed since the machine
// started is believed until it starts again, as nobody knows whether its content
// has reached the disk.
type Record struct {
	tags   *words.File
	boot   time.Time // when the machine started, about
	bootID string
}

// OpenRecord maps the record at path. One that is absent, damaged or not
// private to the effective user is made anew. It must be closed.
func OpenRecord(path string) (*Record, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, err
	}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return nil, os.NewSyscallError("clock_gettime", err)
	}
	tags, _, err := words.Map(path, recordSlots)
	if err != nil {
		return nil, err
	}
	boot := time.Now().Add(-time.Duration(up.Nano()))
	return &Record{tags: tags, boot: boot, bootID: strings.TrimSpace(string(id))}, nil
}

// Digest is the hash of what is hashed of a header, see [object.Header.Hashed].
type Digest [sha256.Size]byte

func digest(h *object.Header) Digest { return sha256.Sum256(h.Hashed()) }

// Known reports whether the file that st tells about was verified to be, under
// that header, the content of sum, and has not changed since.
func (r *Record) Known(sum object.Checksum, header Digest, st *unix.Stat_t) bool {
	if r == nil || !guarded(st) {
		return false
	}
	tag, first := r.tag(sum, header, st), firstSlot(sum)
	for i := range recordWays {
		if r.tags.Load(first+i) == tag {
			return true
		}
	}
	return false
}

// Add records that the file that st tells about is, under that header, the
// content of sum. It does nothing for a file that just changed. The caller took
// st, and saw that the file was not changing, before it read the content.
func (r *Record) Add(sum object.Checksum, header Digest, st *unix.Stat_t) {
	if settled(st) {
		r.made(sum, header, st)
	}
}

// made is Add for a file that nobody else could reach when its ctime was set.
func (r *Record) made(sum object.Checksum, header Digest, st *unix.Stat_t) {
	if r == nil || !guarded(st) {
		return
	}
	tag, first := r.tag(sum, header, st), firstSlot(sum)
	free := first + int(tag%recordWays)
	for i := recordWays - 1; i >= 0; i-- {
		switch r.tags.Load(first + i) {
		case tag:
			return
		case 0:
			free = first + i
		}
	}
	r.tags.Store(free, tag)
}

// strike forgets a file that turned out not to be, under that header, the
// content of sum.
func (r *Record) strike(sum object.Checksum, header Digest, st *unix.Stat_t) {
	tag, first := r.tag(sum, header, st), firstSlot(sum)
	for i := range recordWays {
		if r.tags.Load(first+i) == tag {
			r.tags.Store(first+i, 0)
		}
	}
}

// Close unmaps the record, which knows nothing from then on.
func (r *Record) Close() {
	if r != nil {
		r.tags.Close()
	}
}

// tag is never 0, which is an empty slot.
func (r *Record) tag(sum object.Checksum, header Digest, st *unix.Stat_t) uint64 {
	buf := make([]byte, 0, 256)
	buf = append(buf, recordMagic...)
	buf = append(buf, sum[:]...)
	buf = append(buf, header[:]...)
	for _, n := range [...]uint64{st.Dev, st.Ino, uint64(st.Size), uint64(st.Ctim.Sec), uint64(st.Ctim.Nsec)} {
		buf = binary.BigEndian.AppendUint64(buf, n)
	}
	if ctime(st).After(r.boot) {
		buf = append(buf, r.bootID...)
	}
	hash := sha256.Sum256(buf)
	return max(binary.BigEndian.Uint64(hash[:]), 1)
}

func firstSlot(sum object.Checksum) int {
	return int(binary.BigEndian.Uint32(sum[:])%(recordSlots/recordWays)) * recordWays
}

// guarded reports whether only root and the effective user can change the file.
func guarded(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o022 == 0 && (st.Uid == 0 || st.Uid == uint32(os.Geteuid()))
}

// settled reports whether any change from now on will change the ctime.
func settled(st *unix.Stat_t) bool { return time.Since(ctime(st)) > settling }

func ctime(st *unix.Stat_t) time.Time { return time.Unix(st.Ctim.Unix()) }

// steadyTypes are the filesystems that can't be changed, or that stamp a file's
// ctime themselves whoever changes it: at each write, but through a shared
// mapping only once between two writebacks. tmpfs, which writes nothing back,
// does not stamp those, or only the first. Network filesystems ask a server,
// which may be late, or lie. overlayfs does what the filesystem beneath does, and
// does not tell which that is.
var steadyTypes = map[uint32]bool{
	unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.F2FS_SUPER_MAGIC: true,
	unix.OVERLAYFS_SUPER_MAGIC: true, unix.EROFS_SUPER_MAGIC_V1: true, unix.SQUASHFS_MAGIC: true,
	zfsMagic: true,
}

const zfsMagic = 0x2fc12fc1

// steady reports whether a file is on one of the steadyTypes.
func steady(fd int) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && steadyTypes[uint32(st.Type)]
}
