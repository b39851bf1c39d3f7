package history

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/fs"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// writer makes a repository of commits without trees.
type writer struct {
	t    *testing.T
	path string
}

func newWriter(t *testing.T) *writer {
	w := &writer{t, t.TempDir()}
	for i := range 256 {
		w.mkdir(fmt.Sprintf("objects/%02x", i))
	}
	w.mkdir("refs/heads")
	w.mkdir("refs/remotes/origin")
	w.write("config", "[core]\nrepo_version=1\nmode=archive-z2\n")
	return w
}

func (w *writer) mkdir(path string) {
	if err := os.MkdirAll(filepath.Join(w.path, path), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) write(path, data string) {
	w.t.Helper()
	w.mkdir(filepath.Dir(path))
	if err := os.WriteFile(filepath.Join(w.path, path), []byte(data), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// big is a number as OSTree stores it.
func big(n uint64) gvariant.Value {
	var swapped uint64
	for range 8 {
		swapped, n = swapped<<8|n&0xff, n>>8
	}
	return gvariant.NewUint64(swapped)
}

// commit writes a commit, and returns its checksum.
func (w *writer) commit(parent, version, subject string, at time.Time) string {
	var metadata []gvariant.Value
	if version != "" {
		metadata = append(metadata, gvariant.NewEntry(gvariant.NewString("version"), gvariant.NewVariant(gvariant.NewString(version))))
	}
	var up []byte
	if parent != "" {
		sum, err := object.ParseChecksum(parent)
		if err != nil {
			w.t.Fatal(err)
		}
		up = sum[:]
	}
	none := bytes.Repeat([]byte{7}, 32)
	data := gvariant.NewTuple(gvariant.NewArray("{sv}", metadata...), gvariant.NewBytes(up), gvariant.NewArray("(say)"),
		gvariant.NewString(subject), gvariant.NewString(""), big(uint64(at.Unix())),
		gvariant.NewBytes(none), gvariant.NewBytes(none)).Bytes()
	sum := object.Checksum(sha256.Sum256(data)).String()
	w.write(objectFile(sum), string(data))
	return sum
}

func objectFile(sum string) string { return "objects/" + sum[:2] + "/" + sum[2:] + ".commit" }

func (w *writer) ref(name, sum string) { w.write("refs/"+name, sum+"\n") }

func (w *writer) remove(path string) {
	if err := os.Remove(filepath.Join(w.path, path)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) view() *View {
	repo, err := objstore.Open(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { repo.Close() })
	return New(repo)
}

// wantList fails unless a directory has these names, in any order; each is found
// as it is listed.
func wantList(t *testing.T, v *View, dir string, want ...string) {
	t.Helper()
	list, err := v.List(dir)
	if err != nil {
		t.Errorf("%q: %v", dir, err)
	}
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
		if found, err := v.Find(dir, n.Name); err != nil || found != n {
			t.Errorf("%s/%s is found as %v, %v, and listed as %v", dir, n.Name, found, err, n)
		}
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("%q has %q, want %q", dir, names, want)
	}
}

// wantLink fails unless a name is a link to a commit.
func wantLink(t *testing.T, v *View, dir, name, sum string) {
	t.Helper()
	n, err := v.Find(dir, name)
	want := strings.Repeat("../", strings.Count(dir, "/")+1) + "commits/" + sum
	if err != nil || n.Kind != fs.NameLink || n.Value != want {
		t.Errorf("%s/%s: %v, %v, want a link to %s", dir, name, n, err, want)
	}
}

// wantAbsent fails unless there is no such name.
func wantAbsent(t *testing.T, v *View, dir, name string) {
	t.Helper()
	if n, err := v.Find(dir, name); !errors.Is(err, iofs.ErrNotExist) {
		t.Errorf("%s/%s: %v, %v", dir, name, n, err)
	}
}

func date(text string) time.Time {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestRefs(t *testing.T) {
	w := newWriter(t)
	one := w.commit("", "", "one", date("2026-01-02 03:04:05"))
	two := w.commit(one, "", "two", date("2026-01-02 03:04:06"))
	w.ref("heads/os/stable/x86_64", one)
	w.ref("heads/top", two)
	w.ref("remotes/origin/os/main", two)
	w.ref("mirrors/org.example.Os/main", one)
	w.ref("heads/dangling", strings.Repeat("0", 64))
	w.write("refs/heads/garbage", "no checksum\n")
	w.write("refs/heads/.hidden", one)
	v := w.view()
	wantList(t, v, "", "by-date", "by-version", "commits", "mirrors", "refs", "remotes")
	wantList(t, v, "refs", "os", "top", ".commit")
	wantList(t, v, "refs/os", "stable")
	wantList(t, v, "refs/os/stable", "x86_64", ".commit")
	wantList(t, v, "refs/os/stable/.commit", "x86_64")
	wantList(t, v, "remotes", "origin")
	wantList(t, v, "mirrors/org.example.Os", "main", ".commit")
	wantLink(t, v, "refs/os/stable", "x86_64", one)
	wantLink(t, v, "remotes/origin/os", "main", two)
	wantLink(t, v, "refs/os/stable/.commit", "x86_64", ".commit/"+one)
	for _, path := range []string{"refs/top", "refs/absent", "refs/os/.commit/x", "commits/" + one, "nowhere", "refs/.commit/.commit"} {
		if list, err := v.List(path); !errors.Is(err, iofs.ErrNotExist) {
			t.Errorf("%s: %v, %v", path, list, err)
		}
	}
	wantAbsent(t, v, "refs", "dangling")
	wantAbsent(t, v, "refs", "garbage")
	wantAbsent(t, v, "refs", "..")
	wantAbsent(t, v, "refs/os", ".commit")
	w.ref("heads/new", one)
	w.ref("heads/top", one)
	w.remove("refs/heads/os/stable/x86_64")
	wantList(t, v, "refs", "os", "new", "top", ".commit")
	wantList(t, v, "refs/os/stable")
	wantLink(t, v, "refs", "top", one)
	w.remove(objectFile(one))
	wantList(t, v, "refs", "os")
}

// TestOddRefs: what is no ref, in whatever way, does not hide those that are.
func TestOddRefs(t *testing.T) {
	w := newWriter(t)
	one := w.commit("", "", "one", date("2026-01-02 03:04:05"))
	w.ref("heads/main", one)
	for name, target := range map[string]string{"through": "main/x", "loop": "loop", "out": "../../../../etc/passwd", "gone": "absent"} {
		if err := os.Symlink(target, filepath.Join(w.path, "refs/heads", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(w.path, "refs/heads/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(filepath.Join(w.path, "refs/heads/pipe"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	empty := 0
	for one[:2] == fmt.Sprintf("%02x", empty) {
		empty++
	}
	w.remove(fmt.Sprintf("objects/%02x", empty))
	w.write(fmt.Sprintf("objects/%02x", empty), "no directory")
	v := w.view()
	wantList(t, v, "refs", "main", ".commit")
	wantList(t, v, "by-version", "main")
	wantList(t, v, "commits", one, ".commit")
}

// TestOneSecond: commits of one second are found by their names, and by nothing
// else.
func TestOneSecond(t *testing.T) {
	w := newWriter(t)
	var names []string
	for i := range 300 {
		names = append(names, "030405-"+w.commit("", "", fmt.Sprint(i), date("2026-01-02 03:04:05"))[:10])
	}
	v := w.view()
	wantList(t, v, "by-date/2026/01/02", append([]string{".commit"}, names...)...)
	for _, name := range []string{names[0][:12], names[0] + "0", "030406" + names[0][6:], "030405-", "030405-g"} {
		wantAbsent(t, v, "by-date/2026/01/02", name)
	}
}

// TestRepaired: a commit that could not be read has its date when it can be.
func TestRepaired(t *testing.T) {
	w := newWriter(t)
	one := w.commit("", "", "one", date("2026-01-02 03:04:05"))
	file := filepath.Join(w.path, objectFile(one))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.write(objectFile(one), "damaged")
	v := w.view()
	wantList(t, v, "by-date")
	w.write(objectFile(one), string(data))
	time.Sleep(retryAfter + 100*time.Millisecond)
	wantList(t, v, "by-date", "2026", "latest", ".commit")
}

func TestByDate(t *testing.T) {
	w := newWriter(t)
	v := w.view()
	wantList(t, v, "by-date")
	a := w.commit("", "", "a", date("1969-12-31 23:59:59").Add(time.Second))
	b := w.commit("", "", "b", date("2026-02-28 23:59:59"))
	c := w.commit("", "", "c", date("2026-03-01 00:00:00"))
	d := w.commit("", "", "d", date("2026-03-01 00:00:00"))
	w.commit("", "", "no date", time.Unix(lastDate+1, 0))
	wantList(t, v, "by-date", "1970", "2026", "latest", ".commit")
	wantList(t, v, "by-date/2026", "02", "03")
	wantList(t, v, "by-date/2026/02", "28")
	wantList(t, v, "by-date/1970/01/01", "000000-"+a[:10], ".commit")
	wantList(t, v, "by-date/2026/02/28", "235959-"+b[:10], ".commit")
	wantList(t, v, "by-date/2026/03/01", "000000-"+c[:10], "000000-"+d[:10], ".commit")
	wantLink(t, v, "by-date/2026/02/28", "235959-"+b[:10], b)
	wantLink(t, v, "by-date", "latest", max(c, d))
	for _, path := range []string{"by-date/2025", "by-date/26", "by-date/2026/2", "by-date/2026/13", "by-date/2026/02/30", "by-date/2026/02/28/x"} {
		if list, err := v.List(path); !errors.Is(err, iofs.ErrNotExist) {
			t.Errorf("%s: %v, %v", path, list, err)
		}
	}
	wantAbsent(t, v, "by-date/2026/02/28", "235959-")
	wantAbsent(t, v, "by-date/2026/02/28", "")
	wantAbsent(t, v, "by-date/2026/02/28", "235959-"+a[:10])
	e := w.commit("", "", "e", date("2026-04-01 12:00:00"))
	wantLink(t, v, "by-date", "latest", e)
	wantLink(t, v, "by-date/2026/04/01", "120000-"+e[:10], e)
	w.remove(objectFile(e))
	wantAbsent(t, v, "by-date/2026/04/01", "120000-"+e[:10])
	wantLink(t, v, "by-date", "latest", max(c, d))
	wantList(t, v, "by-date/2026", "02", "03")
}

// TestSameName: commits of one second whose checksums begin alike have their
// whole checksums as names.
func TestSameName(t *testing.T) {
	at := time.Date(2026, 1, 1, 1, 2, 3, 0, time.UTC).Unix()
	sums := make([]object.Checksum, 3)
	for i := range sums {
		sums[i] = object.Checksum{1, 2, 3, 4, 5, byte(i)}
	}
	sums[2][0] = 9
	list := timed([]dated{{at, sums[0]}, {at, sums[1]}, {at, sums[2]}})
	for i, want := range []string{"010203-" + sums[0].String(), "010203-" + sums[1].String(), "010203-0902030405"} {
		if list[i].name != want || list[i].commit != sums[i] {
			t.Errorf("%v, want %s", list[i], want)
		}
	}
}

func TestByVersion(t *testing.T) {
	w := newWriter(t)
	var sums []string
	parent := ""
	for i, version := range []string{"1.0", "", "1.1", "1.1", "a/b\n", ".commit", "latest", "100%"} {
		parent = w.commit(parent, version, fmt.Sprint(i), date("2026-01-01 00:00:00").AddDate(0, 0, i))
		sums = append(sums, parent)
	}
	w.ref("heads/os/main", parent)
	w.ref("heads/old", sums[0])
	w.ref("remotes/origin/os/main", sums[2])
	v := w.view()
	wantList(t, v, "by-version", "os", "old", "origin:os")
	wantList(t, v, "by-version/os", "main")
	wantList(t, v, "by-version/os/main",
		"latest", "1.0", "1.1", "1.1~"+sums[2][:10], "a%2Fb%0A", "%2Ecommit", "latest~"+sums[6][:10], "100%25", ".commit")
	wantLink(t, v, "by-version/os/main", "latest", sums[7])
	wantLink(t, v, "by-version/os/main", "1.1", sums[3])
	wantLink(t, v, "by-version/os/main", "1.1~"+sums[2][:10], sums[2])
	wantLink(t, v, "by-version/origin:os/main", "1.1", sums[2])
	wantLink(t, v, "by-version/origin:os/main/.commit", "latest", ".commit/"+sums[2])
	wantAbsent(t, v, "by-version", "main")
	wantAbsent(t, v, "by-version", "origin:")
	wantAbsent(t, v, "by-version", ":os")
	wantAbsent(t, v, "by-version", "..:heads")
	wantAbsent(t, v, "by-version/os/main", "2.0")
	next := w.commit(parent, "2.0", "next", date("2027-01-01 00:00:00"))
	w.ref("heads/os/main", next)
	wantLink(t, v, "by-version/os/main", "2.0", next)
	wantLink(t, v, "by-version/os/main", "latest", next)
	w.remove(objectFile(sums[0])) // as a prune to a depth does
	wantAbsent(t, v, "by-version/os/main", "1.0")
	w.remove("refs/heads/old")
	wantList(t, v, "by-version", "os", "origin:os")
}

// TestDeepened: history that is fetched later shows up though the ref stays.
func TestDeepened(t *testing.T) {
	w := newWriter(t)
	one := w.commit("", "1", "one", date("2026-01-01 00:00:00"))
	two := w.commit(one, "2", "two", date("2026-01-02 00:00:00"))
	w.ref("heads/main", two)
	file := filepath.Join(w.path, objectFile(one))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.remove(objectFile(one))
	v := w.view()
	wantList(t, v, "by-version/main", "2", "latest", ".commit")
	w.write(objectFile(one), string(data))
	wantList(t, v, "by-version/main", "1", "2", "latest", ".commit")
}

func TestFacts(t *testing.T) {
	w := newWriter(t)
	one := w.commit("", "1.0", "The first", date("2026-01-02 03:04:05"))
	two := w.commit(one, "", "", date("2026-01-02 03:04:06"))
	v := w.view()
	facts := "commits/.commit/"
	wantList(t, v, "commits", one, two, ".commit")
	wantList(t, v, "commits/.commit", one, two)
	wantList(t, v, facts+one, "commit.json", "date", "message", "metadata.json", "signatures.json", "tree", "version")
	wantList(t, v, facts+two, "commit.json", "date", "message", "metadata.json", "signatures.json", "tree", "parent")
	for name, want := range map[string]string{
		"message": "The first\n", "date": "2026-01-02T03:04:05Z\n", "version": "1.0\n", "tree": "../../" + one,
		"metadata.json": "{\n  \"version\": \"1.0\"\n}\n",
	} {
		if n, err := v.Find(facts+one, name); err != nil || n.Value != want {
			t.Errorf("%s: %v, %v, want %q", name, n, err, want)
		}
	}
	if n, err := v.Find(facts+two, "parent"); err != nil || n.Value != "../"+one || n.Kind != fs.NameLink {
		t.Errorf("parent: %v, %v", n, err)
	}
	if n, err := v.Find(facts+two, "signatures.json"); err != nil || !strings.Contains(n.Value, `"trusted": false`) || !strings.Contains(n.Value, "it has no signature") {
		t.Errorf("signatures: %v, %v", n, err)
	}
	w.remove(objectFile(one))
	wantAbsent(t, v, facts+two, "parent")
	wantAbsent(t, v, "commits", one)
	wantAbsent(t, v, facts+one, "message")
	wantList(t, v, "commits", two, ".commit")
	w.write(objectFile(two), "garbage")
	if n, err := v.Find(facts+two, "message"); err == nil || errors.Is(err, iofs.ErrNotExist) {
		t.Errorf("message of a damaged commit: %v, %v", n, err)
	}
}

// FuzzFileName: a version is a name in a directory, and two are two.
func FuzzFileName(f *testing.F) {
	f.Add("1.0", "a/b")
	f.Add("..", "%2E.")
	f.Fuzz(func(t *testing.T, one, two string) {
		name := fileName(one)
		if name == "." || name == ".." || strings.ContainsAny(name, "/\x00\n") || (name == "") != (one == "") {
			t.Errorf("%q is called %q", one, name)
		}
		if one != two && name == fileName(two) {
			t.Errorf("%q and %q are both called %q", one, two, name)
		}
	})
}
