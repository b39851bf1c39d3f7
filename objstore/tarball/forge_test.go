package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
)

// memory is a repository that keeps directories and forgets content.
type memory struct {
	mu      sync.Mutex
	objects map[object.Checksum][]byte
	headers map[object.Checksum]object.Header
}

func newMemory() *memory {
	return &memory{objects: map[object.Checksum][]byte{}, headers: map[object.Checksum]object.Header{}}
}

func (m *memory) WriteMetadata(_ object.Kind, data []byte) (object.Checksum, error) {
	sum := object.Checksum(sha256.Sum256(data))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[sum] = data
	return sum, nil
}

func (m *memory) WriteContent(h object.Header, content io.Reader) (object.Checksum, error) {
	if err := h.Check(); err != nil {
		return object.Checksum{}, err
	}
	hash := sha256.New()
	hash.Write(h.Hashed())
	if !h.IsSymlink() {
		if n, err := io.Copy(hash, content); err != nil || uint64(n) != h.Size {
			return object.Checksum{}, fmt.Errorf("writing content object: %d of %d bytes: %w", n, h.Size, err)
		}
	}
	sum := object.Checksum(hash.Sum(nil))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.headers[sum] = h
	return sum, nil
}

// importInto imports an archive and returns the content checksum of a commit of it.
func importInto(tx Writer, data []byte, o Options) (string, error) {
	root := mtree.New()
	if err := Import(context.Background(), tx, bytes.NewReader(data), root, nil, o); err != nil {
		return "", err
	}
	dirtree, err := root.Write(tx)
	if err != nil {
		return "", err
	}
	return object.Commit{Root: dirtree, RootMeta: root.Meta()}.ContentChecksum().String(), nil
}

// member is one entry that tests archive.
type member struct {
	kind byte // a tar type flag
	name string
	body string // content, or where a link leads
	mode int64
	uid  int
	pax  map[string]string
}

func dir(name string) member { return member{kind: tar.TypeDir, name: name, mode: 0o755} }
func file(name, body string) member {
	return member{kind: tar.TypeReg, name: name, body: body, mode: 0o644}
}
func symlink(name, to string) member {
	return member{kind: tar.TypeSymlink, name: name, body: to, mode: 0o777}
}
func hard(name, to string) member {
	return member{kind: tar.TypeLink, name: name, body: to, mode: 0o644}
}
func xattrs(m member, pax ...string) member {
	m.pax = map[string]string{}
	for i := 0; i < len(pax); i += 2 {
		m.pax[pax[i]] = pax[i+1]
	}
	return m
}

// tarOf archives members behind a root directory.
func tarOf(members ...member) []byte { return bareTar(append([]member{dir("./")}, members...)...) }

func bareTar(members ...member) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		h := &tar.Header{Typeflag: m.kind, Name: m.name, Mode: m.mode, Uid: m.uid, Gid: 2, PAXRecords: m.pax}
		switch m.kind {
		case tar.TypeLink, tar.TypeSymlink:
			h.Linkname = m.body
		case tar.TypeReg:
			h.Size = int64(len(m.body))
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if h.Size > 0 {
			io.WriteString(w, m.body)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// retyped changes the type flag of the last member of a ustar archive.
func retyped(data []byte, flag byte) []byte {
	at := len(data) - 2*blockSize
	for at -= blockSize; string(data[at+257:at+262]) != "ustar"; {
		at -= blockSize
	}
	data[at+156] = flag
	return summed(data, at)
}

// renamed gives a member another name of the same length.
func renamed(data []byte, from, to string) []byte {
	at := bytes.Index(data, []byte(from))
	copy(data[at:], to)
	return summed(data, at)
}

// summed corrects the checksum of the header at an offset.
func summed(data []byte, at int) []byte {
	copy(data[at+148:], "        ")
	sum := 0
	for _, c := range data[at : at+blockSize] {
		sum += int(c)
	}
	copy(data[at+148:], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

// cpioMember is one entry of a cpio archive.
type cpioMember struct {
	name, body string
	mode       uint32
	ino, nlink uint32
}

// cpioOf archives members in a form of cpio: its magic.
func cpioOf(magic string, members ...cpioMember) []byte {
	var out bytes.Buffer
	for _, m := range append(members, cpioMember{name: cpioTrailer, nlink: 1}) {
		align := 1
		start := out.Len()
		switch magic {
		case "070701", "070702":
			align = 4
			sum := 0
			if magic == "070702" {
				for _, c := range []byte(m.body) {
					sum += int(c)
				}
			}
			fmt.Fprintf(&out, "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic,
				m.ino, m.mode, 1, 2, m.nlink, 0, len(m.body), 8, 1, 0, 0, len(m.name)+1, sum)
		case "070707":
			fmt.Fprintf(&out, "%s%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o", magic,
				8, m.ino, m.mode, 1, 2, m.nlink, 0, 0, len(m.name)+1, len(m.body))
		default:
			align = 2
			order := binary.ByteOrder(binary.LittleEndian)
			if magic[0] == 0x71 {
				order = binary.BigEndian
			}
			for _, word := range []int{0o70707, 8, int(m.ino), int(m.mode), 1, 2, int(m.nlink), 0, 0, 0, len(m.name) + 1, len(m.body) >> 16, len(m.body) & 0xffff} {
				binary.Write(&out, order, uint16(word))
			}
		}
		pad := func() {
			for (out.Len()-start)%align != 0 {
				out.WriteByte(0)
			}
		}
		out.WriteString(m.name + "\x00")
		pad()
		start = out.Len()
		out.WriteString(m.body)
		pad()
	}
	return out.Bytes()
}
