package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func writeText(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantLeads fails unless a link leads to the tree of a commit.
func wantLeads(t testing.TB, path, sum string) {
	t.Helper()
	target, err := os.Readlink(path)
	if err != nil || filepath.Base(target) != sum {
		t.Errorf("%s leads to %s, %v, want %s", path, target, err, sum)
	}
	var by, own unix.Stat_t
	if err := errors.Join(unix.Stat(path, &by), unix.Stat(filepath.Join(filepath.Dir(path), target), &own)); err != nil || by.Ino != own.Ino {
		t.Errorf("%s: inodes %d and %d, %v", path, by.Ino, own.Ino, err)
	}
}

// TestHistoryMount: each commit's tree is what a checkout is, wherever the way leads through.
func TestHistoryMount(t *testing.T) {
	for mode, options := range map[string][]string{
		"archive": nil, "bare": {"--data=passthrough"}, "bare-user": {"--verify=always"},
	} {
		t.Run(mode, func(t *testing.T) {
			repo := clone(t, sharedRepo(t, mode, "plain"))
			tree := scratch(t)
			writeText(t, tree+"/file", "second\n")
			first := ostree(t, repo, "rev-parse", "plain")
			second := commit(t, repo, "plain", tree, "--add-metadata-string=version=2.0", "--parent="+first)
			ostree(t, repo, "refs", "--create=a/b/c", first)
			dir := mounted(t, append([]string{"--repo=" + repo, "--history"}, options...)...)
			same(t, checkedOut(t, repo, first), snapshot(t, dir+"/commits/"+first))
			same(t, checkedOut(t, repo, second), snapshot(t, resolved(t, dir+"/refs/plain")))
			wantLeads(t, dir+"/refs/a/b/c", first)
			wantLeads(t, dir+"/by-version/plain/2.0", second)
			wantLeads(t, dir+"/by-version/plain/latest", second)
			wantLeads(t, dir+"/by-date/2023/11/14/221320-"+first[:10], first)
			facts := dir + "/refs/.commit/plain"
			if text := readText(t, facts+"/message"); text != "subject of plain\n" {
				t.Errorf("message: %q", text)
			}
			if text := readText(t, facts+"/parent/tree/../.commit/"+second+"/date"); text != "2023-11-14T22:13:20Z\n" {
				t.Errorf("date: %q", text)
			}
			shown := deployfs(t, "show", "--repo="+repo, "--json", second).out
			if text := readText(t, facts+"/commit.json"); !sameJSON(text, shown) {
				t.Errorf("commit.json: %s\nshow --json: %s", text, shown)
			}
			wantErrno(t, "mkdir", os.Mkdir(dir+"/refs/new", 0o755), unix.EROFS)
			umounted(t, dir)
		})
	}
}

// resolved is where a path leads.
func resolved(t testing.TB, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	one, _ := json.Marshal(x)
	two, _ := json.Marshal(y)
	return bytes.Equal(one, two)
}

// TestHistoryInodes: no two files of a whole history share an inode number, and each keeps its own.
func TestHistoryInodes(t *testing.T) {
	repo := newRepo(t, "archive")
	tree := scratch(t)
	for i := range 20 {
		writeText(t, tree+"/same", "same\n")
		writeText(t, tree+"/other", fmt.Sprint(i))
		commit(t, repo, "main", tree, fmt.Sprintf("--timestamp=@%d", 1700000000+i/2))
	}
	dir := mounted(t, "--repo="+repo, "--history")
	inodes := map[uint64]string{}
	for range 2 {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			var st unix.Stat_t
			if err = errors.Join(err, unix.Lstat(path, &st)); err != nil {
				return err
			}
			if other, ok := inodes[st.Ino]; ok && other != path {
				t.Errorf("%s has the inode of %s", path, other)
			}
			inodes[st.Ino] = path
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		dropCaches(t)
	}
	if len(inodes) < 20*3+20*8 {
		t.Errorf("only %d entries", len(inodes))
	}
	umounted(t, dir)
}

// TestHistoryFresh: what happens in the repository shows at the next look, also through a directory
// that is held open.
func TestHistoryFresh(t *testing.T) {
	repo := newRepo(t, "archive")
	tree := scratch(t)
	dir := mounted(t, "--repo="+repo, "--history")
	refs, err := os.Open(dir + "/refs")
	if err != nil {
		t.Fatal(err)
	}
	defer refs.Close()
	listed := func() string {
		if _, err := refs.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		names, err := refs.Readdirnames(-1)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	if names := listed(); names != "" {
		t.Errorf("an empty repository has refs %s", names)
	}
	var sums []string
	for i := range 5 {
		writeText(t, tree+"/file", fmt.Sprint(i))
		sum := commit(t, repo, "main", tree, fmt.Sprintf("--timestamp=@%d", 1700000000+i), fmt.Sprintf("--add-metadata-string=version=%d", i))
		sums = append(sums, sum)
		for _, link := range []string{"refs/main", "by-date/latest", "by-version/main/latest", fmt.Sprint("by-version/main/", i)} {
			wantLeads(t, dir+"/"+link, sum)
			if text := readText(t, dir+"/"+link+"/file"); text != fmt.Sprint(i) {
				t.Errorf("%s: file is %q after commit %d", link, text, i)
			}
		}
		if names := listed(); names != ".commit main" {
			t.Errorf("after commit %d: refs %s", i, names)
		}
	}
	held, err := os.Open(dir + "/commits/" + sums[0] + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ostree(t, repo, "refs", "--create=kept", sums[2])
	ostree(t, repo, "refs", "--delete", "main")
	ostree(t, repo, "prune", "--refs-only", "--depth=0")
	for _, gone := range []string{"refs/main", "commits/" + sums[0], "commits/.commit/" + sums[0] + "/message", "by-date/2023/11/14/221324-" + sums[4][:10]} {
		_, err := os.Lstat(dir + "/" + gone)
		wantErrno(t, gone, err, unix.ENOENT)
	}
	wantLeads(t, dir+"/by-date/latest", sums[2])
	if names := listed(); names != ".commit kept" {
		t.Errorf("after prune: refs %s", names)
	}
	data := make([]byte, 10)
	if n, err := held.ReadAt(data, 0); err == nil && string(data[:n]) != "0" {
		t.Errorf("a file of a commit that has gone: %q", data[:n])
	}
	// Directories of names may be taken to be there for a moment.
	if !eventually(2*time.Second, func() bool { _, err := os.Lstat(dir + "/by-version/main"); return errors.Is(err, unix.ENOENT) }) {
		t.Error("by-version/main stays")
	}
	held.Close()
	refs.Close()
	umounted(t, dir)
}

// TestHistoryWalked: while the real ostree commits, moves refs, deletes and prunes, walkers see no
// error but that something has gone, and read what belongs to the commit.
func TestHistoryWalked(t *testing.T) {
	repo := newRepo(t, "archive")
	tree := scratch(t)
	stable := commit(t, repo, "stable", tree)
	dir := mounted(t, "--repo="+repo, "--history")
	var ended atomic.Bool
	var walkers sync.WaitGroup
	var walks atomic.Int64
	for range 3 {
		walkers.Go(func() {
			for !ended.Load() {
				walkHistory(t, dir, stable)
				walks.Add(1)
			}
		})
	}
	for i := range 25 {
		writeText(t, tree+"/file", fmt.Sprint("content ", i))
		ref := fmt.Sprint("os/", i%3)
		commit(t, repo, ref, tree, fmt.Sprintf("--timestamp=@%d", 1700000000+i), fmt.Sprintf("--subject=content %d", i), "--add-metadata-string=version="+fmt.Sprint(i))
		if i%5 == 4 {
			ostree(t, repo, "refs", "--delete", ref)
			ostree(t, repo, "prune", "--refs-only", "--depth=1")
		}
	}
	ended.Store(true)
	walkers.Wait()
	if walks.Load() < 3 {
		t.Errorf("%d walks", walks.Load())
	}
	umounted(t, dir)
}

// walkHistory walks a whole history once, where the tree of each commit has the file that its message
// tells.
func walkHistory(t *testing.T, dir, stable string) {
	seen := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESTALE):
			return nil // it has gone
		case errors.Is(err, unix.EIO) && strings.Contains(path, "/commits/"):
			return fs.SkipDir // so has the commit, while its tree was walked
		case err != nil:
			return err
		case d.Name() == stable:
			seen = true
		case d.Name() != "message":
			return nil
		}
		return checkMessage(path)
	})
	if err != nil {
		t.Error(err)
	}
	if !seen {
		t.Error("a commit that stays was not seen")
	}
}

// checkMessage compares a commit's message and the file in its tree.
func checkMessage(path string) error {
	if filepath.Base(path) != "message" {
		return nil
	}
	message, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(message), "content ") {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(path), "tree", "file"))
	if err == nil && string(content)+"\n" != string(message) {
		return fmt.Errorf("%s: %q in the tree of %q", path, content, message)
	}
	return nil
}

// TestHistoryKilled: the next server goes on in the middle of a list, of a file and of a tree.
func TestHistoryKilled(t *testing.T) {
	h := historyRepo(t)
	dir := mounted(t, "--repo="+h.repo, "--history")
	tree, err := os.Open(dir + "/commits/" + h.sums[700] + "/var/counter")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	message, err := os.Open(dir + "/commits/.commit/" + h.sums[700] + "/message")
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	list, err := os.Open(dir + "/commits")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	seen := map[string]int{}
	for deaths := 0; ; {
		names, err := list.Readdirnames(700)
		for _, name := range names {
			seen[name]++
		}
		if len(names) == 0 {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if deaths++; deaths <= 3 {
			syscall.Kill(onlyServer(t), syscall.SIGKILL)
		}
	}
	for _, sum := range h.sums[1:] {
		if seen[sum] != 1 {
			t.Fatalf("commit %s is listed %d times", sum, seen[sum])
		}
	}
	dropCaches(t)
	want := map[*os.File]string{tree: fmt.Sprintf("var/counter %d\n", historyLast("var/counter", 700)), message: "change 700\n\nrelease 700\n"}
	for file, text := range want {
		data := make([]byte, 100)
		if n, _ := file.ReadAt(data, 0); string(data[:n]) != text {
			t.Errorf("%s: %q, want %q", file.Name(), data[:n], text)
		}
	}
	if o := deployfs(t, "upgrade", dir); o.code != 0 {
		t.Errorf("upgrade: %s", o.err)
	}
	wantLeads(t, dir+"/by-version/main/1.700", h.sums[700])
	for _, file := range []*os.File{tree, message, list} {
		file.Close()
	}
	umounted(t, dir)
}

// TestHistoryLong: a long history is a list of its commits, which none of them is opened for; what is
// not looked at takes no memory.
func TestHistoryLong(t *testing.T) {
	h := historyRepo(t)
	dir := mounted(t, "--repo="+h.repo, "--history")
	before := mountRecords(t)[0]
	names, err := os.ReadDir(dir + "/commits")
	if err != nil || len(names) != historyLength+1 {
		t.Fatalf("%d commits, %v", len(names), err)
	}
	after := mountRecords(t)[0]
	if n := after.Requests - before.Requests; n > 200 {
		t.Errorf("a list of %d commits took %d requests", historyLength, n)
	}
	if n := after.Nodes - before.Nodes; n > 2 {
		t.Errorf("a list makes %d nodes", n)
	}
	versions, err := os.ReadDir(dir + "/by-version/main")
	if err != nil || len(versions) != historyLength+2 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
	years, err := os.ReadDir(dir + "/by-date")
	if err != nil || len(years) != 3 {
		t.Errorf("%v, %v", years, err)
	}
	wantLeads(t, dir+"/by-date/latest", h.sums[historyLength])
	for _, i := range []int{1, 1000, historyLength} {
		at := time.Unix(int64(historyStart+i*historyStep), 0).UTC()
		wantLeads(t, dir+"/by-date/"+at.Format("2006/01/02/150405-")+h.sums[i][:10], h.sums[i])
		wantLeads(t, dir+fmt.Sprint("/by-version/main/1.", i), h.sums[i])
	}
	umounted(t, dir)
}

// TestHistorySigned: the state of signatures is what this machine's keys make it, also where these are
// elsewhere, and when they have changed.
func TestHistorySigned(t *testing.T) {
	repo, sum := signedRepo(t, "")
	signCommit(t, repo, sum, 1)
	keys := scratch(t)
	writeText(t, keys+"/system", publicKey(7)+"\n")
	writeText(t, keys+"/remote", publicKey(1)+"\n")
	systemKeys(t, map[string]string{})
	if err := os.Symlink(keys+"/system", "/etc/ostree/trusted.ed25519"); err != nil {
		t.Fatal(err)
	}
	configure(t, repo, "[remote \"later\"]\nurl=http://127.0.0.1:1/\nverification-ed25519-file="+keys+"/remote\n")
	dir := mounted(t, "--repo="+repo, "--history")
	state := func() (s struct {
		Trusted *bool
		Remote  string
		Reasons []string
		Schemes []string
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(readText(t, dir+"/commits/.commit/"+sum+"/signatures.json")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(); s.Trusted == nil || !*s.Trusted || s.Remote != "later" || !slices.Equal(s.Schemes, []string{"ed25519"}) {
		t.Errorf("with a remote's key: %+v", s)
	}
	writeText(t, keys+"/remote", publicKey(9)+"\n")
	if s := state(); s.Trusted == nil || *s.Trusted || len(s.Reasons) != 2 {
		t.Errorf("with another key: %+v", s)
	}
	writeText(t, keys+"/system", publicKey(1)+"\n")
	if s := state(); s.Trusted == nil || !*s.Trusted || s.Remote != "" {
		t.Errorf("with the system's key: %+v", s)
	}
	writeText(t, keys+"/system", "no key\n")
	if s := state(); s.Trusted != nil || len(s.Reasons) == 0 {
		t.Errorf("with keys that are none: %+v", s)
	}
	umounted(t, dir)
}

// TestHistoryPartial: a commit of which only the metadata is here is listed like others.
func TestHistoryPartial(t *testing.T) {
	from := sharedRepo(t, "archive", "plain")
	repo := newRepo(t, "archive")
	ostree(t, repo, "pull-local", "--commit-metadata-only", from, "plain")
	sum := ostree(t, repo, "rev-parse", "plain")
	dir := mounted(t, "--repo="+repo, "--history")
	info, err := os.Stat(dir + "/commits/" + sum)
	if err != nil || info.Mode() != fs.ModeDir|0o555 {
		t.Errorf("%v, %v", info, err)
	}
	if text := readText(t, dir+"/commits/.commit/"+sum+"/message"); text != "subject of plain\n" {
		t.Errorf("message: %q", text)
	}
	_, err = os.ReadDir(dir + "/commits/" + sum)
	wantErrno(t, "list of a tree that is not here", err, unix.EIO)
	umounted(t, dir)
}

// TestHistoryWords: what is said of such a mount, and what it refuses.
func TestHistoryWords(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for _, args := range [][]string{{"x", "y"}, {}, {"--subpath=/usr", "y"}, {"--overlay=z", "y"}, {"--require-signature", "y"}, {"--mtime=commit", "y"}} {
		if o := deployfs(t, append([]string{"mount", "--repo=" + repo, "--history"}, args...)...); o.code != 2 {
			t.Errorf("%q: exit %d, %s", args, o.code, o.err)
		}
	}
	dir := scratch(t)
	oneError(t, deployfs(t, "mount", "--repo="+dir, "--history", dir), dir, "opening repo")
	dir = mounted(t, "--repo="+repo, "--history")
	if o := deployfs(t, "mounts"); !strings.Contains(o.out, "(history)") {
		t.Errorf("mounts: %s", o.out)
	}
	if e := mountsAt(t, dir)[0]; e.source != repo+"#history" {
		t.Errorf("mount table: %s", e)
	}
	if o := deployfs(t, "verify", dir+"/refs/plain/usr"); o.code != 0 {
		t.Errorf("verify: exit %d %s", o.code, o.err)
	}
	if o := deployfs(t, "verify", dir); o.code != 1 || !strings.Contains(o.err, "\nhint: ") {
		t.Errorf("verify of all: exit %d %s", o.code, o.err)
	}
	umounted(t, dir)
	unit := deployfs(t, "mount", "--repo="+repo, "--history", "--print-unit", "/mnt").out
	if !strings.Contains(unit, "--history") || !strings.Contains(unit, " -- /mnt") {
		t.Errorf("unit: %s", unit)
	}
	installHelper(t)
	for _, source := range []string{repo, repo + "#history"} { // the second is what the mount table has
		guardNew(t, dir, func() { must(t, "mount", "-t", "fuse.deployfs", source, dir, "-o", "ro,history") })
		wantLeads(t, dir+"/refs/plain", ostree(t, repo, "rev-parse", "plain"))
		umounted(t, dir)
	}
}
