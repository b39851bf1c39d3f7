package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	flatpakCollection = "org.example.Apps"
	flatpakRuntime    = "org.example.Platform"
	flatpakApp        = "org.example.Hello"
)

// helloSource is the program of the application: it needs nothing of the runtime.
const helloSource = `package main

import "syscall"

func main() {
	fd, err := syscall.Open("/app/share/version", syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	text := make([]byte, 64)
	n, _ := syscall.Read(fd, text)
	syscall.Write(1, text[:n])
}
`

// flatpakWorld is a publisher of applications and a user of flatpak, with a home of his own.
type flatpakWorld struct {
	publisher
	t     *testing.T
	env   []string
	arch  string
	build string // directory in which flatpak builds the application
}

func newFlatpakWorld(t *testing.T) flatpakWorld {
	t.Helper()
	need(t, have("flatpak"), "flatpak is not installed (tests/setup.sh installs it)")
	w := flatpakWorld{publisher: newPublisher(t, "--collection-id="+flatpakCollection), t: t}
	home := scratch(t)
	w.build = home + "/build"
	w.env = []string{"HOME=" + home, "FLATPAK_USER_DIR=" + home + "/flatpak", "FLATPAK_SYSTEM_DIR=" + home + "/system", "XDG_RUNTIME_DIR=" + home,
		"XDG_DATA_HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent"}
	w.arch = w.flatpak("--default-arch")
	return w
}

func (w flatpakWorld) try(args ...string) outcome {
	w.t.Helper()
	return command{args: append([]string{"flatpak"}, args...), env: w.env}.run(w.t)
}

func (w flatpakWorld) flatpak(args ...string) string {
	w.t.Helper()
	return command{args: append([]string{"flatpak"}, args...), env: w.env}.must(w.t)
}

func (w flatpakWorld) appRef() string     { return "app/" + flatpakApp + "/" + w.arch + "/stable" }
func (w flatpakWorld) runtimeRef() string { return "runtime/" + flatpakRuntime + "/" + w.arch + "/1" }

// publishRuntime commits an empty runtime, with the keys that flatpak's own commits have.
func (w flatpakWorld) publishRuntime() {
	w.t.Helper()
	name := flatpakRuntime + "/" + w.arch + "/1"
	text := fmt.Sprintf("[Runtime]\nname=%s\nruntime=%s\nsdk=%s\n", flatpakRuntime, name, name)
	p := &plot{root: scratch(w.t)}
	p.dir("files/etc")
	p.text("files/.ref", "")
	p.text("metadata", text)
	if p.err != nil {
		w.t.Fatal(p.err)
	}
	w.commit(w.t, w.runtimeRef(), p.root, "--add-metadata-string=xa.metadata="+text, "--add-metadata=xa.installed-size=uint64 0", "--add-metadata=xa.download-size=uint64 0")
}

// makeApp has flatpak make the directory of the application, with options of build-finish.
func (w flatpakWorld) makeApp(options ...string) {
	w.t.Helper()
	w.flatpak("build-init", w.build, flatpakApp, flatpakRuntime, flatpakRuntime, "1")
	p := &plot{root: w.build + "/files"}
	p.dir("bin")
	p.dir("share")
	p.text("hello.go", helloSource)
	p.file("share/data", noise(1, 300000))
	if p.err != nil {
		w.t.Fatal(p.err)
	}
	command{args: []string{"go", "build", "-ldflags=-s -w", "-o", "bin/hello", "hello.go"}, dir: p.root, env: []string{"CGO_ENABLED=0"}}.must(w.t)
	w.flatpak(slices.Concat([]string{"build-finish", "--command=hello"}, options, []string{w.build})...)
}

// release has flatpak commit a version of the application to a repository, takes it over from there
// and signs it.
func (w flatpakWorld) release(version string) string {
	w.t.Helper()
	if err := os.WriteFile(w.build+"/files/share/version", []byte(version), 0o644); err != nil {
		w.t.Fatal(err)
	}
	built := w.build + ".repo"
	if _, err := os.Stat(built); err != nil {
		must(w.t, binary(w.t, "deployfs"), "init", "--mode=archive", "--repo="+built, "--collection-id="+flatpakCollection)
	}
	w.flatpak("build-export", "-s", "version "+version, built, w.build, "stable")
	w.run(w.t, "pull-local", built, w.appRef())
	w.run(w.t, "gpg-sign", "--gpg-homedir="+w.home.dir, w.appRef(), "ada@example.org")
	return w.run(w.t, "rev-parse", w.appRef())
}

// runs wants the application to say its version, where it can run.
func (w flatpakWorld) runs(version string) {
	w.t.Helper()
	if err := exec.Command("bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "true").Run(); err != nil {
		w.t.Log("not run: bubblewrap can't make a container here:", err)
	} else if got := w.flatpak("--user", "run", flatpakApp); got != version {
		w.t.Errorf("the application says %q, want %q", got, version)
	}
	file := w.flatpak("--user", "info", "--show-location", flatpakApp) + "/files/share/version"
	if got := readText(w.t, file); got != version {
		w.t.Errorf("%s is %q, want %q", file, got, version)
	}
}

// TestFlatpak builds, publishes, installs, runs and updates an application: flatpak builds and is the
// client, the repository in between is this program's alone.
func TestFlatpak(t *testing.T) {
	t.Parallel()
	w := newFlatpakWorld(t)
	w.run(t, "config", "set", "flatpak.title", "Applications of the tests")
	w.publishRuntime()
	w.update(t, "--flatpak")
	w.flatpak("--user", "remote-add", "--gpg-import="+w.key, "plain", w.server.url)
	w.flatpak("--user", "remote-add", "--gpg-import="+w.key, "--collection-id="+flatpakCollection, "collected", w.server.url)
	w.flatpak("--user", "install", "-y", "--noninteractive", "plain", flatpakRuntime)

	w.makeApp("--share=ipc")
	first := w.release("one")
	w.update(t, "--flatpak")
	for _, remote := range []string{"plain", "collected"} {
		w.listed(remote, first)
	}
	w.flatpak("--user", "install", "-y", "--noninteractive", "collected", flatpakApp)
	w.runs("one")
	w.testUpdates(first)
	w.testAsFlatpak()
}

// listed wants flatpak to know an application with its sizes, and the title of the repository.
func (w flatpakWorld) listed(remote, commit string) {
	w.t.Helper()
	want := strings.Join([]string{flatpakApp, commit[:12], "ref", flatpakRuntime + "/" + w.arch + "/1"}, "\t")
	got := w.flatpak("--user", "remote-ls", "--app", "--columns=application,commit,ref,runtime,installed-size,download-size", remote)
	fields := strings.Split(got, "\t")
	if len(fields) != 6 || fields[0] != flatpakApp || fields[1] != commit[:12] || fields[3] != flatpakRuntime+"/"+w.arch+"/1" ||
		!strings.HasSuffix(fields[4], "MB") || strings.HasPrefix(fields[5], "0") {
		w.t.Errorf("%s has %q, want %q and sizes", remote, got, want)
	}
	w.flatpak("--user", "remote-modify", "--update-metadata", remote)
	if got := w.flatpak("--user", "remotes", "--columns=name,title"); !strings.Contains(got, remote+"\tApplications of the tests") {
		w.t.Errorf("remotes are %q", got)
	}
	w.flatpak("--user", "remote-info", remote, flatpakApp)
}

// testUpdates: with a static delta, without one, and not at all where the signature is missing.
func (w flatpakWorld) testUpdates(first string) {
	second := w.release("two")
	w.run(w.t, "static-delta", "generate", "--from="+first, "--to="+second)
	w.update(w.t, "--flatpak")
	w.server.requests(w.t)
	w.flatpak("--user", "update", "-y", "--noninteractive")
	if list := w.server.requests(w.t); askedFor(list, "/superblock", "200") != 1 || askedFor(list, "/0", "200") == 0 {
		w.t.Errorf("with a delta there, asked for %v", list)
	}
	w.runs("two")

	w.release("three")
	w.update(w.t, "--flatpak")
	w.flatpak("--user", "update", "-y", "--noninteractive")
	if list := w.server.requests(w.t); askedFor(list, "/deltas/", "200") != 0 || askedFor(list, ".filez", "200") != 1 {
		w.t.Errorf("without a delta, asked for %v", list)
	}
	w.runs("three")

	forged := w.release("forged")
	if err := os.Remove(objectPath(w.repo, forged, "commitmeta")); err != nil {
		w.t.Fatal(err)
	}
	w.update(w.t, "--flatpak")
	if o := w.try("--user", "update", "-y", "--noninteractive"); o.code == 0 || !strings.Contains(o.err, "no signatures found") {
		w.t.Errorf("exit %d, %q", o.code, o.err)
	}
	w.runs("three")
}

// testAsFlatpak compares what the summary tells flatpak with what its own publisher would tell, also of an
// application whose commit says little, in a tree of many files.
func (w flatpakWorld) testAsFlatpak() {
	theirs := clone(w.t, w.repo)
	tree := clone(w.t, forest(w.t, "plain"))
	if err := os.WriteFile(tree+"/metadata", []byte("[Application]\nname=org.example.Old\n"), 0o644); err != nil {
		w.t.Fatal(err)
	}
	must(w.t, binary(w.t, "deployfs"), "--repo="+theirs, "commit", "-b", "app/org.example.Old/"+w.arch+"/1", "--tree=dir="+tree,
		"--add-metadata-string=ostree.endoflife=it is old", "--add-metadata-string=ostree.endoflife-rebase=app/org.example.New/"+w.arch+"/1",
		"--add-metadata=xa.token-type=2", "--add-metadata=xa.extra-data-sources=[(b'data', uint64 0x1000000000000, uint64 0x2000000000000, [byte 1], 'http://x')]")
	for _, line := range []string{"comment=a comment", "default-branch=stable", "gpg-keys=AAEC/w==", "authenticator-install=true", "authenticator-options.a=b", "deploy-collection-id=true"} {
		key, value, _ := strings.Cut(line, "=")
		ostree(w.t, theirs, "config", "set", "flatpak."+key, value)
	}
	w.flatpak("build-update-repo", "--no-update-appstream", theirs)
	ours := clone(w.t, theirs)
	must(w.t, binary(w.t, "deployfs"), "--repo="+ours, "summary", "-u", "--flatpak")
	keys := strings.Fields(must(w.t, binary(w.t, "deployfs"), "--repo="+theirs, "summary", "--list-metadata-keys"))
	if len(keys) != 16 {
		w.t.Errorf("flatpak tells %q", keys)
	}
	for _, key := range keys {
		told := func(repo string) string {
			return must(w.t, binary(w.t, "deployfs"), "--repo="+repo, "summary", "--print-metadata-key="+key)
		}
		if key != "ostree.summary.last-modified" && key != "ostree.static-deltas" && told(ours) != told(theirs) {
			w.t.Errorf("%s is %s, want %s", key, told(ours), told(theirs))
		}
	}
	if left, _ := filepath.Glob(ours + "/summary.idx*"); len(left) > 0 {
		w.t.Errorf("left: %q", left)
	}
}
