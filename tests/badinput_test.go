package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// refused runs mount with a new, empty mountpoint and checks that it is refused with these words.
func refused(t *testing.T, what string, args []string, words ...string) {
	t.Helper()
	needFuse(t)
	t.Run(what, func(t *testing.T) {
		t.Helper()
		dir := scratch(t)
		binary(t, "deployfs")
		oneError(t, deployfs(t, append(append([]string{"mount"}, args...), dir)...), dir, words...)
	})
}

func TestBadRepository(t *testing.T) {
	plain := sharedRepo(t, "archive", "plain")
	empty := scratch(t)
	refused(t, "missing", []string{"--repo=" + empty + "/no", "plain"}, empty+"/no")
	refused(t, "empty directory", []string{"--repo=" + empty, "plain"}, empty)
	refused(t, "file", []string{"--repo=" + plain + "/config", "plain"}, plain+"/config")
	for what, text := range map[string]string{
		"unknown mode":    "[core]\nrepo_version=1\nmode=nonsense\n",
		"unknown version": "[core]\nrepo_version=2\nmode=archive\n",
		"no key file":     "what is this\n",
		"empty config":    "",
		"binary config":   "\x00\xff\x00",
	} {
		repo := clone(t, plain)
		os.WriteFile(repo+"/config", []byte(text), 0o644)
		refused(t, what, []string{"--repo=" + repo, "plain"})
	}
	repo := clone(t, plain)
	os.Remove(repo + "/config")
	refused(t, "no config", []string{"--repo=" + repo, "plain"}, repo)
	os.Mkdir(repo+"/config", 0o755)
	refused(t, "config is a directory", []string{"--repo=" + repo, "plain"}, repo)
	os.Remove(repo + "/config")
	unix.Mkfifo(repo+"/config", 0o644)
	refused(t, "config is a fifo", []string{"--repo=" + repo, "plain"}, repo)
	self := clone(t, plain)
	ostree(t, self, "config", "set", "core.parent", self)
	refused(t, "its own parent", []string{"--repo=" + self, "nope"}, "")
}

func TestBadRevision(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	absent := strings.Repeat("0123456789abcdef", 4)
	repoArg := "--repo=" + repo
	refused(t, "unknown ref", []string{repoArg, "nope"}, "Refspec 'nope' not found")
	refused(t, "unknown remote", []string{repoArg, "far:plain"}, "far:plain")
	refused(t, "no parent", []string{repoArg, "plain^"}, "has no parent")
	refused(t, "absent checksum", []string{repoArg, absent}, absent)
	refused(t, "invalid name", []string{repoArg, "../x"}, "../x")
	refused(t, "invalid name with newline", []string{repoArg, "a\nb"}, "")
	os.Mkdir(repo+"/refs/heads/sub", 0o755)
	refused(t, "directory of refs", []string{repoArg, "sub"}, "sub")

	for name, text := range map[string]string{"empty": "", "junk": "junk\n", "long": strings.Repeat("a", 5000), "upper": strings.ToUpper(absent) + "\n"} {
		os.WriteFile(repo+"/refs/heads/"+name, []byte(text), 0o644)
		refused(t, "ref file "+name, []string{repoArg, name}, "")
	}
	os.WriteFile(repo+"/refs/heads/dangling", []byte(absent+"\n"), 0o644)
	refused(t, "ref to an absent commit", []string{repoArg, "dangling"}, absent)
	secret := scratch(t) + "/secret"
	os.WriteFile(secret, []byte("hidden text\n"), 0o600)
	os.Symlink(secret, repo+"/refs/heads/escape")
	o := deployfs(t, "mount", repoArg, "escape", scratch(t))
	if oneError(t, o, ""); strings.Contains(o.err, "hidden") {
		t.Errorf("a ref that is a link out of the repository shows its target: %q", o.err)
	}
	unix.Mkfifo(repo+"/refs/heads/fifo", 0o644)
	refused(t, "ref is a fifo", []string{repoArg, "fifo"}, "")
}

// TestAmbiguousPrefix makes commits until two share their first digit.
func TestAmbiguousPrefix(t *testing.T) {
	repo := newRepo(t, "archive")
	empty := scratch(t)
	seen := map[byte]bool{}
	for i := 0; ; i++ {
		sum := ostree(t, repo, "commit", "--orphan", "--timestamp=@"+strings.Repeat("1", i+1), "--tree=dir="+empty)
		if seen[sum[0]] {
			refused(t, "two commits", []string{"--repo=" + repo, sum[:1]}, "Refspec "+sum[:1]+" not unique")
			return
		}
		seen[sum[0]] = true
	}
}

// TestBadRootObjects damages or removes each object that is needed before anything can be shown.
func TestBadRootObjects(t *testing.T) {
	for _, mode := range []string{"archive", "bare-user"} {
		repo := clone(t, sharedRepo(t, mode, "plain"))
		_, tree := objectOf(t, repo, "plain", "/")
		sums := map[string]string{"commit": ostree(t, repo, "rev-parse", "plain"), "dirtree": tree, "dirmeta": dirmetaOf(t, repo, "plain", "/")}
		for kind, sum := range sums {
			path := objectPath(repo, sum, kind)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"--repo=" + repo, "plain"}
			for what, data := range map[string][]byte{
				"flipped bit": flipped(whole, len(whole)-1), "first bit": flipped(whole, 0), "cut": whole[:len(whole)/2], "empty": {}, "longer": append(whole[:len(whole):len(whole)], 0),
			} {
				os.WriteFile(path, data, 0o644)
				refused(t, mode+" "+kind+" "+what, args, sum)
			}
			os.Remove(path)
			refused(t, mode+" "+kind+" absent", args, sum)
			os.Mkdir(path, 0o755)
			refused(t, mode+" "+kind+" is a directory", args, sum)
			os.Remove(path)
			unix.Mkfifo(path, 0o644)
			refused(t, mode+" "+kind+" is a fifo", args, sum)
			os.Remove(path)
			os.WriteFile(path, whole, 0o644)
		}
	}
}

// flipped returns data with one bit of the byte at i changed.
func flipped(data []byte, i int) []byte {
	c := append([]byte(nil), data...)
	c[i] ^= 0x10
	return c
}

func TestBadMountpoint(t *testing.T) {
	needFuse(t)
	repo := sharedRepo(t, "archive", "plain")
	binary(t, "deployfs")
	mount := func(args ...string) outcome {
		return deployfs(t, append([]string{"mount", "--repo=" + repo}, args...)...)
	}
	dir := scratch(t)
	oneError(t, mount("plain", dir+"/no"), dir+"/no", dir+"/no")
	file := dir + "/file"
	os.WriteFile(file, nil, 0o644)
	oneError(t, mount("plain", file), file, file)
	oneError(t, mount("plain", file+"/below"), "", file)
	oneError(t, mount("plain", ""), "")
	oneError(t, mount("plain", dir+"/"+strings.Repeat("n", 300)), "")
	loop := dir + "/loop"
	os.Symlink("loop", loop)
	oneError(t, mount("plain", loop), loop, loop)

	oneError(t, mount("plain", dir), dir, dir, "not empty")
	mountOn(t, dir, "--repo="+repo, "--nonempty", "plain")
	o := mount("plain", dir)
	if o.code != 1 || !strings.Contains(o.err, "mounted already") || !strings.Contains(o.err, dir) || len(mountsAt(t, dir)) != 1 || len(running("serve")) != 1 {
		t.Errorf("mounting twice: exit %d %q, mounts %v, servers %v", o.code, o.err, mountsAt(t, dir), servers())
	}
	umounted(t, dir)
	if modeOf(file) == 0 {
		t.Error("the file below --nonempty is gone")
	}
}

func TestBadSubpath(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for _, path := range []string{"/no", "/usr/no/more", "/usr/share/doc/README", "/usr/share/doc/README/x", "/bin"} {
		refused(t, path, []string{"--repo=" + repo, "--subpath=" + path, "plain"}, strings.Trim(filepath.Clean(path), "/"))
	}
}

// TestUsage checks the exit status of command lines that cannot be meant.
func TestUsage(t *testing.T) {
	repo := "--repo=" + sharedRepo(t, "archive", "plain")
	binary(t, "deployfs")
	dir := scratch(t)
	for _, args := range [][]string{
		{"mount"}, {"mount", repo}, {"mount", repo, "plain"}, {"mount", repo, "plain", dir, "more"}, {"mount", repo, "--verify=maybe", "plain", dir},
		{"mount", repo, "--cache-size=lots", "plain", dir}, {"mount", repo, "--cache-size=-1", "plain", dir}, {"mount", repo, "--mtime=now", "plain", dir},
		{"mount", repo, "--no-such-option", "plain", dir}, {"umount"}, {"umount", dir, dir}, {"mounts", "word"},
	} {
		o := deployfs(t, args...)
		if o.code != 2 || o.out != "" || !strings.Contains(o.err, "error: ") || isMounted(t, dir) || len(servers()) != 0 {
			t.Errorf("%s: exit %d, want 2 and an error, got %q %q", strings.Join(args, " "), o.code, o.out, o.err)
		}
	}
}
