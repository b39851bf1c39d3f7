package bsdiff

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// TestPatch applies patches that are written by hand.
func TestPatch(t *testing.T) {
	const old = "one\ntwo\n"
	for _, c := range []struct {
		name  string
		patch []byte
		want  string // "" = the patch is refused
		size  int64
	}{
		{name: "new bytes only", patch: append(step{0, 4, 3}.append(nil), "two\n"...), want: "two\n"},
		{name: "the same bytes", patch: append(step{8, 0, 0}.append(nil), make([]byte, 8)...), want: old},
		{name: "a changed byte", patch: append(step{3, 0, 0}.append(nil), 0, 0, 256-'e'+'!'), want: "on!"},
		{
			name:  "back and forth",
			patch: append(append(step{4, 1, 0}.append(nil), "\x00\x00\x00\x00-"...), append(step{0, 0, -4}.append(nil), append(step{3, 0, 0}.append(nil), 0, 0, 0)...)...),
			want:  "one\n-one",
		},
		{name: "before the start and behind the end", patch: append(step{0, 0, -2}.append(nil), append(step{12, 0, 0}.append(nil), make([]byte, 12)...)...), want: "\x00\x00" + old + "\x00\x00"},
		{name: "nothing", size: 1},
		{name: "cut in the integers", patch: make([]byte, 23), size: 1},
		{name: "cut in the differences", patch: append(step{3, 0, 0}.append(nil), 0, 0), size: 3},
		{name: "cut in the new bytes", patch: append(step{0, 3, 0}.append(nil), 0, 0), size: 3},
		{name: "negative", patch: append(step{-1, 4, 0}.append(nil), 0, 0, 0), size: 3},
		{name: "more than was said", patch: append(step{0, 4, 0}.append(nil), 0, 0, 0, 0), size: 3},
		{name: "a sum that overflows", patch: append(step{math.MaxInt64, math.MaxInt64, 0}.append(nil), 0, 0, 0, 0), size: 3},
		{name: "a place that overflows", patch: append(step{0, 0, math.MaxInt64}.append(nil), append(step{0, 0, math.MaxInt64}.append(nil), append(step{1, 0, 0}.append(nil), 0)...)...), size: 1},
		{name: "the smallest place", patch: append(step{0, 0, -math.MaxInt64}.append(nil), append(step{0, 0, -math.MaxInt64}.append(nil), append(step{1, 0, 0}.append(nil), 0)...)...), size: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			size := max(c.size, int64(len(c.want)))
			err := Patch(&out, bytes.NewReader([]byte(old)), int64(len(old)), c.patch, size)
			switch {
			case c.want == "" && !errors.Is(err, ErrCorrupt):
				t.Errorf("%q was made, with error %v", out.String(), err)
			case c.want != "" && (err != nil || out.String() != c.want):
				t.Errorf("made %q, want %q; error %v", out.String(), c.want, err)
			}
		})
	}
}
