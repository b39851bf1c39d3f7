package tests

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pullTwin is an empty repository twice, and one to pull from.
func pullTwin(t *testing.T, mode, src string) (twin, string) {
	t.Helper()
	return newTwin(t, newRepo(t, mode)), src
}

// sameRepo compares what is in both repositories but for what is temporary: names, owners,
// permissions, what is linked to the source, and all contents but those of archives.
func (w twin) sameRepo(t *testing.T, src, line string) {
	t.Helper()
	want, got := storeOf(t, w.theirs, src), storeOf(t, w.ours, src)
	for _, one := range want {
		if !slices.Contains(got, one) {
			t.Errorf("%s: missing: %s", line, one)
		}
	}
	for _, one := range got {
		if !slices.Contains(want, one) {
			t.Errorf("%s: not made by ostree: %s", line, one)
		}
	}
}

func storeOf(t *testing.T, repo, src string) (list []string) {
	t.Helper()
	for _, dir := range []string{"objects", "refs", "state"} {
		err := filepath.WalkDir(filepath.Join(repo, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(path, repo)
			var own, other unix.Stat_t
			if err := unix.Lstat(path, &own); err != nil {
				return err
			}
			linked := unix.Lstat(src+name, &other) == nil && own.Ino == other.Ino
			line := fmt.Sprintf("%s %o %d:%d linked=%v", name, own.Mode, own.Uid, own.Gid, linked)
			if own.Mode&unix.S_IFMT == unix.S_IFREG && !strings.HasSuffix(name, ".filez") {
				line += fmt.Sprintf(" %x", sha256.Sum256([]byte(readText(t, path))))
			}
			if strings.HasSuffix(name, ".file") && own.Mode&unix.S_IFMT == unix.S_IFREG {
				line += fmt.Sprint(" at ", own.Mtim.Sec)
			}
			list = append(list, line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestPullLocalModes: between all modes the same comes, the same way, and ostree finds it good.
func TestPullLocalModes(t *testing.T) {
	t.Parallel()
	for from, name := range map[string]string{"bare": "traps", "bare-user": "traps", "archive": "traps", "bare-user-only": "plain"} {
		src := sharedRepo(t, from, name)
		for _, to := range []string{"bare", "bare-user", "archive", "bare-user-only"} {
			if to == "bare-user-only" && from != to {
				continue // its files have modes that this one can't keep
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				w, _ := pullTwin(t, to, src)
				for _, line := range []string{"pull-local " + src, "pull-local --untrusted " + src + " " + name} {
					w.both(t, line)
					w.sameRepo(t, src, line)
				}
				ostree(t, w.ours, "fsck", "-q")
			})
		}
	}
}

// pullSource is a repository with two commits of main, one of other, an alias, and detached metadata.
func pullSource(t *testing.T, mode string) string {
	t.Helper()
	src := newRepo(t, mode)
	commit(t, src, "main", forest(t, "plain"), "--owner-uid=0", "--owner-gid=0")
	commit(t, src, "main", forest(t, "plain"), "--add-detached-metadata-string=k="+strings.Repeat("v", 3000))
	commit(t, src, "other", forest(t, "plain"), "--add-metadata-string=version=2")
	return src
}

// TestPullLocalWords: what is said and left when a pull has less to do, or fails.
func TestPullLocalWords(t *testing.T) {
	t.Parallel()
	src := pullSource(t, "archive")
	tip := ostree(t, src, "rev-parse", "main")
	zero := strings.Repeat("0", 64)
	for _, line := range []string{
		"SRC; SRC; --depth=-1 SRC; --depth=-1 SRC",
		"--commit-metadata-only SRC main; SRC main",
		"--commit-metadata-only --depth=1 SRC; --depth=1 SRC; SRC",
		"--remote=origin SRC main; --remote=origin --depth=-1 SRC other main",
		"SRC TIP; SRC TIP main main; SRC " + tip[:12],
		"--untrusted --bareuseronly-files SRC; --disable-fsync SRC; --per-object-fsync --depth=1 SRC",
		"/nowhere; SRC nope; SRC a:b; SRC bad_name; SRC ../x; --depth=x SRC; --remote=a/b SRC main",
		"--gpg-verify SRC; --gpg-verify-summary SRC; --gpg-verify-summary --remote=o SRC",
		"--gpg-verify --remote=o SRC main; --require-static-deltas SRC main; --require-static-deltas SRC TIP",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			w, _ := pullTwin(t, "bare", src)
			for one := range strings.SplitSeq(line, ";") {
				args := strings.NewReplacer("SRC", src, "TIP", tip).Replace(strings.TrimSpace(one))
				w.both(t, "pull-local "+args)
				w.sameRefs(t, args)
			}
			if !strings.Contains(line, "/nowhere") && !strings.Contains(line, "gpg") {
				w.sameRepo(t, src, line)
			}
		})
	}
	w, _ := pullTwin(t, "bare", src)
	w.both(t, "pull-local "+src+" "+zero)
	if left, _ := filepath.Glob(w.ours + "/state/*"); left != nil {
		t.Errorf("a commit that nobody has is marked: %q", left)
	}
}

// TestPullLocalSummary: with a summary at the source, even an old one, it says what refs mean.
func TestPullLocalSummary(t *testing.T) {
	t.Parallel()
	src := pullSource(t, "bare-user")
	ostree(t, src, "summary", "-u")
	commit(t, src, "main", forest(t, "plain"), "--add-metadata-string=version=3")
	commit(t, src, "new", forest(t, "plain"))
	w, _ := pullTwin(t, "bare", src)
	for _, line := range []string{src + " main", src + " new", src, "--require-static-deltas " + src + " main"} {
		w.both(t, "pull-local "+line)
		w.sameRefs(t, line)
	}
	w.sameRepo(t, src, "summary")
}

// TestPullLocalBindings: of a repository with a collection, commits must say that they belong to it.
func TestPullLocalBindings(t *testing.T) {
	t.Parallel()
	src := pullSource(t, "archive")
	ostree(t, src, "refs", "--create=stray", "main")
	w, _ := pullTwin(t, "archive", src)
	w.both(t, "pull-local "+src+" stray")
	ostree(t, src, "config", "set", "core.collection-id", "org.example.Us")
	commit(t, src, "good", forest(t, "plain"))
	commit(t, src, "bad", forest(t, "plain"), "--no-bindings")
	commit(t, src, "strange", forest(t, "plain"), "--add-metadata-string=ostree.collection-binding=org.example.Them")
	free, _ := pullTwin(t, "archive", src) // what ostree refuses it has staged, and finds it the next time
	for _, line := range []string{"good", "bad", "strange", "other", "stray"} {
		w.both(t, "pull-local "+src+" "+line)
		free.both(t, "pull-local --disable-verify-bindings "+src+" "+line)
	}
	free.sameRepo(t, src, "bindings")
}

// TestPullLocalDamage: what ostree says of damaged sources, where they are not trusted.
func TestPullLocalDamage(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"bare", "archive"} {
		src := pullSource(t, mode)
		for _, kind := range []string{"file", "dirtree", "dirmeta", "commit"} {
			damaged := clone(t, src)
			path, err := firstObject(damaged, kind)
			if err != nil {
				t.Fatal(err)
			}
			w, _ := pullTwin(t, "bare", damaged)
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("pull-local --depth=-1 --disable-verify-bindings %s", damaged)
			if kind != "commit" {
				w.both(t, line)
				w.both(t, line+" --untrusted")
			}
			must(t, "sh", "-c", `cp -a "$1.away" "$1.new"; printf x >>"$1.new"; mv "$1.new" "$1"`, "sh", path)
			if mode != "archive" || kind != "file" {
				w.both(t, line+" --untrusted")
			}
			w.sameRefs(t, kind)
		}
	}
}

// firstObject is the path of an object of a repository.
func firstObject(repo, kind string) (string, error) {
	list, err := filepath.Glob(repo + "/objects/??/*." + kind + "*")
	list = slices.DeleteFunc(list, func(path string) bool {
		return strings.HasSuffix(path, ".commitmeta") || modeOf(path)&unix.S_IFMT != unix.S_IFREG
	})
	if err != nil || len(list) == 0 {
		return "", fmt.Errorf("no %s in %s: %w", kind, repo, err)
	}
	return list[0], nil
}

// TestPullLocalTakesDamage: a trusted source's damage comes, as with ostree, and is told.
func TestPullLocalTakesDamage(t *testing.T) {
	t.Parallel()
	src := pullSource(t, "bare")
	path, err := firstObject(src, "file")
	if err != nil {
		t.Fatal(err)
	}
	must(t, "sh", "-c", `cp -a "$1" "$1.new"; tr a-z A-Z <"$1" >"$1.new"; mv "$1.new" "$1"`, "sh", path)
	for _, mode := range []string{"bare", "archive"} {
		w, _ := pullTwin(t, mode, src)
		want := command{args: []string{"ostree", "--repo=" + w.theirs, "pull-local", src}}.run(t)
		got := command{args: []string{binary(t, "deployfs"), "--repo=" + w.ours, "pull-local", src}}.run(t)
		if got.code != want.code || got.out != want.out {
			t.Errorf("%s: exit %d %q, want %d %q", mode, got.code, got.out, want.code, want.out)
		}
		if told := strings.HasPrefix(got.err, "warning: corrupted file object; checksum expected='"); told != (mode == "archive") {
			t.Errorf("%s: told %q", mode, got.err)
		}
		o := command{args: []string{"ostree", "--repo=" + w.ours, "fsck"}}.run(t)
		if o.code == 0 || !strings.Contains(o.err, "Corrupted file object") {
			t.Errorf("%s: fsck: exit %d %s", mode, o.code, o.err)
		}
	}
}

// TestPullLocalTombstones: what the source has deleted on purpose is known here, too.
func TestPullLocalTombstones(t *testing.T) {
	t.Parallel()
	src := pullSource(t, "archive")
	parent := ostree(t, src, "rev-parse", "main^")
	ostree(t, src, "prune", "--delete-commit="+parent)
	w, _ := pullTwin(t, "archive", src)
	w.both(t, "pull-local --depth=-1 "+src+" main")
	ostree(t, src, "summary", "-u")
	w.both(t, "pull-local --depth=-1 "+src)
	w.sameRepo(t, src, "tombstones")
	if modeOf(objectPath(w.ours, parent, "tombstone-commit")) == 0 {
		t.Error("no tombstone has come")
	}
}

// TestPullLocalParents: objects of parent repositories come, too, and what a parent of the
// own repository holds does not come.
func TestPullLocalParents(t *testing.T) {
	t.Parallel()
	base := pullSource(t, "archive")
	src, dest := newRepo(t, "archive"), newRepo(t, "archive")
	ostree(t, src, "config", "set", "core.parent", base)
	deployfs(t, "--repo="+dest, "pull-local", src, "main").succeeds(t)
	ostree(t, dest, "fsck", "-q")

	ostree(t, src, "pull-local", base, "other")
	child := newRepo(t, "bare")
	ostree(t, child, "config", "set", "core.parent", dest)
	if o := deployfs(t, "--repo="+child, "pull-local", "--disable-verify-bindings", base, "main"); o.code != 0 || !strings.HasPrefix(o.out, "0 metadata, 0 content objects imported") {
		t.Errorf("exit %d %s%s", o.code, o.out, o.err)
	}
}

// TestPullLocalUnwritable: where nothing can be written, that is said before anything else.
func TestPullLocalUnwritable(t *testing.T) {
	t.Parallel()
	src, dest := sharedRepo(t, "archive", "plain"), newRepo(t, "archive")
	for _, args := range [][]string{{"pull-local", src}, {"pull-local"}, {"commit", "-b", "x", "--tree=dir=/nowhere"}, {"reset", "main", "main"}} {
		run := func(program string) outcome {
			return command{args: append([]string{program, "--repo=" + dest}, args...), uid: strangerID}.run(t)
		}
		want, got := run("ostree"), run(binary(t, "deployfs"))
		if got.code != want.code || got.err != want.err {
			t.Errorf("%s: exit %d %s, want %d %s", args, got.code, got.err, want.code, want.err)
		}
	}
}

// succeeds fails the test unless a command has succeeded.
func (o outcome) succeeds(t testing.TB) {
	t.Helper()
	if o.code != 0 {
		t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
	}
}
