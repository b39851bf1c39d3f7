package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// remoteRecord is what `mounts --json` tells of a server.
type remoteRecord struct {
	Mountpoint string
	Pid        int
	Remote     struct {
		URL, Keep, Stale       string
		Fetched, Objects, Hits int64
		Answers                bool
	}
}

func remoteRecords(t testing.TB) (list []remoteRecord) {
	t.Helper()
	o := deployfs(t, "mounts", "--json")
	if err := json.Unmarshal([]byte(o.out), &list); err != nil {
		t.Fatal(err, o.out, o.err)
	}
	return list
}

// checkoutOf checks a commit out into a new directory.
func checkoutOf(t testing.TB, repo, rev string) string {
	t.Helper()
	dir := scratch(t) + "/checkout"
	ostree(t, repo, "checkout", rev, dir)
	return dir
}

// manyFiles commits a tree of which most is large, and returns the repository. What it has differs each time.
func manyFiles(t testing.TB) string {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	p := &plot{root: scratch(t)}
	p.dir("small")
	p.dir("large")
	for i := range 100 {
		p.file(fmt.Sprintf("small/%02d", i), noise(seed+uint64(i), 100))
	}
	for i := range 10 {
		p.file(fmt.Sprintf("large/%02d", i), noise(seed+uint64(i), 300000))
	}
	p.dir("deep/er/and/deeper")
	p.text("deep/er/and/deeper/file", fmt.Sprint("words ", seed))
	p.link("link", "small/00")
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := newRepo(t, "archive")
	commit(t, repo, "os/main", p.root)
	return repo
}

var sharedFiles struct {
	sync.Mutex
	repo string
}

// sharedMany is one repository of manyFiles for several tests; nobody may change it.
func sharedMany(t testing.TB) string {
	t.Helper()
	sharedFiles.Lock()
	defer sharedFiles.Unlock()
	if sharedFiles.repo == "" {
		repo := filepath.Join(work, "many-files")
		must(t, "cp", "-a", manyFiles(t), repo)
		sharedFiles.repo = repo
	}
	return sharedFiles.repo
}

// TestLazyEqualsCheckout: what is shown of a server's commit is its checkout, with and without a summary.
// What was fetched goes into a repository, too: a pull has nothing more to do then.
func TestLazyEqualsCheckout(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "traps"))
	want := checkedOut(t, repo, "traps")
	web := serveRepo(t, repo)
	cache, keep := scratch(t), newRepo(t, "bare")
	ostree(t, keep, "remote", "add", "--no-gpg-verify", "far", web.url)
	dir := mounted(t, "--cache-dir="+cache, "--keep="+keep, "--remote="+web.url+"#traps")
	got := snapshot(t, dir)
	same(t, want, got)
	plausible(t, got, 0)
	if m := mountsAt(t, dir)[0]; m.source != web.url+"#"+ostree(t, repo, "rev-parse", "traps") {
		t.Errorf("mounted is %q", m.source)
	}
	umounted(t, dir)

	if mark := must(t, "ls", keep+"/state"); !strings.HasSuffix(mark, ".commitpartial") {
		t.Errorf("marks of partial commits: %q", mark)
	}
	web.served()
	ostree(t, keep, "pull", "far", "traps")
	if _, requests := web.served(); matching(requests, ".filez")+matching(requests, ".dirtree") > 0 {
		t.Errorf("what was kept is pulled again: %v", requests)
	}
	ostree(t, keep, "fsck")
	same(t, want, checkedOut(t, keep, "far:traps"))

	ostree(t, repo, "summary", "-u")
	dir = mounted(t, "--cache-dir="+cache, "--remote="+web.url)
	same(t, want, snapshot(t, dir))
	if bytes, requests := web.served(); matching(requests, ".filez") > 0 {
		t.Errorf("%d bytes were fetched again: %v", bytes, requests)
	}
}

// TestLazyFetchesLittle: a look at a directory costs it and not the tree. Two mounts share what was fetched; a server
// process that is killed is replaced by one that goes on.
func TestLazyFetchesLittle(t *testing.T) {
	repo := sharedMany(t)
	web, cache := serveRepo(t, repo), scratch(t)
	dir := mounted(t, "--cache-dir="+cache, "--remote="+web.url+"#os/main")
	fetched, requests := web.served()
	if fetched > 10000 || len(requests) > 8 {
		t.Errorf("mounting takes %d bytes of %v", fetched, requests)
	}
	if _, err := os.Lstat(dir + "/small/57"); err != nil {
		t.Error(err)
	}
	if _, requests = web.served(); matching(requests, ".filez") != 1 {
		t.Errorf("a look at one file fetches %v", requests)
	}
	must(t, "ls", "-l", dir+"/small")
	if fetched, requests = web.served(); matching(requests, ".filez") != 99 {
		t.Errorf("ls -l fetches %d files", matching(requests, ".filez"))
	}
	if all := fileSizes(t, repo); fetched > all/20 {
		t.Errorf("ls -l of a directory fetches %d bytes, all are %d", fetched, all)
	}
	must(t, "ls", "-l", dir+"/large")
	if fetched, _ = web.served(); fetched > 10*5000 {
		t.Errorf("ls -l of 10 large files fetches %d bytes", fetched)
	}

	syscall.Kill(onlyServer(t), syscall.SIGKILL)
	if out := must(t, "sh", "-c", `cat "$1"/large/* "$1"/small/* | sha256sum`, "-", dir); out != must(t, "sh", "-c", `cat "$1"/large/* "$1"/small/* | sha256sum`, "-", checkoutOf(t, repo, "os/main")) {
		t.Error("the next server shows other content")
	}
	if _, requests = web.served(); matching(requests, ".filez") != 10 {
		t.Errorf("reading large and small files fetches %d", matching(requests, ".filez"))
	}
	second := mounted(t, "--cache-dir="+cache, "--remote="+web.url+"#os/main")
	must(t, "sh", "-c", `cat "$1"/large/* "$1"/small/*`, "-", second)
	if _, requests = web.served(); matching(requests, ".filez")+matching(requests, ".dirtree") != 0 {
		t.Errorf("a second mount fetches %v", requests)
	}
	for _, r := range remoteRecords(t) {
		if r.Remote.URL != web.url || r.Remote.Hits == 0 || !r.Remote.Answers || (r.Remote.Objects > 0) != (r.Mountpoint == dir) {
			t.Errorf("mounts: %+v", r)
		}
	}
	if o := deployfs(t, "mounts"); !strings.Contains(o.out, "FETCHED") || strings.Count(o.out, web.url) != 4 {
		t.Errorf("mounts: %s", o.out)
	}
}

// TestLazyOutage: while the server is away, what is here can be read and the rest is an error that comes soon, and of
// which the log has one line. When it is back, so is everything.
func TestLazyOutage(t *testing.T) {
	repo := sharedMany(t)
	web, cache := serveRepo(t, repo), scratch(t)
	f := mountedForeground(t, "--cache-dir="+cache, "--timeout=1", "--remote="+web.url+"#os/main")
	must(t, "cat", f.dir+"/small/00")
	must(t, "ls", "-l", f.dir+"/large")
	web.stop()
	forgetPages(t, f.dir+"/small/00")
	within(t, 5*time.Second, "an outage", func() {
		for i := range 10 {
			_, err := os.ReadFile(fmt.Sprintf("%s/large/%02d", f.dir, i))
			wantErrno(t, "a file that is not here", err, unix.EIO)
		}
	})
	within(t, time.Second, "what is here", func() {
		must(t, "cat", f.dir+"/small/00")
		must(t, "ls", "-l", f.dir+"/large")
		must(t, "stat", "-f", f.dir)
	})
	if lines := f.logged("level=error", "does not answer"); len(lines) != 1 {
		t.Errorf("%d lines of the log: %q", len(lines), lines)
	}
	web.start(t)
	back := func() bool { _, err := os.ReadFile(f.dir + "/large/00"); return err == nil }
	if !eventually(5*time.Second, back) {
		t.Error("the server is back, but the file can't be read")
	}
	if lines := f.logged("level=info", "answers again"); len(lines) != 1 {
		t.Errorf("lines of the log: %q", lines)
	}
	must(t, "sh", "-c", `cat "$1"/large/*`, "-", f.dir)
	if strings.Contains(f.lines(), "large/") {
		t.Errorf("the log tells of files:\n%s", f.lines())
	}
}

// forgetPages makes the kernel forget what it has read of a file.
func forgetPages(t testing.TB, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		err = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestLazyOffline: without the server, a ref is what it was the last time, and what is here can be mounted.
func TestLazyOffline(t *testing.T) {
	repo := sharedMany(t)
	web, cache := serveRepo(t, repo), scratch(t)
	options := []string{"--cache-dir=" + cache, "--remote=" + web.url + "#os/main"}
	umounted(t, mounted(t, options...))
	web.stop()
	options = append(options, "--timeout=0.3")
	dir := scratch(t)
	o := deployfs(t, append(append([]string{"mount"}, options...), dir)...)
	if o.code != 0 || !strings.HasPrefix(o.err, "note: ") || !strings.Contains(o.err, ostree(t, repo, "rev-parse", "os/main")) {
		t.Fatalf("exit %d: %s", o.code, o.err)
	}
	guard(t, dir, servers())
	if r := remoteRecords(t); len(r) != 1 || r[0].Remote.Stale == "" || r[0].Remote.Answers {
		t.Errorf("mounts: %+v", r)
	}
	if names := must(t, "ls", dir); !strings.Contains(names, "small") {
		t.Errorf("the root has %q", names)
	}
	umounted(t, dir)
	for _, what := range []string{"#os/other", "#" + strings.Repeat("0", 64)} {
		oneError(t, deployfs(t, "mount", "--cache-dir="+cache, "--timeout=0.3", "--remote="+web.url+what, dir), dir, web.url+" does not answer")
	}
}

// TestLazyDamage: nothing is shown, or kept, that is not what its name says; a header that was a lie
// is remembered as one.
func TestLazyDamage(t *testing.T) {
	repo := sharedMany(t)
	web, cache := serveRepo(t, repo), scratch(t)
	good, err := os.ReadFile(repo + "/" + servedContent(t, repo, "os/main", "/large/00"))
	if err != nil {
		t.Fatal(err)
	}
	setuid := bytes.Clone(good)
	setuid[8+8+4+4+2] |= 0o4000 >> 8 // the mode, big endian, behind the prefix, size, uid and gid
	liar, broken := servedContent(t, repo, "os/main", "/large/01"), servedContent(t, repo, "os/main", "/large/00")
	whole, err := os.ReadFile(repo + "/" + liar)
	if err != nil {
		t.Fatal(err)
	}
	lie := append(bytes.Clone(setuid[:28]), whole[28:]...)
	web.forge(liar, func(all bool) []byte {
		if all {
			return whole
		}
		return lie
	})
	web.forge(broken, func(bool) []byte { return append(bytes.Clone(good[:len(good)-1000]), make([]byte, 1000)...) })
	dir := mounted(t, "--cache-dir="+cache, "--remote="+web.url+"#os/main")
	for _, name := range []string{"/large/00", "/large/01", "/large/01"} {
		if _, err := os.Lstat(dir + name); err != nil {
			t.Error(err)
		}
		_, err := os.ReadFile(dir + name)
		wantErrno(t, name, err, unix.EIO)
	}
	for _, path := range []string{liar, broken} {
		if _, err := os.Lstat(filepath.Join(cache, "remote", path)); err == nil {
			t.Errorf("%s is kept", path)
		}
	}
	web.forge(broken, nil)
	web.forge(liar, nil)
	if _, err := os.ReadFile(dir + "/large/00"); err != nil {
		t.Errorf("the server is good now: %v", err)
	}
	syscall.Kill(onlyServer(t), syscall.SIGKILL)
	_, err = os.ReadFile(dir + "/large/01")
	wantErrno(t, "a file whose mode was a lie, to the next server", err, unix.EIO)
	if st, err := os.Lstat(dir + "/large/01"); err != nil || st.Mode()&os.ModeSetuid == 0 {
		t.Errorf("the mode that was told: %v %v", st, err)
	}
	umounted(t, dir)
	mountOn(t, dir, "--cache-dir="+cache, "--remote="+web.url+"#os/main")
	if _, err := os.ReadFile(dir + "/large/01"); err != nil {
		t.Errorf("the next mount: %v", err)
	}
	if st, err := os.Lstat(dir + "/large/01"); err != nil || st.Mode()&os.ModeSetuid != 0 {
		t.Errorf("the next mount shows the mode %v %v", st, err)
	}
}

// TestLazySigned: of a configured remote all is demanded that a pull demands, also when it does not answer.
func TestLazySigned(t *testing.T) {
	server := newRepo(t, "archive")
	commit(t, server, "main", forest(t, "plain"))
	web, cache, repo := serveRepo(t, server), scratch(t), newRepo(t, "bare")
	configure := func(seed byte) {
		for key, value := range map[string]string{"url": web.url, "gpg-verify": "false", "sign-verify": "ed25519", "verification-ed25519-key": publicKey(seed)} {
			ostree(t, repo, "config", "set", "--group", `remote "far"`, key, value)
		}
	}
	configure(1)
	dir := scratch(t)
	args := []string{"mount", "--repo=" + repo, "--cache-dir=" + cache, "--remote=far:main", dir}
	oneError(t, deployfs(t, args...), dir)
	oneError(t, deployfs(t, "mount", "--cache-dir="+cache, "--repo="+repo, "--remote="+web.url+"#main", "--sign-remote=far", dir), dir, "has no signature")
	must(t, binary(t, "deployfs"), "--repo="+server, "sign", "main", secretKey(2))
	oneError(t, deployfs(t, args...), dir)
	must(t, binary(t, "deployfs"), "--repo="+server, "sign", "main", secretKey(1))
	mountOn(t, dir, args[1:len(args)-1]...)
	same(t, checkedOut(t, server, "main"), snapshot(t, dir))
	umounted(t, dir)
	mountOn(t, dir, "--cache-dir="+cache, "--repo="+repo, "--remote="+web.url+"#main", "--sign-remote=far")
	umounted(t, dir)
	web.stop()
	args = append(args, "--timeout=0.3")
	configure(3)
	oneError(t, deployfs(t, args...), dir)
	configure(2)
	if o := deployfs(t, args...); o.code != 0 || !strings.Contains(o.err, "note: ") {
		t.Errorf("exit %d: %s", o.code, o.err)
	} else {
		guard(t, dir, servers())
	}
}

// TestLazyCollection: what is bound to another collection than a remote has is neither shown nor kept.
func TestLazyCollection(t *testing.T) {
	server := newRepo(t, "archive")
	ostree(t, server, "config", "set", "core.collection-id", "org.A")
	commit(t, server, "main", forest(t, "plain"))
	web, cache, repo := serveRepo(t, server), scratch(t), newRepo(t, "archive")
	configure := func(collection string) {
		for key, value := range map[string]string{"url": web.url, "gpg-verify": "false", "collection-id": collection} {
			ostree(t, repo, "config", "set", "--group", `remote "far"`, key, value)
		}
	}
	dir := scratch(t)
	far := []string{"mount", "--repo=" + repo, "--cache-dir=" + cache, "--remote=far:main", dir}
	kept := []string{"mount", "--keep=" + repo, "--cache-dir=" + cache, "--remote=" + web.url + "#main", dir}
	configure("org.B")
	for _, args := range [][]string{far, kept} {
		oneError(t, deployfs(t, args...), dir, "Commit has collection ID ‘org.A’ in collection binding metadata, while the remote it came from has collection ID ‘org.B’")
	}
	configure("org.A")
	for _, args := range [][]string{far, kept} {
		mountOn(t, dir, args[1:len(args)-1]...)
		umounted(t, dir)
	}
}

// TestLazyKeepsNothing: a mount that fails leaves nothing in the repository that it was to keep in.
func TestLazyKeepsNothing(t *testing.T) {
	needFuse(t)
	server, keep := clone(t, sharedRepo(t, "archive", "traps")), newRepo(t, "bare")
	web, cache := serveRepo(t, server), scratch(t)
	dir := mounted(t, "--cache-dir="+cache, "--remote="+web.url+"#traps")
	if o := deployfs(t, "mount", "--cache-dir="+cache, "--keep="+keep, "--remote="+web.url+"#traps", dir); o.code != 1 {
		t.Errorf("exit %d: %s", o.code, o.err)
	}
	empty := scratch(t)
	if o := deployfs(t, "mount", "--cache-dir="+cache, "--keep="+empty, "--remote="+web.url+"#traps", scratch(t)); o.code != 1 || !strings.HasSuffix(o.err, "\nhint: `deployfs init --repo="+empty+"` makes one\n") {
		t.Errorf("kept in no repository: exit %d: %s", o.code, o.err)
	}
	if o := deployfs(t, "verify", dir); o.code != 1 || !strings.Contains(o.err, "is on a server, "+web.url) || !strings.Contains(o.err, "\nhint: ") {
		t.Errorf("verify: exit %d: %s", o.code, o.err)
	}
	if !eventually(5*time.Second, func() bool { return len(running("keep-fetched")) == 0 }) {
		t.Error("the process that keeps goes on")
	}
	if marks, _ := filepath.Glob(keep + "/state/*"); len(marks) > 0 {
		t.Errorf("left: %q", marks)
	}
}

// TestFarVerbs: verbs that read take a commit on a server, and fetch no more than they need.
func TestFarVerbs(t *testing.T) {
	repo := manyFiles(t)
	p := &plot{root: checkoutOf(t, repo, "os/main")}
	p.text("deep/er/and/deeper/file", fmt.Sprint(time.Now()))
	if p.err != nil {
		t.Fatal(p.err)
	}
	commit(t, repo, "os/main", p.root)
	web := serveRepo(t, repo)
	far := web.url + "#os/main"
	if o := deployfs(t, "diff", far); o.out != "M    /deep/er/and/deeper/file\n" {
		t.Errorf("%q %s", o.out, o.err)
	}
	if _, requests := web.served(); matching(requests, ".filez") != 0 || matching(requests, ".dirtree") != 10 {
		t.Errorf("%d files, %d directories are fetched for a diff", matching(requests, ".filez"), matching(requests, ".dirtree"))
	}
	for _, args := range [][]string{
		{"ls", "-RX", "REV"}, {"ls", "-C", "REV", "/small"}, {"cat", "REV", "/small/07", "/link"}, {"cat", "REV:/deep/er/and/deeper/file"},
		{"log", "REV"}, {"log", "--oneline", "REV"}, {"log", "REV", "--", "/small"}, {"show", "REV"}, {"show", "REV:/small"},
		{"diff", "REV"}, {"diff", "-p", "REV^", "REV"}, {"diff", "--stat", "REV"}, {"diff", "REV", p.root},
	} {
		local, remote := []string{args[0], "--repo=" + repo}, []string{args[0]}
		for _, arg := range args[1:] {
			local, remote = append(local, strings.Replace(arg, "REV", "os/main", 1)), append(remote, strings.Replace(arg, "REV", far, 1))
		}
		want, got := deployfs(t, local...), deployfs(t, remote...)
		if want.out != got.out || got.code != want.code || got.err != want.err {
			t.Errorf("%v: exit %d\n%.500s%s, want exit %d\n%.500s%s", remote, got.code, got.out, got.err, want.code, want.out, want.err)
		}
	}
	if o := deployfs(t, "diff", "--repo="+repo, "os/main^", far); o.out != "M    /deep/er/and/deeper/file\n" {
		t.Errorf("of one here and one on the server: %q %s", o.out, o.err)
	}
	if o := deployfs(t, "ls", "file://"+repo+"#os/main", "/link"); !strings.HasSuffix(o.out, "/link -> small/00\n") {
		t.Errorf("a file URL: %q %s", o.out, o.err)
	}
	oneError(t, deployfs(t, "ls", web.url+"#none"), "", "none")
}
