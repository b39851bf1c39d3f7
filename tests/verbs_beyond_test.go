package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBeyondOstree holds where the program answers on purpose otherwise than ostree 2022.7: what
// newer versions have, and what is an error or a crash there for no good reason.
func TestBeyondOstree(t *testing.T) {
	r := newVerbsRepo(t, "archive")
	source := filepath.Join(scratch(t), "links")
	p := &plot{root: source}
	p.dir("etc")
	p.dir("usr/lib")
	p.text("usr/lib/os-release", "NAME=test\n")
	p.link("etc/os-release", "../usr/lib/./os-release")
	p.link("loop", "etc/../loop")
	commit(t, r.path, "links", source, "--add-metadata=bytes=[byte 1, 0xff]")
	for _, c := range []struct{ line, out, err string }{
		{"--repo {repo} rev-parse os/main", "{commit}\n", ""},
		{"ls -d os/main sub/", "d00755 0 0      0 /sub\n", ""},
		{"ls -d os/main ./emptydir/../sub//deep", "d02750 0 0      0 /sub/deep\n", ""},
		{"cat links etc/os-release", "NAME=test\n", ""},
		{"cat links loop", "", "error: Too many levels of symbolic links: /loop\n"},
		{"refs -r os", "bare\t" + ostree(t, r.path, "rev-parse", "os/bare") + "\nmain\t{commit}\n", ""},
		{"refs", "links\norigin:r/x\nos/bare\nos/main\nstable\nz/alias\nz/y/real\n", ""},
		{"refs -cr org.example.Mirror", "(org.example.Mirror, a/b)\t{commit}\n", ""},
		{"refs --list origin:", "origin:r/x\n", ""},
		{"show --list-metadata-keys links", "bytes\nostree.collection-binding\nostree.ref-binding\n", ""},
		{"show --list-detached-metadata-keys os/main", "note\n", ""},
		{"show --list-detached-metadata-keys links", "", "error: No detached metadata for commit " + ostree(t, r.path, "rev-parse", "links") + "\n"},
		{"show --print-hex --print-metadata-key=bytes links", "01ff\n", ""},
		{"show --print-variant-type=(( {metafile}", "", "error: {metafile}: invalid gvariant type \"((\"\n"},
		{"show --print-variant-type=s {metafile}", "", "error: {metafile}: gvariant of type s: not in normal form\n"},
		{"rev-parse os/main --repo=", "", "error: opening repo: opendir(): No such file or directory\n"},
		{"version x --nope", "", "error: Unknown option --nope\nhint: usage: deployfs version [OPTION…]\n"},
		{"help ls extra", "", ""},
	} {
		args := r.args(c.line)
		if !strings.Contains(c.line, "--repo") && !strings.HasPrefix(c.line, "version") && !strings.HasPrefix(c.line, "help") {
			args = append(args, "--repo="+r.path)
		}
		got := deployfs(t, args...)
		if c.out == "" && c.err == "" {
			if got.code != 0 || got.out == "" {
				t.Errorf("%s: exit %d", got.line, got.code)
			}
			continue
		}
		if out, err := r.names.Replace(c.out), r.names.Replace(c.err); got.out != out || got.err != err || (got.code == 0) != (err == "") {
			t.Errorf("%s: exit %d\n got %q\nwant %q\n got %q\nwant %q", got.line, got.code, got.out, out, got.err, err)
		}
	}
}

// TestDamagedContent holds that a verb never passes off damage as content.
func TestDamagedContent(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		r := newVerbsRepo(t, mode)
		_, big := objectOf(t, r.path, "os/main", "sub/deep/big")
		path := contentPath(r.path, big)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write(data)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		got := deployfs(t, "cat", "--repo="+r.path, "os/main", "sub/deep/big")
		if got.code != 1 || !strings.Contains(got.err, big) {
			t.Errorf("%s: exit %d, %q", mode, got.code, got.err)
		}
		if got := deployfs(t, "cat", "--json", "--repo="+r.path, "os/main", "sub/deep/big"); got.code != 1 || got.out != "" {
			t.Errorf("%s --json: exit %d, %d bytes on stdout", mode, got.code, len(got.out))
		}
	}
}

// TestClosedPipe holds that a reader that has enough ends the program without a word.
func TestClosedPipe(t *testing.T) {
	repo := sharedRepo(t, "archive", "crowd")
	script := `"$0" ls -R --repo="$1" crowd | head -n 1; echo "${PIPESTATUS[0]}"`
	got := command{args: []string{"bash", "-c", script, binary(t, "deployfs"), repo}}.run(t)
	if got.out != "d00755 0 0      0 /\n141\n" || got.err != "" {
		t.Errorf("%q, %q", got.out, got.err)
	}
}

// TestCompletionOfRepository asks as a completion script does.
func TestCompletionOfRepository(t *testing.T) {
	r := newVerbsRepo(t, "bare")
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"ls", ""}, "origin:r/x os/bare os/main stable z/alias z/y/real :4"},
		{[]string{"log", "os/"}, "os/bare os/main :4"},
		{[]string{"log", "os/main", "--", "/s"}, "/sub/ :6"},
		{[]string{"diff", "os/main", "--", "/s"}, "/sub/ :6"},
		{[]string{"diff", "os/main", "--", "sub/x", "s"}, "sub/ :6"},
		{[]string{"diff", "os/main", "/s"}, ":16"},
		{[]string{"diff", "os/main", "os/b"}, "os/bare :4"},
		{[]string{"log", "os/main", "/s"}, ":4"},
		{[]string{"log", "-3", "os/main", "--", "/s"}, "/sub/ :6"},
		{[]string{"show", "os/main:/s"}, "os/main:/sub/ :6"},
		{[]string{"cat", "os/main:/s"}, "os/main:/sub/ :6"},
		{[]string{"cat", "os/main:/sub/x", "os/main:/s"}, "os/main:/sub/ :6"},
		{[]string{"du", "os/main", "st"}, "stable :6"},
		{[]string{"du", "os/main", "--", "/s"}, "/sub/ :6"},
		{[]string{"du", "os/main:/s"}, "os/main:/sub/ :6"},
		{[]string{"blame", "os/main:/s"}, "os/main:/sub/ :6"},
		{[]string{"blame", "os/main", "--", "/s"}, "/sub/ :6"},
		{[]string{"rev-parse", "os/main", "s"}, "stable :4"},
		{[]string{"cat", "os/main", "/s"}, "/sub/ :6"},
		{[]string{"ls", "os/main^", "sub/"}, "sub/x sub/deep/ :6"},
		{[]string{"ls", "os/main", "/sub/deep/b"}, "/sub/deep/big :6"},
		{[]string{"ls", "nope", "/"}, ":4"},
		{[]string{"config", "get", "core.m"}, "core.mode core.min-free-space-percent :4"},
		{[]string{"config", "--group=remote \"origin\"", "get", "u"}, "url :4"},
		{[]string{"help", "ref"}, "refs :4"},
		{[]string{"commit", "--base=os/"}, "os/bare os/main :4"},
		{[]string{"commit", "-b", "st"}, "stable :4"},
		{[]string{"commit", "--tree=r"}, "ref= :6"},
		{[]string{"commit", "--tree=ref=os/"}, "ref=os/bare ref=os/main :4"},
		{[]string{"prune", "--only-branch", "os/b"}, "os/bare :4"},
		{[]string{"checkout", "os/main", "--subpath", "/s"}, "/sub/ :6"},
		{[]string{"pull-local", ""}, ":16"},
		{[]string{"pull-local", r.path, "os/"}, "os/bare os/main :4"},
	} {
		args := append([]string{"__completeNoDesc", "--repo", r.path}, c.words...)
		if c.words[0] == "help" {
			args = append([]string{"__complete"}, c.words...)
		}
		got := deployfs(t, args...)
		if fields := strings.Join(strings.Fields(got.out), " "); fields != c.want || got.err != "" {
			t.Errorf("%q:\n got %s %s\nwant %s", c.words, fields, got.err, c.want)
		}
	}
}

// TestCompletionScripts lets each shell that is here read its script.
func TestCompletionScripts(t *testing.T) {
	dir := scratch(t)
	for shell, check := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		got := deployfs(t, "completion", shell)
		path := filepath.Join(dir, shell)
		if err := os.WriteFile(path, []byte(got.out), 0o644); err != nil || got.code != 0 {
			t.Fatal(shell, got.code, err)
		}
		if have(shell) {
			must(t, append(append([]string{shell}, check...), path)...)
		}
	}
}

// TestManPages writes all pages, one for each verb that help lists, and formats them.
func TestManPages(t *testing.T) {
	dir := scratch(t)
	deployfs(t, "man", "--dir", dir)
	for line := range strings.SplitSeq(deployfs(t, "--help").out, "\n") {
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(verb, "-") || verb == "deployfs" {
			continue
		}
		page := filepath.Join(dir, "deployfs-"+verb+".1")
		if _, err := os.Stat(page); err != nil {
			t.Error(err)
		} else if have("man") {
			if got := (command{args: []string{"man", "--warnings", "-l", page}, env: []string{"MANWIDTH=80"}}).run(t); got.code != 0 || got.err != "" {
				t.Errorf("%s: %s", page, got.err)
			}
		}
	}
}
