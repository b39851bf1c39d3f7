package compose

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// history is the number of commits that a branch leads back to.
func history(t *testing.T, r *objstore.Repo, branch string) (n int) {
	t.Helper()
	sum, err := r.Resolve(branch)
	if err != nil {
		t.Fatal(err)
	}
	for ; !sum.IsZero(); n++ {
		c, err := r.Commit(sum)
		if err != nil {
			t.Fatal(err)
		}
		sum = c.Parent
	}
	return n
}

// TestTogether: of commits that are made on one branch at the same time each follows
// another.
func TestTogether(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.BareUser, "")
	const writers, commits = 4, 5
	var all sync.WaitGroup
	for i := range writers {
		src := files(t, fmt.Sprintf("%s/src%d", dir, i), map[string]string{"a": fmt.Sprint(i)})
		all.Go(func() {
			own, err := objstore.Open(r.Path())
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			for j := range commits {
				if _, err := run(own, Request{Branch: "main", Subject: fmt.Sprint(i, j), Sources: []Source{{Dir, src}}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := history(t, r, "main"); got != writers*commits {
		t.Errorf("the history has %d commits, want %d", got, writers*commits)
	}
}

// TestOvertaken: a commit that was written when the branch moved is written again, with
// what belongs to it, unless its parent was given.
func TestOvertaken(t *testing.T) {
	for _, config := range []string{"", "fsync=true\n", "per-object-fsync=true\nfsync=true\n"} {
		dir := place(t)
		r := newRepo(t, dir, objstore.BareUser, config)
		src := files(t, dir+"/src", map[string]string{"a": "a"})
		first := must(t, r, Request{Branch: "main", Subject: "first", Sources: []Source{{Dir, src}}})
		overtake := func(subject string, parent *string) (Result, object.Checksum) {
			var other Result
			sign := func([]byte) ([]gvariant.Value, error) {
				var err error
				if other.Commit.IsZero() {
					other, err = run(r, Request{Branch: "main", Subject: "before " + subject, Sources: []Source{{Dir, src}}})
				}
				return []gvariant.Value{Pair{"signed", gvariant.NewBool(true)}.entry()}, err
			}
			plan, err := Prepare(r, Request{Branch: "main", Subject: subject, Parent: parent, Sources: []Source{{Dir, src}}, Sign: sign})
			if err != nil {
				t.Fatal(err)
			}
			result, err := plan.Commit(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return result, other.Commit
		}
		result, other := overtake("second", nil)
		c, err := r.Commit(result.Commit)
		if tip, _ := r.Resolve("main"); err != nil || tip != result.Commit || c.Parent != other || c.Root != first.Root {
			t.Errorf("%s is the branch's, its parent %s, want %s: %v", tip, c.Parent, other, err)
		}
		meta, ok, err := r.CommitMeta(result.Commit)
		if !ok || err != nil {
			t.Fatal("no detached metadata", err)
		}
		if _, ok := meta.Lookup("signed"); !ok {
			t.Error("it is not signed")
		}
		given := c.Parent
		result, _ = overtake("third", new(given.String()))
		if c, err := r.Commit(result.Commit); err != nil || c.Parent != given {
			t.Errorf("its parent is %s, not what was given: %v", c.Parent, err)
		}
	}
}
