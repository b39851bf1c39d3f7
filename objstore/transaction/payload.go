package transaction

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// payloads finds content that the repository holds already, in an object with
// another header: the two files then share their blocks on the disk. Payload links,
// named by the checksum of content alone, lead to the object that has it.
type payloads struct {
	threshold uint64 // bytes from which on content gets a link
	sharing   func() bool
}

// find sets p up for a repository: links make sense only where files can share blocks.
func (p *payloads) find(t *Transaction) {
	p.threshold = t.repo.PayloadLinkThreshold()
	p.sharing = sync.OnceValue(func() bool { return t.canShare() })
}

// wants reports whether h's content is to have a link.
func (p *payloads) wants(t *Transaction, h *object.Header) bool {
	return h.Size > 0 && h.Size >= p.threshold && t.repo.Mode() != objstore.Archive && p.sharing()
}

// canShare tries whether the file system shares blocks between files.
func (t *Transaction) canShare() bool {
	f, err := t.newFile()
	if err != nil {
		return false
	}
	defer f.close()
	fd, err := unix.Openat(int(t.repo.Dir().Fd()), "config", unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.IoctlFileClone(f.fd, fd) == nil
}

// fillShared is fill for content that is to have a link: it hashes it by itself, too.
func (t *Transaction) fillShared(f *file, fill func(io.Writer) (object.Name, error)) (object.Name, error) {
	payload := sha256.New()
	name, err := fill(io.MultiWriter(f, payload))
	if err != nil {
		return name, err
	}
	return name, t.share(f, payload, name)
}

// share has a file share its blocks with an object of the same content, or makes
// the file's own object the one that later ones share with.
func (t *Transaction) share(f *file, payload hash.Hash, own object.Name) error {
	link := object.Name{Checksum: object.Checksum(payload.Sum(nil)), Kind: object.KindPayloadLink}
	objects, path := t.repo.ObjectFile(link)
	for _, dir := range []*os.File{t.objects, objects} {
		target, ok := objstore.PayloadLink(dir, path)
		if !ok {
			continue
		}
		if t.shareWith(f, dir, target) {
			return nil
		}
		unix.Unlinkat(int(dir.Fd()), path, 0) // it leads nowhere
	}
	if err := t.bucket(link); err != nil {
		return err
	}
	_, target := t.repo.ObjectFile(own)
	if err := unix.Symlinkat("../"+target, int(t.objects.Fd()), path); err != nil && err != unix.EEXIST {
		return fmt.Errorf("symlinkat(%s): %w", path, err)
	}
	return nil
}

// most is how many bytes a file system shares at once.
const most = 16 << 20

// shareWith reports whether the object is there. The kernel compares the bytes: those
// that differ, because the object is damaged, are not shared.
func (t *Transaction) shareWith(f *file, objects *os.File, target object.Name) bool {
	_, path := t.repo.ObjectFile(target)
	fd, err := unix.Openat(int(objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	for at := int64(0); at < st.Size; at += most {
		part := unix.FileDedupeRange{
			Src_offset: uint64(at), Src_length: uint64(min(most, st.Size-at)),
			Info: []unix.FileDedupeRangeInfo{{Dest_fd: int64(f.fd), Dest_offset: uint64(at)}},
		}
		if unix.IoctlFileDedupeRange(fd, &part) != nil || part.Info[0].Status != unix.FILE_DEDUPE_RANGE_SAME {
			break
		}
	}
	return true
}
