package xz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// pack compresses, and fails unless that gives back what went in.
func pack(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Compress(context.Background(), &out, data); err != nil {
		t.Fatal(err)
	}
	r, err := xz.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(back, data) {
		t.Fatalf("%d bytes became %d: %v", len(data), len(back), err)
	}
	return out.Bytes()
}

func random(n, count int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.IntN(count))
	}
	return data
}

// TestCompress compresses content of all kinds, and has the size be what it may be.
func TestCompress(t *testing.T) {
	text := []byte(strings.Repeat("Everything that is read is hostile until verified. ", 40))
	noise := random(100_000, 256, 1)
	for _, c := range []struct {
		name string
		data []byte
		most int
	}{
		{"nothing", nil, 64},
		{"a byte", []byte("a"), 64},
		{"two bytes", []byte("aa"), 64},
		{"zeros", make([]byte, 2<<20+70_000), 1000},
		{"text", text, 200},
		{"noise", noise, len(noise) + 200},
		{"noise twice", slices.Concat(noise, noise), len(noise) + 1500},
		{"noise in zeros", slices.Concat(make([]byte, 200_000), noise, make([]byte, 100_000), text), len(noise) + 3000},
		{"text in noise", slices.Concat(text, noise, text, noise[:30_000], text), len(noise) + 3000},
		{"few letters", random(40_000, 4, 2), 11_700},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if n := len(pack(t, c.data)); n > c.most {
				t.Errorf("%d bytes, want at most %d", n, c.most)
			}
		})
	}
}

// TestStopped ends at once when nobody wants the result, or can take it.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Compress(ctx, io.Discard, random(20_000, 9, 9)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	r, w := io.Pipe()
	r.Close()
	if err := Compress(context.Background(), w, random(150_000, 256, 9)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("nobody reads: %v", err)
	}
}

// TestJudged has xz itself unpack.
func TestJudged(t *testing.T) {
	program, err := exec.LookPath("xz")
	if err != nil {
		t.Skip("no xz: ", err)
	}
	data := slices.Concat(random(70_000, 256, 4), make([]byte, 70_000), random(50_000, 7, 5), random(60_000, 256, 4))
	cmd := exec.Command(program, "-dc")
	cmd.Stdin = bytes.NewReader(pack(t, data))
	if out, err := cmd.Output(); err != nil || !bytes.Equal(out, data) {
		t.Errorf("%d bytes became %d: %v", len(data), len(out), err)
	}
}

// FuzzCompress has everything come back.
func FuzzCompress(f *testing.F) {
	f.Add([]byte("text"), []byte("other"), uint16(3))
	f.Add([]byte{}, []byte{0}, uint16(400))
	f.Fuzz(func(t *testing.T, a, b []byte, repeat uint16) {
		pack(t, slices.Concat(a, bytes.Repeat(b, int(repeat%512)), a))
	})
}
