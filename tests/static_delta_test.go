package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// deltaSource is an archive with two commits of a branch, and deltas that the real program has made
// of them: directories and files below a directory, by what is special.
type deltaSource struct {
	repo, dir string
	old, new  string
}

var deltaSources = map[bool]func() (deltaSource, error){}

// deltaTrees writes both states of a tree: files that are patched, that move blocks, that are new; modest
// is without what bare-user-only can't keep.
func deltaTrees(dir string, modest bool) error {
	p := &plot{root: dir}
	p.dir("old/sub")
	p.dir("new/sub")
	write := func(name string, data []byte, perm os.FileMode) {
		if p.err == nil {
			p.err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if p.err == nil {
			p.err = os.Chmod(filepath.Join(dir, name), perm)
		}
	}
	special := os.FileMode(0o755)
	if !modest {
		special |= os.ModeSetuid
	}
	text := fmt.Appendf(nil, "%x", noise(8, 12000)) // repeated words would cost the real program much time
	for i, name := range []string{"program", "library", "sub/tool"} {
		write("old/"+name, append(noise(uint64(i), 9000), text...), special)
		write("new/"+name, slices.Concat([]byte("new head "), noise(uint64(i), 9000), text[:len(text)-i*300], []byte(" and tail")), special)
	}
	blocks := noise(9, 300<<10)
	write("old/blocks", blocks, 0o644)
	write("new/blocks", slices.Concat(blocks[:100<<10], []byte("inserted"), blocks[100<<10:]), 0o644)
	write("old/same", []byte("same"), 0o600)
	write("new/same", []byte("same"), 0o600)
	if !modest {
		write("new/large", noise(10, 1<<20), 0o644)
	}
	write("new/empty", nil, 0o644)
	p.link("new/sub/link", "../program")
	return p.err
}

// newDeltaSource makes one, once.
func newDeltaSource(t *testing.T, modest bool) deltaSource {
	t.Helper()
	needRoot(t)
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if deltaSources[modest] == nil {
		s := deltaSource{dir: fmt.Sprintf("%s/deltas-%v", work, modest)}
		s.repo = s.dir + "/repo"
		deltaSources[modest] = sync.OnceValues(func() (deltaSource, error) { return s, s.make(t, modest) })
	}
	s, err := deltaSources[modest]()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *deltaSource) make(t *testing.T, modest bool) error {
	if err := deltaTrees(s.dir, modest); err != nil {
		return err
	}
	if !modest {
		must(t, "setfattr", "-n", "user.kind", "-v", "word", s.dir+"/new/sub/tool")
		must(t, "chown", "-h", "3:4", s.dir+"/new/program", s.dir+"/new/sub/link")
	}
	initRepo(t, s.repo, "archive")
	s.old = commit(t, s.repo, "main", s.dir+"/old")
	s.new = commit(t, s.repo, "main", s.dir+"/new", "--add-detached-metadata-string=note=text")
	deltas := map[string]string{
		"plain": "--min-fallback-size=0", "big": "--min-fallback-size=0 --set-endianness=B", "inline": "--min-fallback-size=0 --inline",
		"parts": "--min-fallback-size=0 --max-chunk-size=1 --disable-bsdiff --empty", "fallback": "--min-fallback-size=1",
	}
	if modest {
		delete(deltas, "fallback")
		delete(deltas, "big")
	}
	for name, options := range deltas {
		must(t, "mkdir", s.dir+"/"+name)
		args := []string{"static-delta", "generate", "--filename=" + s.dir + "/" + name + "/superblock", "--to=" + s.new}
		if !strings.Contains(options, "--empty") {
			args = append(args, "--from="+s.old)
		}
		ostree(t, s.repo, append(args, strings.Fields(options)...)...)
	}
	return nil
}

// TestDeltaApply applies what the real program has made, in every mode; it finds the commit good.
func TestDeltaApply(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"archive", "bare", "bare-user", "bare-user-only"} {
		s := newDeltaSource(t, mode == "bare-user-only")
		base := newRepo(t, mode)
		ostree(t, base, "pull-local", s.repo, s.old)
		for _, name := range []string{"plain", "big", "inline/superblock", "parts"} {
			if modeOf(s.dir+"/"+name) == 0 {
				continue
			}
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				repo := clone(t, base)
				if name == "parts" {
					must(t, "rm", "-r", repo)
					initRepo(t, repo, mode)
				}
				if o := deployfs(t, "static-delta", "apply-offline", "--repo="+repo, s.dir+"/"+name); o.code != 0 || o.out+o.err != "" {
					t.Fatalf("exit %d: %s%s", o.code, o.out, o.err)
				}
				ostree(t, repo, "fsck", "-q")
				if got := ostree(t, repo, "show", "--print-detached-metadata-key=note", s.new); got != "'text'" {
					t.Errorf("detached metadata: %s", got)
				}
				if want, got := rootSums(t, s.repo, s.new), rootSums(t, repo, s.new); got != want {
					t.Errorf("root %s, want %s", got, want)
				}
			})
		}
	}
}

// TestDeltaRefused: each delta that is not right says why, as ostree does where it says something,
// and leaves no commit.
func TestDeltaRefused(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	base := newRepo(t, "bare")
	w := newTwin(t, base)
	for _, line := range []string{"", " {}/fallback", " {}/plain", " {}/nope", " {}", " --sign-type=nope {}/plain"} {
		w.both(t, "static-delta apply-offline"+strings.ReplaceAll(line, "{}", s.dir))
	}
	ostree(t, base, "pull-local", s.repo, s.old)
	for name, spoil := range map[string]string{
		"Executing delta part 0: Checksum mismatch in static delta part; expected=": "printf x | dd of=0 bs=1 seek=500 conv=notrunc status=none",
		"Opening deltapart '0': No such file or directory":                          "rm 0",
		"static delta superblock: gvariant of type":                                 "truncate -s -1 superblock",
		"openat(superblock): not a regular file":                                    "rm superblock; mkdir superblock",
		"Corrupted commit object; checksum expected='" + s.new:                      "perl -0pi -e 's/subject of/subjekt of/' superblock",
	} {
		t.Run(spoil, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			must(t, "cp", "-r", s.dir+"/plain/.", dir)
			command{args: []string{"sh", "-c", spoil}, dir: dir}.must(t)
			o := deployfs(t, "static-delta", "apply-offline", "--repo="+base, dir)
			if o.code != 1 || !strings.HasPrefix(o.err, "error: "+name) {
				t.Errorf("exit %d: %s", o.code, o.err)
			}
			if modeOf(objectPath(base, s.new, "commit")) != 0 {
				t.Error("the commit is there")
			}
		})
	}
}

// TestDeltaVerbs compares what both programs print about deltas.
func TestDeltaVerbs(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	w := newTwin(t, s.repo, "OSTREE_DUMMY_SIGN_ENABLED=1")
	name := s.old + "-" + s.new
	for _, line := range []string{"list", "indexes", "reindex", "indexes"} {
		w.both(t, "static-delta "+line)
	}
	for _, options := range []string{"--from=" + s.old + " --min-fallback-size=1", "--empty --sign-type=dummy --sign=k1"} {
		args := append([]string{"ostree", "static-delta", "generate", "--repo=" + w.theirs, "--to=" + s.new}, strings.Fields(options)...)
		command{args: args, env: w.env}.must(t)
	}
	must(t, "cp", "-a", w.theirs+"/deltas", w.ours)
	superblock, err := filepath.Glob(w.ours + "/deltas/??/*-*/superblock")
	if err != nil || len(superblock) != 1 {
		t.Fatal(superblock, err)
	}
	path, _ := filepath.Rel(w.ours, superblock[0])
	keyless := command{args: []string{binary(t, "deployfs"), "--repo=" + w.ours, "static-delta", "verify", "--sign-type=dummy", s.new}, env: w.env}.run(t)
	if keyless.code != 1 || !strings.Contains(keyless.err, "name a KEY-ID") { // where ostree has no words
		t.Errorf("without a key: %d, %s", keyless.code, keyless.err)
	}
	zero := strings.Repeat("0", 64)
	for _, line := range []string{
		"show", "show GARBAGE", "show " + zero, "show " + s.new + "-x", "show " + name + "-x", "show nope/x", "show " + name, "show " + s.new, "show " + path,
		"verify", "verify --sign-type=nope " + s.new + " k", "verify --sign-type=dummy " + s.new + " k1", "verify --sign-type=dummy " + s.new + " k2",
		"verify --sign-type=dummy " + s.new + " k1 k2", "verify --sign-type=dummy " + s.new + " k2 k1", "verify --sign-type=dummy " + name + " k1", "verify --sign-type=dummy nope/x k1",
		"reindex --to=x", "reindex --to=" + zero, "reindex --to=" + s.new, "indexes", "delete", "delete x", "delete " + zero, "delete " + s.new, "list", "reindex", "delete " + name, "delete " + name, "list", "reindex", "indexes",
	} {
		w.both(t, "static-delta "+line)
		if line == "reindex" { // with two deltas to a commit, the real program has them in any order
			sameFiles(t, line, w.theirs+"/delta-indexes", w.ours+"/delta-indexes")
		}
	}
	checkJSON(t, `[]`, "static-delta", "list", "--json", "--repo="+w.ours)
}

// TestDeltaShow shows superblocks of all kinds, also those that ostree can't: it looks for the parts in
// the repository alone.
func TestDeltaShow(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	for name, want := range map[string][]string{
		"plain":    {"Endianness: little\n", "From: " + s.old + "\n", "bspatch=3\n", "Signed: no\n"},
		"big":      {"Endianness: big\n", "bspatch=3\n"},
		"inline":   {"bspatch=3\n"},
		"parts":    {"From <scratch>\n", "Number of parts: 3\n", "PartPayloadOps1: openspliceclose="},
		"fallback": {"Number of fallback entries: 1\n", "Total Fallback Uncompressed Size: 1048576 (1.0\u00a0MB)\n"},
	} {
		o := deployfs(t, "static-delta", "show", "--repo="+s.repo, s.dir+"/"+name+"/superblock")
		for _, text := range want {
			if o.code != 0 || !strings.Contains(o.out, text) {
				t.Errorf("%s: exit %d, no %q: %s%s", name, o.code, text, o.out, o.err)
			}
		}
	}
	size := func(name string) string {
		o := deployfs(t, "static-delta", "show", "--repo="+s.repo, s.dir+"/"+name+"/superblock")
		_, after, _ := strings.Cut(o.out, "\nTotal Size: ")
		line, _, _ := strings.Cut(after, " ")
		if n, err := strconv.Atoi(line); err != nil || n < 1<<20 {
			t.Errorf("%s: size %q", name, line)
		}
		return line
	}
	if plain, big := size("plain"), size("big"); plain != big {
		t.Errorf("%s bytes, in the other byte order %s", plain, big)
	}
}
