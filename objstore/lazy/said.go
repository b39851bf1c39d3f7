package lazy

import (
	"bytes"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// saidDir is the directory of the cache for what servers have said, by server and checksum.
const saidDir = "said"

// lieSuffix is that of a header which was told and is not the object's.
const lieSuffix = "lie"

var errLied = errors.New("the server has told another size, mode, owner or xattrs of it before")

// word is what one server has said that no checksum covers: headers of objects that are not
// here, and the detached metadata of commits. It counts for nobody who asks another server.
type word struct {
	cache  *Cache
	server string
}

// headerFile is where the header of an object is kept that is not here.
func (w word) headerFile(sum object.Checksum) string {
	name := sum.String()
	return w.cache.path(saidDir, w.server, name[:2], name[2:])
}

// detachedFile is where a commit's metadata is kept.
func (w word) detachedFile(sum object.Checksum) string {
	return w.headerFile(sum) + "." + object.KindCommitMeta.String()
}

// detached is what is kept of a commit's metadata; nil is nothing.
func (w word) detached(sum object.Checksum) ([]byte, error) {
	return w.cache.readKept(w.detachedFile(sum), objstore.MaxMetadata)
}

// tell keeps a header that is going to be told.
func (w word) tell(sum object.Checksum, data []byte) error {
	return w.cache.write(w.headerFile(sum), sum, data)
}

// told is the header that was told of an object that is not here.
func (w word) told(sum object.Checksum) (h object.Header, err error) {
	path := w.headerFile(sum)
	absent := &object.NotExistError{Object: object.Name{Checksum: sum, Kind: object.KindFile}}
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || st.Size > object.HeaderPrefix+object.MaxHeader {
		return h, absent
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return h, absent
	}
	end, err := headerEnd(data, int64(len(data)))
	if err == nil && end == len(data) {
		h, err = object.DecodeFilezHeader(data[object.HeaderPrefix:])
	}
	if err != nil || end != len(data) { // it was cut by a crash
		w.cache.remove(path)
		return h, absent
	}
	return h, nil
}

// checkTold fails when another header was told of an object than h, to somebody who has
// known it since then or longer. The lie is told no more.
func (w word) checkTold(sum object.Checksum, h *object.Header, since time.Time) error {
	path := w.headerFile(sum)
	if told, err := w.told(sum); err == nil && (told.Size != h.Size || !bytes.Equal(told.Hashed(), h.Hashed())) {
		if err := w.cache.write(path+"."+lieSuffix, sum, nil); err != nil {
			return err
		}
		w.cache.remove(path)
	}
	return w.lied(sum, since)
}

// lied fails when a lie was told of an object to somebody who has known it since then.
func (w word) lied(sum object.Checksum, since time.Time) error {
	var st unix.Stat_t
	if unix.Lstat(w.headerFile(sum)+"."+lieSuffix, &st) == nil && !time.Unix(st.Mtim.Unix()).Before(since) {
		return object.Corrupt(object.Name{Checksum: sum, Kind: object.KindFile}, errLied)
	}
	return nil
}
