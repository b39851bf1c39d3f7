package bulk

import (
	"bytes"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"deployfs/objstore"
)

// TestRead holds much and little, which is the same afterwards.
func TestRead(t *testing.T) {
	repo, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: objstore.Archive})
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	const memory = 100_000
	for _, size := range []int64{0, 5, memory, memory + 1, 2*memory + 5} {
		random := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), size) }
		b, err := Read(repo, random(), memory)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := io.ReadAll(random())
		if b.InMemory() != (size <= memory) || !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%d bytes: %d, in memory: %v", size, len(b.Bytes()), b.InMemory())
		}
		b.Close()
	}
	if left, _ := filepath.Glob(repo.Path() + "/tmp/[^c]*"); len(left) > 0 { // but for cache
		t.Errorf("left: %v", left)
	}
}

// TestFull refuses what takes too much of a disk.
func TestFull(t *testing.T) {
	repo, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: objstore.Archive})
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	w := NewWriter(repo, 10)
	defer w.Close()
	if _, err := w.Write(make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	w.limit = 30
	if _, err := w.Write(make([]byte, 11)); err == nil || w.Len() != 20 {
		t.Errorf("%d bytes are written, error %v", w.Len(), err)
	}
}
