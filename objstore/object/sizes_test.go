package object

import (
	"encoding/hex"
	"testing"

	"deployfs/objstore/gvariant"
)

func TestSizes(t *testing.T) {
	entry := func(tail string) gvariant.Value {
		sum := Checksum{1, 2, 3}
		data, err := hex.DecodeString(tail)
		if err != nil {
			t.Fatal(err)
		}
		return gvariant.NewBytes(append(sum[:], data...))
	}
	commit := func(entries ...gvariant.Value) Commit {
		value := gvariant.NewVariant(gvariant.NewArray("ay", entries...))
		return Commit{Metadata: gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("ostree.sizes"), value))}
	}
	got, err := commit(entry("2a0601"), entry("c301c30102"), entry("2b09")).Sizes()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []ObjectSize{{Archived: 42, Unpacked: 6}, {Archived: 195, Unpacked: 195}, {Archived: 43, Unpacked: 9}} {
		want.Object = Name{Checksum{1, 2, 3}, []Kind{KindFile, KindDirTree, KindFile}[i]}
		if got[i] != want {
			t.Errorf("entry %d: %v, want %v", i, got[i], want)
		}
	}
	for _, bad := range []string{"", "2a", "2a80", "2a0600", "2a0604", "2a060101", "2affffffffffffffffffff01"} {
		if _, err := commit(entry(bad)).Sizes(); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if _, err := (Commit{Metadata: gvariant.NewArray("{sv}")}).Sizes(); err != ErrNoSizes {
		t.Error(err)
	}
}

func TestEncodeDirMeta(t *testing.T) {
	want := DirMeta{UID: 1, GID: 2, Mode: 0o041777, Xattrs: []Xattr{{"user.a", []byte("x")}, {"user.b", []byte{0}}}}
	got, err := DecodeDirMeta(want.Encode())
	if err != nil || got.Mode != want.Mode || len(got.Xattrs) != 2 || string(got.Encode()) != string(want.Encode()) {
		t.Errorf("%+v, %v", got, err)
	}
}
