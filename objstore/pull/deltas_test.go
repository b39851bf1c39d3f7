package pull

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// offerEmpty has a repository offer a static delta to a commit which brings nothing but that, signed
// or not.
func offerEmpty(t *testing.T, r *objstore.Repo, sum object.Checksum, signed bool) {
	t.Helper()
	commit, err := r.Metadata(object.Name{Checksum: sum, Kind: object.KindCommit})
	if err != nil {
		t.Fatal(err)
	}
	s := &delta.Superblock{To: sum, Commit: commit, Metadata: gvariant.NewArray("{sv}")}
	from, _ := s.Encode(nil)
	data, err := io.ReadAll(from)
	if err == nil && signed {
		from, _ = delta.EncodeSigned(data, gvariant.NewArray("{sv}",
			gvariant.NewEntry(gvariant.NewString("ostree.sign.test"), gvariant.NewVariant(gvariant.NewArray("ay", gvariant.NewBytes([]byte("sig")))))))
		data, err = io.ReadAll(from)
	}
	dir := filepath.Join(r.Path(), s.Delta().Path())
	if err = errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "superblock"), data, 0o644)); err != nil {
		t.Fatal(err)
	}
	publish(t, r)
}

// TestDeltaIncomplete: what a delta should have brought and did not is fetched, unless deltas are
// required.
func TestDeltaIncomplete(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1")
	offerEmpty(t, src, sum, false)
	s := serve(t, src)
	dest := s.client(t, objstore.Bare, "")
	o := asking("main")
	o.NeedDeltas = true
	if _, err := Remote(context.Background(), dest, "origin", o); err == nil || !strings.Contains(err.Error(), "which is neither in the delta nor in the repository") {
		t.Error(err)
	}
	if !dest.IsPartial(sum) {
		if held, err := dest.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit}); held || err != nil {
			t.Errorf("the commit is there as if it were whole, %v", err)
		}
	}
	s.requests()
	fetchAll(t, dest, asking("main"))
	if got := s.requests(); !slices.Contains(got, ".filez") || slices.Contains(got, ".commit") {
		t.Errorf("asked for %q", got)
	}
	whole(t, dest, sum)
}

// TestDeltaOfPartial: a delta does not make a commit whole of which only some is here.
func TestDeltaOfPartial(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1")
	offerEmpty(t, src, sum, false)
	s := serve(t, src)
	dest := s.client(t, objstore.Bare, "")
	o := asking(sum.String())
	o.NoDeltas, o.Subpaths = true, []string{"/elsewhere"}
	fetchAll(t, dest, o)
	if !dest.IsPartial(sum) {
		t.Fatal("the commit is whole")
	}
	fetchAll(t, dest, asking("main"))
	whole(t, dest, sum)
}

// TestDeltaTooLarge: where a ref is here, the delta from nothing is not used, even if deltas are required.
func TestDeltaTooLarge(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	grow(t, src, "main", "1")
	s := serve(t, src)
	dest := s.client(t, objstore.Bare, "")
	fetchAll(t, dest, asking("main"))
	sum := grow(t, src, "main", "2")
	o := asking("main")
	o.NeedDeltas = true
	publish(t, src)
	if _, err := Remote(context.Background(), dest, "origin", o); err == nil || !strings.HasPrefix(err.Error(), "Static deltas required, but none found for main to ") {
		t.Error(err)
	}
	offerEmpty(t, src, sum, false)
	s.requests()
	fetchAll(t, dest, o)
	if got := s.requests(); strings.Contains(strings.Join(got, " "), "superblock") || !slices.Contains(got, ".commit") {
		t.Errorf("asked for %q", got)
	}
	whole(t, dest, sum)
}

// TestDeltaSigned: a delta that is signed by somebody else, or is to be signed and is not, is not used.
func TestDeltaSigned(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1")
	s := serve(t, src)
	good := func(_ []byte, signatures gvariant.Value) error {
		if signatures.Len() != 1 {
			return errors.New("no signature")
		}
		return nil
	}
	bad := func([]byte, gvariant.Value) error { return errors.New("bad signature") }
	for _, c := range []struct {
		signed, required bool
		verify           func([]byte, gvariant.Value) error
		want             string // why it is not used
	}{
		{false, false, nil, ""},
		{false, false, bad, ""},
		{true, false, nil, ""},
		{true, false, good, ""},
		{true, false, bad, "bad signature"},
		{true, true, good, ""},
		{true, true, bad, "bad signature"},
		{true, true, nil, "Key is mandatory to check delta signature"},
		{false, true, good, "no signatures in static-delta"},
		{false, true, nil, "no signatures in static-delta"},
	} {
		offerEmpty(t, src, sum, c.signed)
		settings := ""
		if c.required {
			settings = "[core]\nsign-verify-deltas=true\n"
		}
		dest := s.client(t, objstore.Bare, settings)
		o := asking("main")
		o.VerifyDelta, o.NeedDeltas = c.verify, true
		_, err := Remote(context.Background(), dest, "origin", o)
		if used := strings.Contains(err.Error(), "neither in the delta"); used != (c.want == "") || !used && !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		o.NeedDeltas = false
		warned := ""
		o.Warn = func(err error) { warned += err.Error() }
		s.requests()
		fetchAll(t, s.client(t, objstore.Bare, settings), o)
		if got := s.requests(); slices.Contains(got, ".commit") != (c.want != "") || !strings.Contains(warned, c.want) || (warned == "") != (c.want == "") {
			t.Errorf("%+v: asked for %q, warned %q", c, got, warned)
		}
	}
}

// TestDeltasForHeld: that deltas are required takes no check from a commit that is here.
func TestDeltasForHeld(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "1", "main")
	offerEmpty(t, src, sum, false)
	s := serve(t, src)
	dest := s.client(t, objstore.Bare, "")
	fetchAll(t, dest, asking(sum.String()))
	o := asking("main")
	o.NeedDeltas = true
	refusal := errors.New("no signature")
	o.VerifyCommit = func(object.Checksum, []byte, gvariant.Value) error { return refusal }
	if _, err := Remote(context.Background(), dest, "origin", o); !errors.Is(err, refusal) {
		t.Error(err)
	}
	if _, err := dest.Resolve("origin:main"); err == nil {
		t.Error("the ref is set")
	}
}
