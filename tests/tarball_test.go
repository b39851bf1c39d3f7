package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// archived is a tree of all that archives hold.
func archived(t *testing.T) string {
	t.Helper()
	needRoot(t)
	p := &plot{root: filepath.Join(scratch(t), "tree")}
	p.dir(".")
	p.dir("d")
	p.mode("d", 0o1770)
	p.dir("d/" + strings.Repeat("long", 40))
	p.text("d/"+strings.Repeat("long", 40)+"/file", "at the end of a long path")
	p.text("empty", "")
	p.text("suid", "suid")
	p.owner("suid", 70000, 80000)
	p.mode("suid", 0o4711)
	p.text("größe", strings.Repeat("0123456789abcdef", 40000))
	p.text("name", "several names")
	p.do("hole", func() error { return os.Truncate(p.path("name"), 300000) })
	p.do("d/other", func() error { return unix.Link(p.path("name"), p.path("d/other")) })
	p.do("a", func() error { return unix.Link(p.path("name"), p.path("a")) })
	p.link("link", "größe")
	p.link("long link", strings.Repeat("x/", 200))
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.root
}

// quickRepo makes a repository that does not wait for the disk.
func quickRepo(t *testing.T, mode string) string {
	repo := newRepo(t, mode)
	ostree(t, repo, "config", "set", "core.fsync", "false")
	return repo
}

// contentSum is the content checksum of a commit.
func contentSum(t *testing.T, repo, rev string) string {
	t.Helper()
	_, sum, _ := strings.Cut(ostree(t, repo, "show", rev), "ContentChecksum:  ")
	sum, _, _ = strings.Cut(sum, "\n")
	return sum
}

// TestImportArchives: what tar and cpio write gives the tree that ostree makes of it.
func TestImportArchives(t *testing.T) {
	t.Parallel()
	tree, repo := archived(t), quickRepo(t, "archive")
	for name, script := range map[string]string{
		"gnu":         "tar -c .",
		"pax":         "tar --format=pax -c .",
		"sparse":      "tar -S -c .",
		"sparse pax":  "tar --format=pax -S -c .",
		"gzip":        "tar -cz .",
		"xz":          "tar -cJ .",
		"zstd":        "tar -c . | zstd",
		"two streams": "tar -c . | (head -c 100000 | gzip; cat | gzip)",
		"ustar":       "tar --format=ustar --exclude='long*' -c .",
		"v7":          "tar --format=v7 --exclude='long*' -c .",
		"newc":        "find . | cpio -o -H newc",
		"crc":         "find . | cpio -o -H crc",
		"odc":         "find . | cpio -o -H odc",
		"old cpio":    "find . | cpio -o",
		"tar of cpio": "find . -not -name 'long*' -not -path '*/long*' | cpio -o -H ustar",
		"from /":      "tar -P -c $PWD/. --transform=s,^$PWD,,",
		"again":       "tar -c . suid d",
	} {
		t.Run(name, func(t *testing.T) {
			archive := filepath.Join(scratch(t), "archive")
			command{args: []string{"sh", "-c", script + " > " + archive + " 2>" + archive + ".err"}, dir: tree}.must(t)
			ref := "theirs/" + strings.NewReplacer(" ", "_", "/", "").Replace(name)
			ostree(t, repo, "commit", "-b", ref, "--tree=tar="+archive)
			got := deployfs(t, "--repo="+repo, "commit", "-b", "ours", "--tree=tar="+archive)
			if got.code != 0 {
				t.Fatal(got.err)
			}
			if want, got := contentSum(t, repo, ref), contentSum(t, repo, strings.TrimSpace(got.out)); got != want {
				t.Errorf("content %s, want %s", got, want)
			}
		})
	}
	must(t, "ostree", "fsck", "--repo="+repo, "-q")
}

// TestExport compares archives with those of ostree, byte by byte.
func TestExport(t *testing.T) {
	t.Parallel()
	tree := archived(t)
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		repo := quickRepo(t, mode)
		commit(t, repo, "main", tree)
		for _, options := range []string{"", "--no-xattrs", "--prefix=p/", "--prefix=p", "--subpath=d", "--subpath=/d --prefix=./q/"} {
			args := append([]string{"export", "main"}, strings.Fields(options)...)
			want, got := ostree(t, repo, args...), deployfs(t, append(args, "--repo="+repo)...)
			if got.code != 0 || got.out != want {
				t.Errorf("%s %s: exit %d, %d bytes, not those %d of ostree: %s", mode, options, got.code, len(got.out), len(want), got.err)
			}
		}
		ours, theirs := filepath.Join(scratch(t), "ours"), filepath.Join(scratch(t), "theirs")
		ostree(t, repo, "export", "main", "-o", theirs)
		must(t, binary(t, "deployfs"), "export", "--repo="+repo, "main", "-o", ours)
		must(t, "cmp", ours, theirs)
		for _, words := range [][]string{{"main", "--subpath=none"}, {"main", "--subpath="}, {"none"}, {}, {"main", "-o", "/none/file"}} {
			sameWords(t, repo, append([]string{"export"}, words...)...)
		}
	}
}

// sameWords compares an error with ostree's.
func sameWords(t *testing.T, repo string, args ...string) {
	t.Helper()
	want := command{args: append([]string{"ostree", "--repo=" + repo}, args...)}.run(t)
	got := deployfs(t, append([]string{"--repo=" + repo}, args...)...)
	last := func(text string) string {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[len(lines)-1]
	}
	if got.code != want.code || last(got.err) != last(want.err) {
		t.Errorf("%v: exit %d, %s, want %d, %s", args, got.code, got.err, want.code, want.err)
	}
}

// TestExportKeepsXattrs: what was exported and imported is the same commit content, for our
// import and for ostree's, and GNU tar finds the xattrs, too.
func TestExportKeepsXattrs(t *testing.T) {
	t.Parallel()
	p := &plot{root: archived(t)}
	p.xattr("suid", "user.one", "1\x002\n")
	p.xattr("d", "user.dir", "x")
	p.xattr("d", "user.a=b", "y")
	p.xattr("empty", "trusted.large", strings.Repeat("z", 2000))
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := quickRepo(t, "bare")
	commit(t, repo, "main", p.root)
	archive := filepath.Join(scratch(t), "archive")
	must(t, binary(t, "deployfs"), "export", "--repo="+repo, "main", "-o", archive)
	must(t, binary(t, "deployfs"), "commit", "--repo="+repo, "-b", "again", "--tree=tar="+archive)
	if want, got := contentSum(t, repo, "main"), contentSum(t, repo, "again"); got != want {
		t.Errorf("imported again: content %s, want %s", got, want)
	}
	out := scratch(t)
	must(t, "tar", "-C", out, "--xattrs", "--xattrs-include=*", "-xpf", archive)
	commit(t, repo, "unpacked", out)
	diff := ostree(t, repo, "diff", "main", "unpacked")
	if diff != "M    /d" && diff != "" { // GNU tar knows no names with "="
		t.Error(diff)
	}
	must(t, "ostree", "fsck", "--repo="+repo, "-q")
}

// TestExportDamage: content that is not what its name says fails, and leaves no file.
func TestExportDamage(t *testing.T) {
	t.Parallel()
	p := &plot{root: filepath.Join(scratch(t), "tree")}
	p.dir(".")
	p.text("file", "what was committed")
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := newRepo(t, "bare-user")
	commit(t, repo, "main", p.root)
	_, object := objectOf(t, repo, "main", "file")
	path := filepath.Join(repo, "objects", object[:2], object[2:]+".file")
	if err := os.WriteFile(path, []byte("what was damaged.."), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(scratch(t), "out")
	got := deployfs(t, "export", "--repo="+repo, "main", "-o", out)
	if got.code != 1 || !strings.Contains(got.err, "corrupted file object") {
		t.Errorf("exit %d: %s", got.code, got.err)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
