package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// TestTooLarge: a build ends soon after it holds more than it may, whatever it
// is that there is much of.
func TestTooLarge(t *testing.T) {
	const many = 1000
	value := func(i int) []object.Xattr {
		return []object.Xattr{{Name: "user.x", Value: bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 2000)}}
	}
	labelled := func(i int) *folderModel {
		f := newFolder(nil)
		f.meta.Xattrs = value(i)
		return f
	}
	all := func(entry func(i int) any) *folderModel {
		entries := map[string]any{}
		for i := range many {
			entries[fmt.Sprintf("%0200d", i)] = entry(i)
		}
		return newFolder(entries)
	}
	for what, c := range map[string]struct {
		model *folderModel
		need  int // bytes of the kind
	}{
		"names":        {all(func(int) any { return regular(0o644, 1) }), many * 200},
		"directories":  {newFolder(map[string]any{"d": all(func(i int) any { return newFolder(map[string]any{fmt.Sprint(i): symlink("x")}) })}), many * 200},
		"targets":      {all(func(i int) any { return symlink(strings.Repeat("t", 4000) + fmt.Sprint(i)) }), many * 4000},
		"xattrs":       {all(func(i int) any { return regular(0o644, 1, value(i)...) }), many * 4000},
		"dirmetas":     {all(func(i int) any { return labelled(i) }), many * 4000},
		"root dirmeta": {labelled(1), 4000},
	} {
		m := newMemory()
		root := m.add(c.model)
		if data, err := build(context.Background(), m, root, 0, int64(c.need/2)); !errors.Is(err, errTooLarge) || data != nil {
			t.Errorf("%s, half of it allowed: %d bytes, %v", what, len(data), err)
		}
		if asked, most := len(m.asked), 20+runtime.GOMAXPROCS(0)+many/2; asked > most {
			t.Errorf("%s: %d objects were read, want at most %d", what, asked, most)
		}
		enough := int64(c.need + many*(200+entryCost+xattrCost+100))
		data, err := build(context.Background(), m, root, 7, enough)
		if err != nil || !bytes.Equal(data, m.data(t, c.model)) {
			t.Errorf("%s, all of it allowed: %d bytes, %v", what, len(data), err)
		}
	}
}
