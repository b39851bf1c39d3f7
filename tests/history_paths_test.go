package tests

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// oldTree is a commit as `ostree ls -R -C` tells of it: what ls prints before a path, by path.
type oldTree map[string]string

// treesOf lists the trees of commits; there is no commit 0.
func treesOf(t *testing.T, repo string, sums []string) []oldTree {
	t.Helper()
	trees := make([]oldTree, 1)
	for _, sum := range sums[1:] {
		tree := oldTree{}
		for line := range strings.Lines(ostree(t, repo, "ls", "-R", "-C", sum) + "\n") {
			facts, name, _ := strings.Cut(line, " /")
			name, _, _ = strings.Cut(strings.TrimSuffix(name, "\n"), " -> ")
			tree["/"+name] = facts
		}
		trees = append(trees, tree)
	}
	return trees
}

// changed lists the commits, newest first, in which a path changed.
func changed(trees []oldTree, path string) (list []int) {
	for i := len(trees) - 1; i > 0; i-- {
		if trees[i][path] != trees[i-1][path] {
			list = append(list, i)
		}
	}
	return list
}

// smallHistory commits trees that the real ostree makes of a changing directory: content, modes,
// owners, xattrs, links; names that come, go, and turn from a file into a directory and back.
func smallHistory(t *testing.T) (repo string, sums []string) {
	t.Helper()
	repo, sums = newRepo(t, "bare"), []string{""}
	dir := filepath.Join(scratch(t), "tree")
	for i, step := range []func(p *plot){
		func(p *plot) {
			p.dir("a/b/c")
			p.dir("e")
			p.text("a/b/c/f", "1")
			p.text("a/g", "1")
			p.text("top", "1")
		},
		func(p *plot) { p.text("a/b/c/f", "2") },
		func(*plot) {},
		func(p *plot) { p.mode("a/g", 0o600); p.link("a/l", "g") },
		func(p *plot) { p.owner("a/b", 3, 4) },
		func(p *plot) { p.xattr("top", "user.x", "1"); os.Remove(p.path("a/l")); p.link("a/l", "elsewhere") },
		func(p *plot) { os.RemoveAll(p.path("a/b")); p.text("a/b", "a file now") },
		func(p *plot) { os.Remove(p.path("a/b")); p.dir("a/b/c"); p.text("a/b/c/f", "2") },
		func(p *plot) { os.RemoveAll(p.path("e")); os.Rename(p.path("top"), p.path("new")) },
		func(p *plot) { os.Rename(p.path("new"), p.path("top")); p.text("a/b/c/f", "1") },
	} {
		p := &plot{root: dir}
		step(p)
		if p.err != nil {
			t.Fatal(i+1, p.err)
		}
		sums = append(sums, commit(t, repo, "main", dir, "-s", fmt.Sprint("change ", i+1), "--timestamp=@"+fmt.Sprint(1700000000+i)))
	}
	return repo, sums
}

// jsonOf decodes what a verb prints with --json.
func jsonOf[T any](t *testing.T, args ...string) (value T) {
	t.Helper()
	o := deployfs(t, append(args[:1:1], append([]string{"--json"}, args[1:]...)...)...)
	if err := json.Unmarshal([]byte(o.out), &value); err != nil || o.code != 0 {
		t.Fatalf("%s: exit %d, %v\n%s%s", o.line, o.code, err, o.out, o.err)
	}
	return value
}

// briefly is a commit in JSON.
type briefly struct{ Checksum, Date, Version, Subject string }

// numbersOf are the numbers of commits.
func numbersOf(sums []string, list []briefly) (numbers []int) {
	for _, c := range list {
		numbers = append(numbers, slices.Index(sums, c.Checksum))
	}
	return numbers
}

type blamed struct {
	Path    string
	Type    string
	Commit  briefly
	Shallow bool
}

type foundAt struct {
	Rev, Path   string
	First, Last briefly
	Commits     int
	Runs        []struct {
		First, Last briefly
		Commits     int
		Shallow     bool
	}
}

// TestPathsByBruteForce compares log, blame and find with what `ostree ls` says of each commit.
func TestPathsByBruteForce(t *testing.T) {
	t.Parallel()
	repo, sums := smallHistory(t)
	trees := treesOf(t, repo, sums)
	all, n := oldTree{}, len(sums)-1
	for _, tree := range trees {
		maps.Copy(all, tree)
	}
	for path := range all {
		list := jsonOf[[]briefly](t, "log", "--repo="+repo, "main", "--", path)
		if want := changed(trees, path); !slices.Equal(numbersOf(sums, list), want) {
			t.Errorf("log -- %s: %v, want %v", path, numbersOf(sums, list), want)
		}
	}
	both := jsonOf[[]briefly](t, "log", "--repo="+repo, "main", "--", "top", "/a/l/")
	want := slices.Compact(slices.Sorted(slices.Values(append(changed(trees, "/top"), changed(trees, "/a/l")...))))
	if slices.Reverse(want); !slices.Equal(numbersOf(sums, both), want) {
		t.Errorf("log -- top a/l: %v, want %v", numbersOf(sums, both), want)
	}
	lines := jsonOf[[]blamed](t, "blame", "-r", "--repo="+repo, "main")
	if len(lines) != len(trees[n])-1 {
		t.Errorf("blame -r: %d lines of %d", len(lines), len(trees[n])-1)
	}
	for _, l := range lines {
		if want := changed(trees, l.Path)[0]; l.Commit.Checksum != sums[want] || l.Shallow {
			t.Errorf("blame %s: %+v, want %d", l.Path, l, want)
		}
	}
	checkRuns(t, trees, sums, jsonOf[[]foundAt](t, "find", "--repo="+repo, "*", "main"))
}

// checkRuns compares where names are found with the trees.
func checkRuns(t *testing.T, trees []oldTree, sums []string, list []foundAt) {
	t.Helper()
	for _, f := range list {
		var got, want []int
		for _, r := range f.Runs {
			for i := slices.Index(sums, r.Last.Checksum); i >= slices.Index(sums, r.First.Checksum); i-- {
				got = append(got, i)
			}
		}
		for i := len(trees) - 1; i > 0; i-- {
			if _, here := trees[i][f.Path]; here {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) || f.Commits != len(want) || f.Last.Checksum != sums[want[0]] || f.First.Checksum != sums[want[len(want)-1]] {
			t.Errorf("find %s: %v, want %v", f.Path, got, want)
		}
	}
	all := oldTree{}
	for _, tree := range trees {
		maps.Copy(all, tree)
	}
	if len(list) != len(all)-1 { // all but the root
		t.Errorf("find *: %d paths of %d", len(list), len(all)-1)
	}
}
