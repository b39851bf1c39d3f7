package tests

import (
	"path/filepath"
	"strings"
	"testing"
)

// revPathRepo has refs and names with which a colon can mean several things.
func revPathRepo(t *testing.T) string {
	t.Helper()
	p := &plot{root: filepath.Join(scratch(t), "tree")}
	p.dir("etc")
	p.text("etc/conf", "newer")
	p.text("a:b", "colon")
	p.text("main:x", "another colon")
	p.link("etc/link", "conf")
	p.link("etc/dangling", "nowhere")
	p.owner("etc/conf", 7, 1000)
	p.mode("etc/conf", 0o4711)
	p.mode("etc", 0o1755)
	p.xattr("etc/conf", "user.x", "y")
	older := &plot{root: filepath.Join(scratch(t), "tree")}
	older.dir("etc")
	older.text("etc/conf", "older")
	if p.err != nil || older.err != nil {
		t.Fatal(p.err, older.err)
	}
	repo := newRepo(t, "archive")
	sum := commit(t, repo, "main", older.root)
	ostree(t, repo, "refs", "--create=a", sum)
	sum = commit(t, repo, "main", p.root)
	for _, ref := range []string{"os/main", "origin:os/main", "main:a"} {
		ostree(t, repo, "refs", "--create="+ref, sum)
	}
	return repo
}

// TestRevPath reads a file by each way to name its commit, where a colon is in doubt, too.
func TestRevPath(t *testing.T) {
	t.Parallel()
	repo := revPathRepo(t)
	sum := ostree(t, repo, "rev-parse", "main")
	for arg, want := range map[string]string{
		"main:etc/conf": "newer", "main:/etc/conf": "newer", "main:/etc/../etc//conf": "newer", "main^:etc/conf": "older",
		"os/main:etc/conf": "newer", "origin:os/main:etc/conf": "newer", "origin:os/main:/etc/conf": "newer", "origin:os/main^:/etc/conf": "older",
		sum + ":etc/conf": "newer", sum[:9] + ":/etc/conf": "newer", sum[:9] + "^:/etc/conf": "older", "main:etc/link": "newer",
		"main:/a:b": "colon", "os/main:a:b": "colon", "main:/main:x": "another colon", "a:etc/conf": "older",
		"main:a:etc/conf": "newer", // REMOTE:REF:PATH, and not a name with a colon in main
	} {
		if got := deployfs(t, "cat", "--repo="+repo, arg); got.out != want || got.code != 0 {
			t.Errorf("%s: exit %d, %q, want %q: %s", arg, got.code, got.out, want, got.err)
		}
	}
	if got := deployfs(t, "cat", "--repo="+repo, "main:etc/conf", "main^:etc/conf", "main:/a:b"); got.out != "neweroldercolon" {
		t.Errorf("several: %q, %s", got.out, got.err)
	}
	files := jsonOf[[]struct{ Path, Content string }](t, "cat", "--repo="+repo, "main:etc/link", "a:etc/conf")
	if len(files) != 2 || files[0].Path != "/etc/conf" || files[1].Content != "older" {
		t.Errorf("%+v", files)
	}
}

// TestShowRevPath compares with what the real ostree says of the same objects.
func TestShowRevPath(t *testing.T) {
	t.Parallel()
	repo := revPathRepo(t)
	sum := ostree(t, repo, "rev-parse", "main")
	for _, path := range []string{"etc/conf", "etc/link", "a:b"} {
		_, object := objectOf(t, repo, "main", path)
		want := "Path: /" + path + "\nCommit: " + sum + "\n" + ostree(t, repo, "show", object) + "\n"
		if got := deployfs(t, "show", "--repo="+repo, "main:/"+path); got.out != want || got.code != 0 {
			t.Errorf("%s: exit %d\n%s%s\nwant\n%s", path, got.code, got.out, got.err, want)
		}
	}
	_, tree := objectOf(t, repo, "main", "etc")
	want := "Path: /etc\nCommit: " + sum + "\nType: directory\nDirtree: " + tree + "\nDirmeta: " + dirmetaOf(t, repo, "main", "etc") +
		"\nMode: 041755\nUid: 0\nGid: 0\nExtended Attributes: { @a(ayay) [] }\n\n" +
		"-rws--x--x 7 1000 5 conf\nlrwxrwxrwx 0    0 0 dangling -> nowhere\nlrwxrwxrwx 0    0 0 link -> conf\n"
	root := deployfs(t, "show", "--repo="+repo, "main:")
	if !strings.HasPrefix(root.out, "Path: /\n") || !strings.Contains(root.out, "\ndrwxr-xr-t 0 0  0 etc\n") {
		t.Errorf("the root: %s%s", root.out, root.err)
	}
	if got := deployfs(t, "show", "--repo="+repo, "main:", "main:etc"); got.out != root.out+"\n"+want {
		t.Errorf("two directories:\n%s%s\nwant the root and\n%s", got.out, got.err, want)
	}
	for _, d := range jsonOf[[]struct {
		Commit, Path, Type, Mode string
		Entries                  []struct{ Path, Mode, Target string }
	}](t, "show", "--repo="+repo, "main:etc", "main:etc/conf") {
		switch {
		case d.Commit != sum:
		case d.Type == "file" && d.Path == "/etc/conf" && d.Mode == "4711" && d.Entries == nil:
			continue
		case d.Type == "directory" && d.Path == "/etc" && d.Mode == "1755" && len(d.Entries) == 3 && d.Entries[1].Target == "nowhere":
			continue
		}
		t.Errorf("%+v", d)
	}
}

// TestNoRevPath holds what is said when there is no such thing, and that ostree's own forms stay.
func TestNoRevPath(t *testing.T) {
	t.Parallel()
	repo := revPathRepo(t)
	for line, want := range map[string]string{
		"show main:/nope":           "main:/nope: No such file or directory",
		"show main:etc/nope/x":      "main:/etc/nope: No such file or directory",
		"show main:etc/conf/x":      "main:/etc/conf/x: Not a directory",
		"show main:etc/conf other":  "'other' is no REV:PATH",
		"show nope:/x":              "Refspec 'nope' not found",
		"show origin:nope:/x":       "Refspec 'origin:nope' not found",
		"show os:/x":                "Refspec 'os' not found",
		"cat main:etc":              "main:/etc: Can't open directory",
		"cat main:etc/dangling":     "main:/etc/dangling: No such file or directory: /etc/nowhere",
		"cat main:etc/conf main:no": "main:/no: No such file or directory",
		"cat nope:/x":               "Refspec 'nope' not found",
		"cat origin:os/main":        "A COMMIT and at least one PATH argument are required",
	} {
		got := deployfs(t, append(strings.Fields(line), "--repo="+repo)...)
		if got.code != 1 || !strings.HasSuffix(got.err, "error: "+want+"\n") || got.out != "" {
			t.Errorf("%s: exit %d, %q%s, want %q", line, got.code, got.out, got.err, want)
		}
	}
	for _, line := range []string{
		"show origin:os/main", "show main:a", "show origin:nope", "show nope:x", "show ::", "show a main:etc/conf",
		"cat origin:os/main etc/conf", "cat main etc/conf main:etc/conf", "cat origin:nope etc/conf", "cat main main:x",
	} {
		args := append(strings.Fields(line), "--repo="+repo)
		want, got := command{args: append([]string{"ostree"}, args...)}.run(t), deployfs(t, args...)
		if got.out != want.out || got.err != want.err || got.code != want.code {
			t.Errorf("%s: exit %d %q %q, want %d %q %q", line, got.code, got.out, got.err, want.code, want.out, want.err)
		}
	}
}
