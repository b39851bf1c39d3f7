package transaction

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"io"
	"testing"
)

// TestDeflateShort compares with what zlib makes at level 6.
func TestDeflateShort(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"", "0300"},
		{"x", "ab0000"},
		{"hello\n", "cb48cdc9c9e70200"},
		{"abcabcabcabc", "4b4c4a4e842100"},
		{"aaaaaaaaaaaaaaaa", "4b4c440500"},
		{"xabxabxab", "ab484caa002300"},
		{
			"\xc8\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf\xd0\xd1\xd2\xd3\xd4\xd5\xd6",
			"011000efffc8c8c9cacbcccdcecfd0d1d2d3d4d5d6",
		},
	} {
		if got := hex.EncodeToString(deflateShort([]byte(c.data))); got != c.want {
			t.Errorf("%q: %s, want %s", c.data, got, c.want)
		}
	}
}

func FuzzDeflateShort(f *testing.F) {
	f.Add([]byte("abcabcabcabc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), shortest)]
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(deflateShort(data))))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%q comes back as %q: %v", data, got, err)
		}
	})
}
