package fs

import (
	"fmt"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// thousand is a directory of 1,000 files, with nothing to find out any more.
func thousand(b *testing.B) *view {
	m := newMemory(b)
	list, file := entries{}, m.file("content")
	for i := range 1000 {
		list[fmt.Sprintf("lib%04d.so", i)] = file
	}
	v := m.show(m.tree(list), Options{})
	v.list(gofuse.FUSE_ROOT_ID, 1<<16)
	b.ReportAllocs()
	return v
}

func BenchmarkReadDirPlus(b *testing.B) {
	v := thousand(b)
	data := make([]byte, 1<<18)
	for b.Loop() {
		buf := gofuse.NewDirEntryList(data, 0)
		in := &gofuse.ReadIn{InHeader: header(gofuse.FUSE_ROOT_ID)}
		if status := v.FS.ReadDirPlus(nil, in, buf); !status.Ok() || buf.Offset != 1002 {
			b.Fatal(status, buf.Offset)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/entry")
}

func BenchmarkLookup(b *testing.B) {
	v := thousand(b)
	in, out := header(gofuse.FUSE_ROOT_ID), gofuse.EntryOut{}
	for b.Loop() {
		if status := v.FS.Lookup(nil, &in, "lib0500.so", &out); !status.Ok() || out.NodeId == 0 {
			b.Fatal(status)
		}
	}
}

func BenchmarkLookupAbsent(b *testing.B) {
	v := thousand(b)
	in, out := header(gofuse.FUSE_ROOT_ID), gofuse.EntryOut{}
	for b.Loop() {
		if status := v.FS.Lookup(nil, &in, "lib0500.sa", &out); !status.Ok() || out.NodeId != 0 {
			b.Fatal(status)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	m := newMemory(b)
	v := m.show(m.tree(entries{"file": m.file(strings.Repeat("x", 1<<17))}), Options{})
	buf := make([]byte, 1<<17)
	in := &gofuse.ReadIn{InHeader: header(v.walk("file").NodeId), Size: 1 << 17}
	b.ReportAllocs()
	b.SetBytes(1 << 17)
	for b.Loop() {
		if _, status := v.FS.Read(nil, in, buf); !status.Ok() {
			b.Fatal(status)
		}
	}
}
