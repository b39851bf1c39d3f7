package usage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/reach"
	"deployfs/objstore/tree"
)

const models = 25 // random repositories

// TestRepositoryModel compares reports about random repositories with sets of objects.
func TestRepositoryModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(models) {
		s, r := randomStore(t, seed)
		depth := []int{0, 1, 2, 5, reach.AllParents}[r.IntN(5)]
		mounted := r.IntN(len(s.commits))
		got, err := Repository(t.Context(), s.repo, Options{Depth: depth, Mounted: []object.Checksum{s.commits[mounted].sum, {9}}})
		check(t, err)
		whole, kept := map[string]needs{}, needs{}
		for name, i := range s.refs {
			whole[name] = s.of(s.history(i, len(s.commits))...)
			maps.Copy(kept, s.of(s.history(i, min(depth, len(s.commits)))...))
		}
		all := needs{}
		for i, name := range slices.Sorted(maps.Keys(whole)) {
			maps.Copy(all, whole[name])
			var others []needs
			for other, n := range whole {
				if other != name {
					others = append(others, n)
				}
			}
			ref := got.Refs[i]
			s.same(seed, "commits of "+name, ref.Commits, len(s.history(s.refs[name], len(s.commits))))
			s.same(seed, "objects of "+name, ref.Objects, s.amount(whole[name]))
			s.same(seed, "exclusive to "+name, ref.Exclusive, s.amount(whole[name].without(others...)))
		}
		held, use := s.held(), s.of(mounted)
		s.same(seed, "refs", len(got.Refs), len(whole))
		s.same(seed, "commits", got.Commits.Count, len(s.commits))
		s.same(seed, "reachable", got.Reachable, s.amount(all))
		s.same(seed, "unreachable", got.Unreachable, s.amount(held.without(all)))
		s.same(seed, "prune", got.Prune.Objects, s.amount(held.without(kept, use)))
		s.same(seed, "in use", got.Prune.InUse, s.amount(use.without(kept)))
	}
}

func (s *store) same(seed uint64, what string, got, want any) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("seed %d: %s: %+v, want %+v", seed, what, got, want)
	}
}

// TestTreesModel does the same with lines about commits.
func TestTreesModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(models) {
		s, r := randomStore(t, seed)
		q := Query{MaxDepth: r.IntN(4), Alone: r.IntN(5) == 0}
		var chosen []int
		for range 1 + r.IntN(3) {
			i := r.IntN(len(s.commits))
			chosen, q.Commits = append(chosen, i), append(q.Commits, s.commits[i].sum)
		}
		m := &lineModel{store: s, query: q, chosen: chosen, all: needs{}}
		m.run()
		var got []Line
		total, err := Trees(t.Context(), s.repo, q, func(l Line) error { got = append(got, l); return nil })
		check(t, err)
		s.same(seed, "lines", len(got), len(m.lines))
		for i := range min(len(got), len(m.lines)) {
			s.same(seed, fmt.Sprint("line ", i), got[i], m.lines[i])
		}
		others := m.others(-1)
		want := Line{Apparent: total.Apparent, Objects: len(m.all), Disk: s.amount(m.all).Disk, Exclusive: s.amount(m.all.without(others)).Disk}
		s.same(seed, "total", total, want)
	}
}

// lineModel makes lines the plain way.
type lineModel struct {
	*store
	query  Query
	chosen []int
	lines  []Line
	all    needs // of all lines
	seen   needs // of the commit's lines
	alone  needs // what is exclusive to the commit
}

// others is what commits need that refs lead to, and those of the query but for one.
func (m *lineModel) others(i int) needs {
	to := needs{}
	for _, tip := range m.refs {
		for _, c := range m.history(tip, len(m.commits)) {
			if !m.query.Alone && !slices.Contains(m.chosen, c) {
				maps.Copy(to, m.of(c))
			}
		}
	}
	for _, c := range m.chosen {
		if i >= 0 && c != m.chosen[i] {
			maps.Copy(to, m.of(c))
		}
	}
	return to
}

func (m *lineModel) run() {
	for i, c := range m.chosen {
		whole := m.of(c)
		maps.Copy(m.all, whole)
		m.seen, m.alone = needs{}, whole.without(m.others(i))
		root := Line{Commit: i, Path: "/", Top: true}
		m.count(&root, object.Name{Checksum: m.commits[c].sum, Kind: object.KindCommit})
		m.dir(&root, m.commits[c].tree, 0)
		m.lines = append(m.lines, root)
	}
}

func (m *lineModel) count(l *Line, name object.Name) {
	if m.seen[name] {
		return
	}
	m.seen[name] = true
	disk := m.amount(needs{name: true}).Disk
	l.Objects++
	l.Disk += disk
	if m.alone[name] {
		l.Exclusive += disk
	}
}

func (m *lineModel) dir(l *Line, d *dir, depth int) {
	m.count(l, object.Name{Checksum: m.meta, Kind: object.KindDirMeta})
	m.count(l, object.Name{Checksum: d.sum, Kind: object.KindDirTree})
	for _, f := range d.files {
		l.Apparent += f.size
		m.count(l, object.Name{Checksum: f.sum, Kind: object.KindFile})
	}
	for _, name := range slices.Sorted(maps.Keys(d.dirs)) {
		own := Line{Commit: l.Commit, Path: path.Join(l.Path, name)}
		m.dir(&own, d.dirs[name], depth+1)
		if depth < m.query.MaxDepth {
			m.lines = append(m.lines, own)
		}
		l.add(own)
	}
}

// TestTreesPaths limits to what paths name.
func TestTreesPaths(t *testing.T) {
	s := newStore(t)
	leaf := s.seal(&dir{files: map[string]file{"big": s.file(string(make([]byte, 5000))), "empty": s.file("")}})
	root := s.seal(&dir{files: map[string]file{"top": s.file("top")}, dirs: map[string]*dir{"a": leaf, "b": leaf}})
	q := Query{Commits: []object.Checksum{s.commits[s.commit(root, -1)].sum}, Paths: []string{"a", "/top", "b/big"}}
	var got []string
	_, err := Trees(t.Context(), s.repo, q, func(l Line) error {
		got = append(got, fmt.Sprint(l.Path, l.Apparent, " ", l.Objects))
		return nil
	})
	if want := "[/a5000 4 /top3 1 /b/big5000 0]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
	q.Paths = []string{"a/nope"}
	if _, err := Trees(t.Context(), s.repo, q, nil); !errors.As(err, new(*tree.Error)) {
		t.Error(err)
	}
}

// TestTreesBomb: a tree that holds itself many times over costs no more than its
// objects, and its size does not overflow.
func TestTreesBomb(t *testing.T) {
	s := newStore(t)
	d := s.seal(&dir{files: map[string]file{"f": s.file(string(make([]byte, 1000)))}})
	for range 80 {
		d = s.seal(&dir{dirs: map[string]*dir{"a": d, "b": d}})
	}
	q := Query{Commits: []object.Checksum{s.commits[s.commit(d, -1)].sum}}
	total, err := Trees(t.Context(), s.repo, q, func(Line) error { return nil })
	if err != nil || total.Apparent != unknownSize-1 || total.Objects != 84 {
		t.Errorf("%+v %v", total, err)
	}
}

// TestPartial: what a partial commit lacks takes nothing.
func TestPartial(t *testing.T) {
	s := newStore(t)
	lost := s.seal(&dir{files: map[string]file{"f": s.file("lost")}})
	root := s.seal(&dir{files: map[string]file{"gone": s.file("gone")}, dirs: map[string]*dir{"lost": lost}})
	i := s.commit(root, -1)
	s.ref("main", i)
	sum := s.commits[i].sum
	for _, name := range []object.Name{{Checksum: lost.sum, Kind: object.KindDirTree}, {Checksum: root.files["gone"].sum, Kind: object.KindFile}} {
		_, file := s.repo.ObjectFile(name)
		check(t, os.Remove(filepath.Join(s.repo.Path(), "objects", file)))
	}
	q := Query{Commits: []object.Checksum{sum}}
	if _, err := Trees(t.Context(), s.repo, q, func(Line) error { return nil }); !errors.As(err, new(*object.NotExistError)) {
		t.Error("a directory is missing, and nobody says so: ", err)
	}
	check(t, os.WriteFile(s.repo.Path()+"/state/"+sum.String()+".commitpartial", nil, 0o644))
	total, err := Trees(t.Context(), s.repo, q, func(Line) error { return nil })
	if err != nil || total.Apparent != 0 || total.Objects != 3 {
		t.Errorf("%+v %v", total, err)
	}
	r, err := Repository(t.Context(), s.repo, Options{Depth: reach.AllParents})
	if err != nil || r.Reachable.Count != 3 || r.Unreachable.Count != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestOther: what is no object is counted where it belongs, and with the objects
// it is all that there is.
func TestOther(t *testing.T) {
	s := newStore(t)
	s.ref("main", s.commit(s.seal(&dir{}), -1))
	want := Other{}
	for i, c := range []struct {
		path string
		to   *Amount
	}{
		{"objects/ab/" + s.commits[0].sum.String()[2:] + ".commitmeta", &want.Detached}, {"objects/ab/junk", &want.Rest}, {"objects/zz", &want.Rest},
		{"deltas/aa/bb/superblock", &want.Deltas}, {"delta-indexes/aa/x.index", &want.Deltas}, {"summary", &want.Summary}, {"summary.sig", &want.Summary},
		{"deployfs/index/x.index", &want.Indexes}, {"tmp/staging-x/y", &want.Scratch}, {"extensions/x/y", &want.Rest}, {".lock", &want.Rest},
	} {
		file := filepath.Join(s.repo.Path(), c.path)
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, make([]byte, 1+5000*i), 0o644))
		c.to.addPath(file)
	}
	check(t, os.Symlink("/nowhere", s.repo.Path()+"/dangling"))
	for _, name := range []string{"config", "refs/heads/main", "dangling"} {
		want.Rest.addPath(filepath.Join(s.repo.Path(), name))
	}
	r, err := Repository(t.Context(), s.repo, Options{})
	if err != nil || r.Other != want {
		t.Errorf("%v\n got %+v\nwant %+v", err, r.Other, want)
	}
}

func TestAliases(t *testing.T) {
	s := newStore(t)
	s.ref("main", s.commit(s.seal(&dir{}), -1))
	for name, target := range map[string]string{"alias": "main", "again": "alias", "odd": "../heads/main"} {
		check(t, os.Symlink(target, filepath.Join(s.repo.Path(), "refs/heads", name)))
	}
	r, err := Repository(t.Context(), s.repo, Options{})
	if err != nil || len(r.Refs) != 2 || r.Refs[0].Ref.Ref != "main" || r.Refs[1].Ref.Ref != "odd" || r.Refs[0].Exclusive.Count != 0 {
		t.Errorf("%+v %v", r.Refs, err)
	}
}

func TestPalette(t *testing.T) {
	p := newPalette()
	r := rand.New(rand.NewPCG(1, 2))
	sets := map[set]map[int]bool{0: {}}
	for colour := range 130 {
		sets[p.only(colour*7)] = map[int]bool{colour * 7: true}
		sets[p.only(colour)] = map[int]bool{colour: true}
	}
	list := slices.Sorted(maps.Keys(sets))
	for range 2000 {
		a, b := list[r.IntN(len(list))], list[r.IntN(len(list))]
		want := maps.Clone(sets[a])
		maps.Copy(want, sets[b])
		u := p.union(a, b)
		if known, ok := sets[u]; ok && !maps.Equal(known, want) {
			t.Fatalf("set %d is %v and %v", u, known, want)
		} else if !ok {
			sets[u], list = want, append(list, u)
		}
		var colours []int
		p.each(u, 1000, func(c int) { colours = append(colours, c) })
		if expected := slices.Sorted(maps.Keys(want)); !slices.Equal(colours, expected) {
			t.Fatalf("colours %v, want %v", colours, expected)
		}
		p.each(u, 100, func(c int) {
			if !want[c] || c >= 100 {
				t.Fatalf("colour %d of %v", c, want)
			}
		})
		if c := r.IntN(1000); p.has(u, c) != want[c] {
			t.Fatalf("colour %d of %v", c, want)
		}
	}
}

// TestFromChildren visits commits in every shape of forest after their children.
func TestFromChildren(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		order := r.Perm(1 + r.IntN(12)) // a parent is later in it
		parents := make([]int32, len(order))
		for i, c := range order {
			parents[c] = -1
			if left := len(order) - i - 1; left > 0 && r.IntN(4) > 0 {
				parents[c] = int32(order[i+1+r.IntN(left)])
			}
		}
		done, visits := make([]bool, len(order)), 0
		fromChildren(parents, func(child, parent int) {
			if done[child] || parents[child] != int32(parent) {
				t.Fatalf("%v: %d to %d", parents, child, parent)
			}
			for c, p := range parents {
				if p == int32(child) && !done[c] {
					t.Fatalf("%v: %d before its child %d", parents, child, c)
				}
			}
			done[child] = true
			visits++
		})
		for _, p := range parents {
			if p >= 0 {
				visits--
			}
		}
		if visits != 0 {
			t.Fatalf("%v: %d visits too many", parents, visits)
		}
	}
}

func TestInterrupted(t *testing.T) {
	s, _ := randomStore(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Repository(ctx, s.repo, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	q := Query{Commits: []object.Checksum{s.commits[0].sum}}
	if _, err := Trees(ctx, s.repo, q, func(Line) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	failed := errors.New("enough")
	if _, err := Trees(t.Context(), s.repo, q, func(Line) error { return failed }); err != failed {
		t.Error(err)
	}
	if err := inParallel(t.Context(), 100, func(_, i int) error {
		if i == 7 {
			return unix.EIO
		}
		return nil
	}); err != unix.EIO {
		t.Error(err)
	}
}
