package pull

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
)

// TestLargeOneByOne: while somebody holds a large object nobody else has more than the begin of one,
// and who wants a small one does not wait.
func TestLargeOneByOne(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	s := serve(t, src)
	s.lies["large"], s.lies["small"] = bytes.Repeat([]byte("x"), large+5), []byte("small")
	client, err := fetch.New(fetch.Config{URLs: []string{s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	f := &far{session: &session{client: client}, turn: newTurn()}
	get := func(ctx context.Context, path string, limit int64) ([]byte, func(), error) {
		return f.getLarge(ctx, fetch.File{Path: path}, limit)
	}
	data, free, err := get(context.Background(), "large", 2*large)
	if err != nil || free == nil || !bytes.Equal(data, s.lies["large"]) {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if data, free, err := get(context.Background(), "small", 2*large); err != nil || free != nil || string(data) != "small" {
		t.Errorf("%q, %v", data, err)
	}
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if data, _, err := get(short, "large", 2*large); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one: %d bytes, %v", len(data), err)
	}
	free()
	if data, free, err = get(context.Background(), "large", 2*large); err != nil || len(data) != large+5 {
		t.Fatal(err)
	}
	free()
	for _, limit := range []int64{4, large, large + 4} {
		if _, _, err := get(context.Background(), "large", limit); err == nil || !strings.Contains(err.Error(), "exceeded maximum size") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// TestLargeListing: a large directory is not held until its files come.
func TestLargeListing(t *testing.T) {
	tree, size := listingOf(t, 1, 14000, 0)
	name := object.Name{Checksum: object.Checksum{7}, Kind: object.KindDirTree}
	failure := errors.New("gone")
	for want, result := range map[string]error{"": nil, "gone": failure} {
		var read []object.Name
		q := newQueue(new(Progress), nil, func(name object.Name) (object.DirTree, error) {
			read = append(read, name)
			return tree, result
		})
		q.expand(name, tree, size, "")
		if size <= large || q.bytes != 0 || q.listings[0].tree.NumFiles() != 0 {
			t.Fatalf("%d of %d bytes are held", q.bytes, size)
		}
		for i := 0; ; i++ {
			p, ok := q.next()
			if !ok {
				if q.failed != result || want == "" && i != 14000 || len(read) != 1 || read[0] != name {
					t.Errorf("%d files, %v, read %v", i, q.failed, read)
				}
				break
			}
			q.done(p, nil)
		}
	}
}
