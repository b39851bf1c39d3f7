package tarball

import (
	"archive/tar"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"

	"deployfs/objstore/object"
)

const blockSize = 512 // bytes, of tar

// Type flags that archive/tar has no names for.
const (
	typeDumpDir = 'D' // GNU: a directory, with a list of its entries as content
	typeVolume  = 'V' // GNU: the label of the archive
)

// isTar reports whether a file that begins with block can be a tar archive: that
// is a header with the right checksum, or the end of one without members.
func isTar(block []byte) bool {
	if len(block) < blockSize {
		return false
	}
	signed, unsigned := 0, 0
	for i, c := range block {
		if i >= 148 && i < 156 { // the checksum's own place counts as blanks
			c = ' '
		}
		signed += int(int8(c))
		unsigned += int(c)
	}
	if unsigned == 8*' ' {
		return true
	}
	sum, digits := 0, 0
	for _, c := range strings.TrimLeft(string(block[148:156]), " ") {
		if c < '0' || c > '7' {
			break
		}
		sum, digits = sum*8+int(c-'0'), digits+1
	}
	return digits > 0 && (sum == signed || sum == unsigned)
}

var errDamagedTar = errors.New("Damaged tar archive")

type tarReader struct {
	r *tar.Reader
}

func newTarReader(r io.Reader) *tarReader { return &tarReader{tar.NewReader(r)} }

func (t *tarReader) next() (*entry, error) {
	for {
		h, err := t.r.Next()
		if errors.Is(err, tar.ErrInsecurePath) { // import looks at paths itself
			err = nil
		}
		if err != nil {
			return nil, tarError(err)
		}
		if h.Typeflag != tar.TypeXGlobalHeader && h.Typeflag != typeVolume {
			return t.entry(h)
		}
	}
}

// tarError words the errors of package tar.
func tarError(err error) error {
	switch err {
	case io.ErrUnexpectedEOF:
		return errors.New("Truncated tar archive")
	case tar.ErrHeader:
		return errDamagedTar
	}
	return err
}

func (t *tarReader) entry(h *tar.Header) (*entry, error) {
	e := &entry{name: h.Name, content: t}
	e.header.Mode = uint32(h.Mode) & 0o7777
	for _, id := range []int{h.Uid, h.Gid} {
		if id < 0 || id > math.MaxUint32 {
			return nil, fmt.Errorf("%q: invalid owner %d", clip(h.Name), id)
		}
	}
	e.header.UID, e.header.GID = uint32(h.Uid), uint32(h.Gid)
	if err := setTarType(e, h); err != nil {
		return nil, err
	}
	var err error
	if e.header.Xattrs, err = tarXattrs(h.PAXRecords); err != nil {
		err = fmt.Errorf("%q: %w", clip(h.Name), err)
	}
	return e, err
}

// setTarType tells what kind of file a member is.
func setTarType(e *entry, h *tar.Header) error {
	kind := uint32(object.ModeRegular)
	switch h.Typeflag {
	case tar.TypeDir, typeDumpDir:
		kind = object.ModeDir
	case tar.TypeSymlink:
		kind = object.ModeSymlink
		e.header.Target = h.Linkname
	case tar.TypeLink:
		e.hardLink, e.link = true, h.Linkname
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		kind = 0
	case 'A', 'M', 'N', 'X': // of Solaris, and old GNU ones: half a file, or none
		return fmt.Errorf("%q: unsupported tar entry of type %c", clip(h.Name), h.Typeflag)
	default:
		if strings.HasSuffix(h.Name, "/") {
			kind = object.ModeDir
			if h.Size > 0 {
				return errDamagedTar
			}
		}
		e.header.Size = uint64(h.Size)
	}
	e.header.Mode |= kind
	return nil
}

// Read reads the content of the member.
func (t *tarReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		err = tarError(err)
	}
	return n, err
}

// The pax keywords of extended attributes: the value as it is, and with its name
// as in a URL and its value in base 64. SELinux labels may have one of their own.
const (
	schilyXattr     = "SCHILY.xattr."
	libarchiveXattr = "LIBARCHIVE.xattr."
	selinuxRecord   = "RHT.security.selinux"
)

// tarXattrs lists the xattrs of pax records, sorted. One that stands there in two
// forms must be the same.
func tarXattrs(records map[string]string) ([]object.Xattr, error) {
	var list []object.Xattr
	for key, value := range records {
		name, text, ok, err := xattrRecord(key, value)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if err := object.CheckXattr([]byte(name), len(text)); err != nil {
			return nil, err
		}
		list = append(list, object.Xattr{Name: name, Value: []byte(text)})
	}
	slices.SortFunc(list, func(a, b object.Xattr) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if list[i].Name == list[i-1].Name && string(list[i].Value) != string(list[i-1].Value) {
			return nil, fmt.Errorf("two values for xattr %q", list[i].Name)
		}
	}
	return slices.CompactFunc(list, func(a, b object.Xattr) bool { return a.Name == b.Name }), nil
}

func xattrRecord(key, value string) (name, text string, ok bool, err error) {
	if key == selinuxRecord {
		return "security.selinux", value, true, nil
	}
	if name, ok = strings.CutPrefix(key, schilyXattr); ok {
		return name, value, true, nil
	}
	if name, ok = strings.CutPrefix(key, libarchiveXattr); !ok {
		return "", "", false, nil
	}
	if name, err = url.PathUnescape(name); err != nil {
		return "", "", false, err
	}
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil {
		return "", "", false, fmt.Errorf("xattr %q: %w", name, err)
	}
	return name, string(data), true, nil
}
