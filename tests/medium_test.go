package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const ourCollection = "org.example.Us"

// carrying is a repository with a collection, whose commits a key signs, and a home directory below
// which media are mounted.
type carrying struct {
	gpgHome
	src    string
	client string // a repository that trusts the key for the collection, and knows no place to pull from
	home   string
	keyID  string
}

func newCarrying(t *testing.T) carrying {
	t.Helper()
	c := carrying{gpgHome: newGPGHome(t), src: newRepo(t, "archive")}
	ostree(t, c.src, "config", "set", "core.collection-id", ourCollection)
	c.gpg("--quick-gen-key", "Ada <ada@example.org>", "ed25519", "sign", "never")
	c.keyID = c.fingerprint("ada@")
	c.gpg("--output", c.dir+"/key.gpg", "--export", "ada@")
	for _, ref := range []string{"one", "two", "three"} {
		c.commit(ref, "1700000000")
	}
	ostree(t, c.src, "summary", "-u")
	c.client = newRepo(t, "bare-user")
	ostree(t, c.client, "remote", "add", "our", "file:///nowhere", "--collection-id="+ourCollection, "--gpg-import="+c.dir+"/key.gpg")
	return c
}

func (c carrying) commit(ref, time string, options ...string) string {
	c.t.Helper()
	return commit(c.t, c.src, ref, forest(c.t, "plain"), append([]string{"--timestamp=@" + time, "--gpg-sign=" + c.keyID, "--gpg-homedir=" + c.dir}, options...)...)
}

// mount mounts an empty file system that counts as a medium.
func (c carrying) mount(name string) (dir string) {
	c.t.Helper()
	image, dir := filepath.Join(scratch(c.t), "image"), filepath.Join(c.home, name)
	must(c.t, "truncate", "-s", "4M", image)
	must(c.t, "mkfs.ext4", "-q", "-O", "^has_journal", image)
	must(c.t, "mkdir", dir)
	need(c.t, command{args: []string{"mount", "-o", "loop", image, dir}}.run(c.t).code == 0, "no file can be mounted as a device")
	c.t.Cleanup(func() { must(c.t, "umount", dir) })
	return dir
}

// run runs a program, "ostree" or ours, for a user with the media.
func (c carrying) run(program, repo string, args ...string) outcome {
	c.t.Helper()
	if program != "ostree" {
		program = binary(c.t, program)
	}
	return command{args: append([]string{program, "--repo=" + repo}, args...), env: []string{"HOME=" + c.home}, dir: c.home}.run(c.t)
}

// same runs both programs, each with a repository of its own, and wants the same of both.
func (c carrying) same(ours, theirs string, args ...string) (our outcome) {
	c.t.Helper()
	our, their := c.run("deployfs", ours, args...), c.run("ostree", theirs, args...)
	our.err, _, _ = strings.Cut(our.err, "hint: ")
	if our.code != their.code || inBlocks(our.out) != inBlocks(their.out) || lastLine(our.err) != lastLine(their.err) {
		c.t.Errorf("%s: %d\n%s%s\nwant %d\n%s%s", our.line, our.code, our.out, our.err, their.code, their.out, their.err)
	}
	return our
}

// inBlocks sorts the lines of refs that follow one another: ostree's order is that of a hash table.
func inBlocks(text string) string {
	return regexp.MustCompile(`(?m)(^    - .*\n)+`).ReplaceAllStringFunc(text, func(block string) string {
		return strings.Join(slices.Sorted(strings.Lines(block)), "")
	})
}

// TestCarried is of media, and of who has what.
func TestCarried(t *testing.T) {
	t.Parallel()
	c := newCarrying(t)
	for name, test := range map[string]func(*testing.T, carrying){
		"both ways": testCarriedBothWays, "newest": testCarriedNewest, "words": testCarriedWords,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := c
			own.t, own.src, own.home = t, clone(t, c.src), scratch(t)
			test(t, own)
		})
	}
}

// testCarriedBothWays: what one program puts on a medium the other finds there, and both say the
// same of it.
func testCarriedBothWays(t *testing.T, c carrying) {
	sticks := map[string]string{}
	for _, writer := range []string{"deployfs", "ostree"} {
		c.home = scratch(t)
		stick := c.mount("stick")
		line := []string{"create-usb", stick, ourCollection, "one", ourCollection, "two"}
		if o := c.run(writer, c.src, line...); o.code != 0 || o.out != "Copied 2/2 refs successfully from ‘"+c.src+"’ to ‘.ostree/repo’ repository in ‘"+stick+"’.\n" {
			t.Fatal(o.line, o.code, o.out, o.err)
		}
		ostree(t, stick+"/.ostree/repo", "fsck", "-q")
		c.mountNoMedia(stick)
		ours, theirs := clone(t, c.client), clone(t, c.client)
		c.same(ours, theirs, "find-remotes", "--pull", ourCollection, "one", ourCollection, "three")
		c.same(ours, theirs, "find-remotes", "--finders=mount", "--pull", "--mirror", ourCollection, "two")
		twin{theirs: theirs, ours: ours}.sameRefs(t, writer)
		ostree(t, ours, "fsck", "-q")
		sticks[writer] = stick
	}
	sameStick(t, sticks["deployfs"], sticks["ostree"])
}

// mountNoMedia mounts, beside a medium, what both programs must not take for one: a part of it, and
// a file system in memory.
func (c carrying) mountNoMedia(stick string) {
	c.t.Helper()
	part, memory := c.home+"/part", c.home+"/memory"
	must(c.t, "mkdir", part, memory, stick+"/part")
	must(c.t, "cp", "-a", stick+"/.ostree", stick+"/part")
	must(c.t, "mount", "--bind", stick+"/part", part)
	c.t.Cleanup(func() { must(c.t, "umount", part) })
	must(c.t, "mount", "-t", "tmpfs", "none", memory)
	c.t.Cleanup(func() { must(c.t, "umount", memory) })
	must(c.t, "cp", "-a", stick+"/.ostree", memory)
}

// sameStick compares what both programs have made of a medium.
func sameStick(t *testing.T, ours, theirs string) {
	t.Helper()
	list := func(dir string) string {
		names := must(t, "find", dir, "-name", "lost+found", "-prune", "-o", "-printf", "%P %M %l\n")
		lines := strings.Split(names, "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n") + must(t, "cat", dir+"/.ostree/repo/config")
	}
	if got, want := list(ours), list(theirs); got != want {
		t.Errorf("the medium has\n%s\nwant\n%s", got, want)
	}
}

// testCarriedNewest: of two repositories on a medium and a configured remote, who has the newest
// commits counts.
func testCarriedNewest(t *testing.T, c carrying) {
	stick := c.mount("stick")
	do := func(args ...string) {
		t.Helper()
		if o := c.run("deployfs", c.src, append([]string{"create-usb"}, args...)...); o.code != 0 {
			t.Fatal(o.line, o.err)
		}
	}
	do("--destination-repo=a/repo", stick, ourCollection, "one", ourCollection, "two")
	c.commit("one", "1700000001")
	do(stick, ourCollection, "one", ourCollection, "three")
	newest := c.commit("two", "1700000002")
	ostree(t, c.src, "summary", "-u", "--gpg-sign="+c.keyID, "--gpg-homedir="+c.dir)
	client := clone(t, c.client)
	ostree(t, client, "remote", "add", "far", "file://"+c.src, "--collection-id="+ourCollection, "--gpg-import="+c.dir+"/key.gpg")
	theirs := clone(t, client)
	for _, line := range []string{"one ORG two ORG three ORG four", "two"} {
		args := strings.Fields("find-remotes ORG " + line)
		for i := range args {
			args[i] = strings.Replace(args[i], "ORG", ourCollection, 1)
		}
		c.same(client, theirs, append(args, "--pull")...)
		twin{theirs: theirs, ours: client}.sameRefs(t, line)
	}
	o := c.run("deployfs", client, "find-remotes", "--json", ourCollection, "two", ourCollection, "four")
	var got struct {
		Results []struct{ URL, Finder, Remote string }
		Missing []struct{ Ref string }
	}
	if err := json.Unmarshal([]byte(o.out), &got); err != nil || len(got.Results) != 1 || got.Results[0].URL != "file://"+c.src ||
		got.Results[0].Finder != "config" || got.Results[0].Remote != "far" || len(got.Missing) != 1 || !strings.Contains(o.out, newest) {
		t.Error(err, o.out)
	}
}

// testCarriedWords: what wrong use, and what can't be done, is answered with.
func testCarriedWords(t *testing.T, c carrying) {
	stick := c.home + "/dir"
	must(t, "mkdir", stick)
	ours, theirs := clone(t, c.src), c.src
	for _, line := range []string{
		"find-remotes", "find-remotes ORG", "find-remotes ORG a b", "find-remotes bad a", "find-remotes ORG a//b", "find-remotes --mirror ORG a",
		"find-remotes --finders= ORG a", "find-remotes --finders=mail ORG a", "find-remotes --finders=mount,mount ORG a", "find-remotes ORG nope",
		"create-usb", "create-usb STICK", "create-usb STICK ORG", "create-usb STICK ORG one ORG", "create-usb STICK bad one", "create-usb STICK ORG a//b",
		"create-usb /nowhere ORG one", "create-usb STICK ORG nope", "create-usb --commit=x STICK ORG one ORG two",
		"create-usb --destination-repo=/tmp STICK ORG", "create-usb --commit=SUM STICK ORG two", "create-usb --commit=NONE STICK ORG two",
	} {
		args := strings.Fields(line)
		for i := range args {
			args[i] = strings.NewReplacer("ORG", ourCollection, "STICK", stick, "SUM", ostree(t, theirs, "rev-parse", "one"), "NONE", strings.Repeat("1", 64)).Replace(args[i])
		}
		c.same(ours, theirs, args...)
	}
	for line, want := range map[string]string{ // where ostree hangs, dies, or writes elsewhere
		"find-remotes --finders=config,lan ORG a":             "error: LAN repo finder requested but ostree was compiled without Avahi support\n",
		"create-usb --commit=abc STICK ORG one":               "error: \"abc\" is not a checksum: want 64 digits of 0-9a-f\n",
		"create-usb --destination-repo=../out STICK ORG one":  "error: --destination-repo must be a descendent of MOUNT-PATH\n",
		"create-usb --destination-repo=STICK/x STICK ORG one": "error: --destination-repo must be a descendent of MOUNT-PATH\n",
	} {
		args := strings.Fields(strings.NewReplacer("ORG", ourCollection, "STICK", stick).Replace(line))
		if o := c.run("deployfs", ours, args...); o.code != 1 || o.out != "" || !strings.HasSuffix(o.err, want) {
			t.Errorf("%s: %d %s%s", line, o.code, o.out, o.err)
		}
	}
	if _, err := os.Lstat(c.home + "/out"); err == nil {
		t.Error("something was written outside of the medium")
	}
}
