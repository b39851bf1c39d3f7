package tarball

import (
	"archive/tar"
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// TestHeaders: what is written is what Go's reader, and ours, finds.
func TestHeaders(t *testing.T) {
	long := strings.Repeat("d/", 80) + "name"
	for _, h := range []tarHeader{
		{name: "a", kind: '0', mode: 0o4755, uid: 1, gid: 2, size: 3, mtime: 1700000000},
		{name: "d/", kind: '5', mode: 0o7777, uid: 1<<21 - 1, gid: 1 << 21},
		{name: strings.Repeat("n", 100), kind: '0', uid: 1<<32 - 1},
		{name: strings.Repeat("n", 101), kind: '0'},
		{name: long, link: long + "x", kind: '2', mtime: 1 << 40},
		{name: "l", link: strings.Repeat("t", 100), kind: '2'},
		{name: "large", kind: '0', size: 1<<33 - 1},
		{name: "larger", kind: '0', size: 1 << 33},
	} {
		xs := []object.Xattr{{Name: "security.x", Value: []byte("1\x00=\n")}, {Name: "user.a=b", Value: []byte{0xff}}, {Name: "user.ü", Value: bytes.Repeat([]byte("v"), 5000)}}
		for _, list := range [][]object.Xattr{nil, xs} {
			var out bytes.Buffer
			w := tarWriter{w: &out}
			if err := w.header(&h, list); err != nil {
				t.Fatal(err)
			}
			got, err := tar.NewReader(&out).Next()
			if err != nil || got.Name != h.name || got.Linkname != h.link || got.Typeflag != h.kind || got.Mode != int64(h.mode) ||
				got.Uid != int(h.uid) || got.Gid != int(h.gid) || got.Size != int64(h.size) || got.ModTime.Unix() != int64(h.mtime) {
				t.Errorf("%+v is read as %+v, %v", h, got, err)
				continue
			}
			found, err := tarXattrs(got.PAXRecords)
			if err != nil || len(found) != len(list) {
				t.Errorf("xattrs %v, %v", found, err)
			}
			for i, x := range found {
				if x.Name != list[i].Name || !bytes.Equal(x.Value, list[i].Value) {
					t.Errorf("xattr %q is %q", x.Name, x.Value)
				}
			}
		}
	}
}

// TestRecordLengths: a record's length counts itself, at every border.
func TestRecordLengths(t *testing.T) {
	for n := range 1100 {
		record := paxRecord("k", strings.Repeat("v", n))
		length, _, _ := strings.Cut(record, " ")
		if want := len(record); length != strconv.Itoa(want) {
			t.Fatalf("%d bytes say %s", want, length)
		}
	}
}

// TestWriteFails: the first error of what is written to comes out.
func TestWriteFails(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(errFull)
	out := tarWriter{w: w}
	if err := out.header(&tarHeader{name: "a"}, nil); err != errFull {
		t.Errorf("header: %v", err)
	}
	if err := out.end(true); err != errFull || out.written != 0 {
		t.Errorf("end: %v, %d bytes", err, out.written)
	}
}
