package fs

import (
	"os"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/fs/backing"
	"deployfs/objstore/object"
)

// everyWay runs a test for each way to verify, over plain and inflated content.
func everyWay(t *testing.T, test func(t *testing.T, m *memory, way Verify)) {
	for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
		for _, kind := range []string{"plain", "inflated"} {
			t.Run(way.String()+" "+kind, func(t *testing.T) {
				m := newMemory(t)
				m.plain = kind == "plain"
				test(t, m, way)
			})
		}
	}
}

// wantRead opens and reads a file, which must hold this.
func (v *view) wantRead(node uint64, want string) {
	v.t.Helper()
	if status := v.open(node); !status.Ok() && status != gofuse.ENOSYS {
		v.t.Errorf("open: %v", status)
	}
	if got, status := v.read(node, len(want)+100, 0); !status.Ok() || got != want {
		v.t.Errorf("read %q, %v, want %q", got, status, want)
	}
}

// wantBad opens and reads a file that must not be given out.
func (v *view) wantBad(node uint64) {
	v.t.Helper()
	status := v.open(node)
	if status.Ok() && v.opts.Verify == VerifyAlways {
		v.t.Error("opened")
	}
	if status == gofuse.ENOSYS {
		_, status = v.read(node, 100, 0)
	}
	v.wantEIO("opening and reading", status)
}

func TestRead(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		content := strings.Repeat("0123456789", 1000)
		v := m.show(m.tree(entries{"file": m.file(content), "empty": m.file("")}), Options{Verify: way})
		file, empty := v.walk("file").NodeId, v.walk("empty").NodeId
		v.wantRead(file, content)
		v.wantRead(empty, "")
		for _, c := range []struct {
			size   int
			offset uint64
		}{{10, 0}, {10, 5}, {4096, 8192}, {10, 9995}, {10, 10000}, {10, 1 << 40}, {0, 0}} {
			want := content[min(c.offset, 10000):min(c.offset+uint64(c.size), 10000)]
			if got, status := v.read(file, c.size, c.offset); !status.Ok() || got != want {
				t.Errorf("%d bytes at %d: %q, %v", c.size, c.offset, got, status)
			}
		}
		v.wantReports()
	})
}

// TestOpen: with VerifyAlways every open is answered, and else none.
func TestOpen(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		v := m.show(m.tree(entries{"file": m.file("x")}), Options{Verify: way})
		node := v.walk("file").NodeId
		var out gofuse.OpenOut
		status := v.FS.Open(nil, &gofuse.OpenIn{InHeader: header(node)}, &out)
		if way == VerifyAlways {
			if !status.Ok() || out.OpenFlags&gofuse.FOPEN_KEEP_CACHE != 0 {
				t.Errorf("%v, flags %#x", status, out.OpenFlags)
			}
		} else if status != gofuse.ENOSYS {
			t.Errorf("%v", status)
		}
	})
}

// TestVerify is the promise of each way: "first" and "always" never show wrong
// content of a file that was not read before, "none" always does.
func TestVerify(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		sum := m.file("right content")
		v := m.show(m.tree(entries{"file": sum, "same": sum}), Options{Verify: way})
		node := v.walk("file").NodeId
		m.write(sum, "wrong content")
		if way == VerifyNone {
			v.wantRead(node, "wrong content")
			v.wantReports()
			return
		}
		for range 3 {
			v.wantBad(node)
			v.wantBad(v.walk("same").NodeId)
		}
		v.wantReports("/file")
		v.wantCorrupt(object.KindFile, sum)
		if n := v.Stats().Errors; n != 6 {
			t.Errorf("%d errors are counted", n)
		}
		m.write(sum, "right content")
		v.wantRead(node, "right content")
	})
}

// TestVerifyAgain damages content that was read already: "always" sees it when
// the file is opened next, and again when it is whole. What was inflated before
// is read from its copy, which is what is verified.
func TestVerifyAgain(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		sum := m.file("right content")
		v := m.show(m.tree(entries{"file": sum}), Options{Verify: way})
		node := v.walk("file").NodeId
		v.wantRead(node, "right content")
		m.write(sum, "wrong content")
		if !m.plain {
			v.wantRead(node, "right content")
		} else if way == VerifyAlways {
			v.wantBad(node)
			v.wantReports("/file")
		}
		m.write(sum, "right content")
		v.wantRead(node, "right content")
	})
}

// TestVerifyOnce: once read, a file is opened anew without a second check, but
// another path to its object has its own.
func TestVerifyOnce(t *testing.T) {
	m := newMemory(t)
	sum, other := m.file("right content"), m.file("other")
	v := m.showWithin(m.tree(entries{"a": sum, "b": sum, "c": other}), Options{}, backing.Limits{Files: 1})
	v.wantRead(v.walk("a").NodeId, "right content")
	v.wantRead(v.walk("c").NodeId, "other")
	m.write(sum, "wrong content")
	opens := m.opens.Load()
	v.wantRead(v.walk("a").NodeId, "wrong content")
	v.wantBad(v.walk("b").NodeId)
	if n := m.opens.Load() - opens; n != 2 {
		t.Errorf("%d openings", n)
	}
}

// TestCut: a file that loses its end while it is open is an error, and not zeroes.
func TestCut(t *testing.T) {
	m := newMemory(t)
	sum := m.file(strings.Repeat("x", 10000))
	v := m.show(m.tree(entries{"file": sum}), Options{})
	node := v.walk("file").NodeId
	v.wantRead(node, strings.Repeat("x", 10000))
	if err := os.Truncate(m.path(sum), 5000); err != nil {
		t.Fatal(err)
	}
	h, _ := m.Header(sum)
	h.Size = 5000 // as a bare repository tells it from now on
	m.setHeader(sum, h)
	_, status := v.read(node, 4096, 4096)
	v.wantEIO("reading over the cut", status)
	_, status = v.read(node, 4096, 8192)
	v.wantEIO("reading behind the cut", status)
	if got, status := v.read(node, 4096, 0); !status.Ok() || len(got) != 4096 {
		t.Errorf("%d bytes before the cut, %v", len(got), status)
	}
	v.wantReports("/file")
	v.wantCorrupt(object.KindFile, sum)
}

// TestEmptied: a file that was cut to nothing is refused when it is looked up,
// as the kernel would not read it.
func TestEmptied(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		sum := m.file("content")
		v := m.show(m.tree(entries{"file": sum, "empty": m.file("")}), Options{Verify: way})
		h, _ := m.Header(sum)
		h.Size = 0
		m.setHeader(sum, h)
		m.write(sum, "")
		_, status := v.tryLookup(gofuse.FUSE_ROOT_ID, "file")
		if way == VerifyNone {
			if !status.Ok() {
				t.Error(status)
			}
			return
		}
		v.wantEIO("lookup", status)
		v.wantReports("/file")
		v.wantCorrupt(object.KindFile, sum)
		v.wantRead(v.walk("empty").NodeId, "")
	})
}
