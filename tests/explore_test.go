package tests

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// demoRepo unpacks the repository of deployfs demo: three commits of demo/os/x86_64.
func demoRepo(t testing.TB) string {
	t.Helper()
	repo := scratch(t)
	command{args: []string{"tar", "-xzf", "../cmd/deployfs/demo/repo.tar.gz", "-C", repo}, dir: "."}.must(t)
	return repo
}

// TestExplore goes through a repository on a real terminal.
func TestExplore(t *testing.T) {
	t.Parallel()
	repo := demoRepo(t)
	s := openScreen(t, 80, 24)
	s.run(binary(t, "deployfs"), "explore", "--repo="+repo)
	s.await("> ", "demo/os/x86_64  39adad342d  2024-07-03 09:46  2.0  Demo OS 2.0")
	s.press("Enter", "bb0f412287  2023-11-14 22:13  1.0  Demo OS 1.0")
	s.press("Enter", "ecedd5e5450db51e7697b9b5b81126abed4aa711c07b76ca417c369ba1fbb9f8")
	s.press("Enter", "lrwxrwxrwx     0     0      0  bin -> usr/bin")
	s.press("/ u s r Enter Enter", "/usr of 39adad342d")
	s.press("/ b i n Enter Enter", "-rwsr-xr-x")
	s.press("/ h e l l o Enter Enter", "echo hello from the demo")
	s.press("x", "00000000  23 21 2f 62")
	s.tmux("resize-window", "-x", "40", "-y", "10")
	s.await("00000004  69 6e 2f 73  in/s")
	s.tmux("resize-window", "-x", "9", "-y", "2")
	s.tmux("resize-window", "-x", "200", "-y", "50")
	s.await("› usr › bin › hello", "#!/bin/sh.echo h")
	s.press("q q q q q", "log of demo/os/x86_64")
	s.press("Space j Space", "2 marked")
	s.press("d", "ecedd5e545 to 39adad342d: 2 added, 2 removed, 1 changed")
	s.await("D /usr/lib/modules/6.12.0-demo/", "M /usr/lib/os-release")
	s.press("j j j Enter", "-VERSION_ID=1.1")
	s.press("q ?", "Ctrl-C")
	s.press("q", "Enter patch")
	s.press("Tab", "Enter log") // the views go round
	must(t, "ostree", "--repo="+repo, "refs", "--create=later", "demo/os/x86_64")
	s.await("later") // refs are followed
	s.keys("Q")
	s.clean(0)
}

// TestExploreMount mounts what is shown.
func TestExploreMount(t *testing.T) {
	needFuse(t)
	t.Parallel()
	dir := scratch(t)
	s := openScreen(t, 120, 24)
	s.run("XDG_RUNTIME_DIR="+dir, binary(t, "deployfs"), "explore", "--repo="+demoRepo(t), "demo/os/x86_64")
	s.await("Demo OS 1.0")
	s.press("t", "usr/")
	s.press("/ u s r Enter Enter", "libexec")
	s.press("m", "mount at: /run/deployfs/explore/39adad342d-usr")
	s.press("Enter", "mounted at /run/deployfs/explore/39adad342d-usr")
	if text, err := os.ReadFile("/run/deployfs/explore/39adad342d-usr/bin/hello"); err != nil || !strings.Contains(string(text), "hello") {
		t.Errorf("%q, %v", text, err)
	}
	s.press("u", "unmounted /run/deployfs/explore/39adad342d-usr")
	s.press("q q", "log of")
	s.press("m", "mount at: ")
	s.keys("C-u")
	s.tmux("send-keys", "-l", dir+"/here")
	s.press("Enter", "1 mounted")
	s.press("Q", "still mounted: "+dir+"/here")
	must(t, binary(t, "deployfs"), "umount", dir+"/here")
	s.clean(0)
}

// TestExploreEnds holds how it ends when it can't begin, or is told to.
func TestExploreEnds(t *testing.T) {
	t.Parallel()
	repo := demoRepo(t)
	for _, c := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"--repo=" + repo}, 1, "error: explore needs a terminal\n"},
		{[]string{"--repo=" + repo, "nowhere"}, 1, "error: Refspec 'nowhere' not found\n"},
		{[]string{"--repo=/nowhere"}, 1, "error: opening repo: opendir(/nowhere): No such file or directory\n"},
		{[]string{"a", "b"}, 2, "error: one commit at most, not 2 arguments\nhint: usage: deployfs explore [OPTION…] [REV]\n"},
	} {
		o := deployfs(t, append([]string{"explore"}, c.args...)...)
		if o.code != c.code || o.err != c.err || o.out != "" {
			t.Errorf("%s: exit %d, %q, %q", o.line, o.code, o.out, o.err)
		}
	}
	s := openScreen(t, 100, 24)
	s.run("TERM=dumb", binary(t, "deployfs"), "explore", "--repo="+repo)
	s.await(`error: explore needs a terminal that can move its cursor, not TERM="dumb"`)
	s.clean(1)
	file := scratch(t) + "/pid"
	s.run("sh -c 'echo $$ >"+file+"; exec", binary(t, "deployfs"), "explore", "--repo="+repo+"'")
	s.await("demo/os/x86_64  39adad342d")
	text, err := os.ReadFile(file)
	pid, err2 := strconv.Atoi(strings.TrimSpace(string(text)))
	if err := errors.Join(err, err2, syscall.Kill(pid, syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	s.clean(130)
}

// TestExploreWithoutColours holds that NO_COLOR is heard.
func TestExploreWithoutColours(t *testing.T) {
	t.Parallel()
	s := openScreen(t, 80, 24)
	s.run("clear; NO_COLOR=1", binary(t, "deployfs"), "explore", "--repo="+demoRepo(t))
	s.await("demo/os/x86_64  39adad342d")
	if text := s.tmux("capture-pane", "-p", "-e"); regexp.MustCompile(`\x1b\[(\d+;)*3[0-7]`).MatchString(text) {
		t.Errorf("%q", text)
	}
	s.keys("q")
	s.clean(0)
}

// TestPagerOnTerminal holds that a long log is paged, and a short one is not in the way.
func TestPagerOnTerminal(t *testing.T) {
	t.Parallel()
	need(t, have("less"), "less is not installed (tests/setup.sh installs it)")
	s := openScreen(t, 100, 10)
	s.run("clear;", binary(t, "deployfs"), "log", "--repo="+demoRepo(t), "demo/os/x86_64")
	s.await("commit 39adad342d377ae2f73844b7b9ffd612eecde52a07b1453f6cc788969bd8b5ad", ":")
	if text := s.tmux("capture-pane", "-p", "-e"); !strings.Contains(text, "\x1b[33mcommit 39adad") {
		t.Errorf("%q", text)
	}
	s.keys("C-c", "C-c")
	s.press("G", "Demo OS 1.0")
	s.keys("q")
	s.clean(0)
}
