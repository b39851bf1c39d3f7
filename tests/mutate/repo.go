package mutate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Modes are the modes of the repositories that can be made.
var Modes = []string{"archive", "bare", "bare-user", "bare-user-only", "bare-split-xattrs"}

// Repo is a small repository that is changed and changed back. Its ref main has
// a parent, three directories, a link, and files with and without content.
type Repo struct {
	Path   string
	Mode   string
	Canary *Canary

	t      testing.TB
	aside  string // where files are while others are in their places
	steps  []step
	commit string // of main
	parent string
	trees  []tree // each after those in it
	metas  []string
	files  []file
}

// tree is a dirtree as ostree wrote it.
type tree struct {
	sum  string
	data []byte
}

// file is a content object as ostree wrote it.
type file struct {
	sum string
	content
}

// New makes a repository of some mode below dir, which must be empty.
func New(t testing.TB, dir, mode string) *Repo {
	t.Helper()
	r := &Repo{Path: filepath.Join(dir, "repo"), Mode: mode, t: t, aside: filepath.Join(dir, "aside")}
	canary, err := newCanary(filepath.Join(dir, "canary"))
	r.check(err)
	r.Canary = canary
	r.check(os.MkdirAll(r.aside, 0o755))
	src := filepath.Join(dir, "src")
	r.check(source(src, mode != "bare-user-only"))
	r.commitSource(src)
	r.learn(src)
	return r
}

func (r *Repo) check(err error) {
	if err != nil {
		r.t.Helper()
		r.t.Fatal("making a repository hostile: ", err)
	}
}

// source makes the tree that is committed.
func source(dir string, xattrs bool) error {
	err := os.MkdirAll(dir+"/sub/deep", 0o755)
	many := dir + "/many"
	err = errors.Join(err, os.Mkdir(many, 0o755))
	for name, data := range map[string]string{
		"hello": "hello\n", "sub/x": "x", "sub/deep/large": strings.Repeat("0123456789abcdef", 500), "sub/zeroes": strings.Repeat("\x00", 70000),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	for _, name := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "ü"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(many, name), []byte("many\n"), 0o644))
	}
	err = errors.Join(err, os.WriteFile(dir+"/empty", nil, 0o755), os.Symlink("hello", dir+"/link"), os.Chmod(dir+"/sub/x", 0o755))
	if xattrs {
		err = errors.Join(err, unix.Setxattr(dir+"/sub/x", "user.b", []byte("two"), 0), unix.Setxattr(dir+"/sub/x", "user.a", []byte("one"), 0),
			unix.Setxattr(dir+"/sub", "user.dir", []byte("yes"), 0))
	}
	return err
}

// ostree runs the real program.
func (r *Repo) ostree(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("ostree", append([]string{"--repo=" + r.Path}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("ostree %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commitSource makes the repository, with something of all that one can have.
func (r *Repo) commitSource(src string) {
	mode := strings.TrimSuffix(r.Mode, "-split-xattrs")
	r.ostree("init", "--mode="+mode)
	options := []string{"commit", "-b", "main", "--timestamp=@1700000000", "--tree=dir=" + src, "-s", "subject", "-m", "body\nof two lines"}
	if mode == "bare-user-only" {
		options = append(options, "--canonical-permissions")
	}
	if mode == "archive" {
		options = append(options, "--generate-sizes")
	}
	r.parent = r.ostree(append(options, "--add-metadata-string=version=1")...)
	r.commit = r.ostree(append(options, "--add-metadata-string=version=2", "--add-metadata=list=[<uint32 7>, <(true, 'x')>]")...)
	for _, name := range []string{"a/b", "old"} {
		r.ostree("refs", "--create="+name, "main^")
	}
	r.ostree("refs", "--create=z/alias", "--alias", "main")
	r.ostree("summary", "-u")
	for path, text := range map[string]string{
		"refs/remotes/origin/far": r.commit + "\n", "refs/mirrors/org.example.X/mirrored": r.commit + "\n",
		"state/" + r.parent + ".commitpartial": "", "objects/" + r.commit[:2] + "/" + r.commit[2:] + ".commitmeta": signed,
	} {
		path = filepath.Join(r.Path, path)
		r.check(os.MkdirAll(filepath.Dir(path), 0o755))
		r.check(os.WriteFile(path, []byte(text), 0o644))
	}
}

// signed is detached metadata with a signature that gpg made, of another commit.
var signed = string(unhex("6e6f74650000000068656c6c6f00007305000000000000006f73747265652e67706773696773000088750400160800" +
	"1d1621042322881b950bba4c4b59703a5f529e54c6acf76705026b0add53000a09105f529e54c6acf767abfe0100c1a9ba9fc71c2edeaeecbba971c1" +
	"7cbf5c232b7acd84e6639eb741710bb2ed5900fe382ba7c7217439d46ab285cc159f90e863480dba7b2934a65c28edf88107be0877006161790f11a5"))

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		panic(err) // it is a constant, or a name that we made
	}
	return data
}

// object is the path of an object's file.
func (r *Repo) object(sum, kind string) string {
	if kind == "file" && r.Mode == "archive" {
		kind = "filez"
	}
	return filepath.Join(r.Path, "objects", sum[:2], sum[2:]+"."+kind)
}

func (r *Repo) read(path string) []byte {
	r.t.Helper()
	data, err := os.ReadFile(path)
	r.check(err)
	return data
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// learn finds the objects of main and of what they were made.
func (r *Repo) learn(src string) {
	commit := r.read(r.object(r.commit, "commit"))
	end, _ := offset(commit, 6) // of the root's dirtree; its dirmeta follows
	r.learnTree(src, commit[end-32:end])
	r.learnMeta(commit[end : end+32])
	if r.Mode == "bare-split-xattrs" {
		r.split()
	}
}

func (r *Repo) learnMeta(raw []byte) {
	for _, known := range r.metas {
		if known == hex.EncodeToString(raw) {
			return
		}
	}
	r.metas = append(r.metas, hex.EncodeToString(raw))
}

func (r *Repo) learnTree(src string, raw []byte) {
	sum := hex.EncodeToString(raw)
	data := r.read(r.object(sum, "dirtree"))
	d := parseTree(data)
	for _, e := range d.dirs {
		r.learnTree(filepath.Join(src, nameOf(e)), e[1])
		r.learnMeta(e[2])
	}
	for _, e := range d.files {
		f := file{sum: hex.EncodeToString(e[1])}
		f.content = r.contentOf(filepath.Join(src, nameOf(e)))
		if found := f.content.sum(); found != f.sum {
			r.t.Fatalf("%s: its object is %s, computed %s", nameOf(e), f.sum, found)
		}
		r.files = append(r.files, f)
	}
	r.trees = append(r.trees, tree{sum, data})
}

func nameOf(e entry) string { return strings.TrimSuffix(string(e[0]), "\x00") }

// contentOf is the content object of a file that was committed.
func (r *Repo) contentOf(path string) (c content) {
	var st unix.Stat_t
	r.check(unix.Lstat(path, &st))
	c = content{uid: st.Uid, gid: st.Gid, mode: st.Mode}
	if r.Mode == "bare-user-only" {
		c.uid, c.gid = 0, 0
	}
	if !c.isFile() {
		target, err := os.Readlink(path)
		r.check(err)
		c.target = target
		return c
	}
	c.data = r.read(path)
	c.size = uint64(len(c.data))
	for _, name := range []string{"user.a", "user.b"} {
		if value, err := getxattr(path, name); err == nil {
			c.xattrs = append(c.xattrs, tuple([]byte(name+"\x00"), value))
		}
	}
	return c
}

// split makes a bare repository one of mode bare-split-xattrs, which the real
// ostree does not write.
func (r *Repo) split() {
	config := filepath.Join(r.Path, "config")
	r.check(os.WriteFile(config, []byte(strings.Replace(string(r.read(config)), "mode=bare", "mode=bare-split-xattrs", 1)), 0o644))
	for _, f := range r.files {
		for _, name := range []string{"user.a", "user.b"} {
			unix.Lremovexattr(r.object(f.sum, "file"), name)
		}
		r.check(os.WriteFile(r.object(f.sum, "file-xattrs-link"), array(f.xattrs...), 0o644))
	}
}

func mkfifo(path string) error { return unix.Mkfifo(path, 0o644) }

// accessed is when a file was read, in nanoseconds.
func accessed(info os.FileInfo) int64 { return info.Sys().(*syscall.Stat_t).Atim.Nano() }
