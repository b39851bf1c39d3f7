package tests

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wire is an empty repository twice, with a remote that a server has.
type wire struct {
	twin
	server *badServer
	loose  bool // what is fetched is not compared
}

// newWire serves a repository to twins of a mode. Settings are of the remote.
func newWire(t *testing.T, mode, src string, settings ...string) wire {
	t.Helper()
	server := serveBadly(t, src, nil)
	repo := newRepo(t, mode)
	add := []string{"remote", "add", "--no-gpg-verify"}
	for _, setting := range settings {
		add = append(add, "--set="+setting)
	}
	ostree(t, repo, append(add, "origin", server.URL)...)
	return wire{newTwin(t, repo), server, false}
}

var took = regexp.MustCompile(`in \d+ seconds`)

// both runs both programs, and compares what they say but for the time that it took.
func (w wire) both(t *testing.T, line string) {
	t.Helper()
	run := func(program, repo string) (outcome, int) {
		w.server.forget()
		o := command{args: append([]string{program, "--repo=" + repo}, strings.Fields(line)...), dir: repo}.run(t)
		o.out = took.ReplaceAllString(o.out, "in a moment")
		return o, w.server.objects()
	}
	want, asked := run("ostree", w.theirs)
	got, also := run(binary(t, "deployfs"), w.ours)
	if w.loose && !strings.Contains(line, "--dry-run") {
		want.out, asked = got.out, also
	}
	if want.code != got.code || want.out != got.out || lastLine(want.err) != lastLine(got.err) {
		t.Errorf("%s: exit %d %q %q, want %d %q %q", line, got.code, got.out, got.err, want.code, want.out, want.err)
	}
	if want.code == 0 && asked != also {
		t.Errorf("%s: asked for %d objects, ostree for %d", line, also, asked)
	}
}

// publish is [pullSource] with a summary.
func publish(t *testing.T) string {
	t.Helper()
	src := pullSource(t, "archive")
	ostree(t, src, "summary", "-u")
	return src
}

// TestPullWords: over HTTP the same comes as with ostree, by as many requests for objects, and the same
// is said.
func TestPullWords(t *testing.T) {
	t.Parallel()
	src := publish(t)
	bare := pullSource(t, "archive") // without a summary
	tip, old := ostree(t, src, "rev-parse", "main"), ostree(t, src, "rev-parse", "main^")
	for i, line := range []string{
		"archive: pull origin main; pull origin main; pull --depth=-1 origin main other; remote refs origin",
		"bare: pull origin:other; pull --commit-metadata-only origin main; pull origin main; remote summary --raw origin",
		"bare-user: pull --subpath=/sub --subpath=/empty origin main; pull origin main",
		"archive: pull --mirror origin; pull --mirror --depth=1 origin main; pull --mirror --http-trusted origin",
		"bare: pull origin main@OLD; pull -T origin main; pull -T --disable-static-deltas origin main@OLD; pull --disable-static-deltas --timestamp-check-from-rev=TIP origin main@OLD",
		"bare: pull origin TIP; pull origin OLD other; pull --disable-static-deltas origin TIP; pull --disable-static-deltas origin main@OLD",
		"bare: pull origin; pull nobody main; pull origin bad_@x; pull origin ../x; pull; remote refs nobody; remote summary; pull file://SRC main; pull file://SRC",
		"archive: pull --require-static-deltas origin main; pull --dry-run origin main; pull --http-header=x origin main",
		"bare: pull --require-static-deltas origin main; pull --url=file:///nowhere origin main; pull --url=file:///nowhere origin; pull --url=file://SRC origin; pull --localcache-repo=SRC origin main",
		"bare: pull --localcache-repo=/nowhere origin main; pull --depth=x origin main",
	} {
		for name, from := range map[string]string{"summary": src, "none": bare} {
			if name == "none" && i%2 == 1 {
				continue
			}
			t.Run(fmt.Sprint(i, " ", name), func(t *testing.T) {
				t.Parallel()
				mode, lines, _ := strings.Cut(line, ": ")
				w := newWire(t, mode, from)
				for one := range strings.SplitSeq(lines, "; ") {
					w.both(t, strings.NewReplacer("TIP", tip, "OLD", old, "SRC", src).Replace(one))
					w.sameRefs(t, one)
				}
				w.sameRepo(t, from, line)
			})
		}
	}
}

// publishDeltas is [publish] with static deltas: to the newest commit of main, from the one before and from
// nothing, and to other, in one piece.
func publishDeltas(t *testing.T) (src, tip, old string) {
	t.Helper()
	src = newRepo(t, "archive")
	dir := clone(t, forest(t, "plain"))
	old = commit(t, src, "main", dir, "--owner-uid=0", "--owner-gid=0")
	must(t, "sh", "-c", `head -c 30000 /dev/urandom >"$1/noise"; head -c 20000 "$1/noise" >"$1/less"; seq 6000 >"$1/numbers"`, "sh", dir)
	tip = commit(t, src, "main", dir, "--owner-uid=0", "--owner-gid=0")
	ostree(t, src, "refs", "--create=other", "main^")
	ostree(t, src, "static-delta", "generate", "--from="+old, "--to="+tip)
	ostree(t, src, "static-delta", "generate", "--empty", "--to="+tip, "--min-fallback-size=0")
	ostree(t, src, "static-delta", "generate", "--empty", "--to="+old, "--inline")
	ostree(t, src, "summary", "-u")
	return src, tip, old
}

// TestPullDeltas: static deltas bring the same as with ostree, which may fetch meanwhile what they bring,
// object by object.
func TestPullDeltas(t *testing.T) {
	t.Parallel()
	src, tip, old := publishDeltas(t)
	words := strings.NewReplacer("TIP", tip, "OLD", old)
	for i, line := range []string{
		"bare: pull origin main@OLD; pull --dry-run --require-static-deltas origin main; pull --require-static-deltas origin main",
		"bare-user: pull --require-static-deltas --dry-run origin main; pull origin main",
		"bare: pull origin TIP; pull --require-static-deltas origin main; pull --require-static-deltas --dry-run origin main",
		"bare: pull --commit-metadata-only origin main@OLD; pull origin main; pull --depth=1 --require-static-deltas origin OLD",
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			mode, lines, _ := strings.Cut(line, ": ")
			w := newWire(t, mode, src)
			w.loose = true
			for one := range strings.SplitSeq(lines, "; ") {
				w.both(t, words.Replace(one))
				w.sameRefs(t, one)
			}
			w.sameRepo(t, src, line)
			ostree(t, w.ours, "fsck", "-q")
		})
	}
	t.Run("written", func(t *testing.T) { // is only what comes object by object
		t.Parallel()
		w := newWire(t, "bare", src)
		o := command{args: []string{binary(t, "deployfs"), "--repo=" + w.ours, "pull", "origin", "main"}}.run(t)
		if o.succeeds(t); !strings.Contains(o.out, " delta parts, ") || !strings.HasSuffix(o.out, "; 0 bytes content written\n") {
			t.Errorf("it says %q", o.out)
		}
	})
	for name, lie := range deltaLies(t, src, tip) {
		t.Run(name, func(t *testing.T) { lie.refused(t, src) })
	}
}

// deltaLie is what a server says of a delta, and what there is to say about that.
type deltaLie struct {
	wrong mischief
	text  string
}

func deltaLies(t *testing.T, src, tip string) map[string]deltaLie {
	t.Helper()
	superblocks, err := filepath.Glob(src + "/deltas/*/*/superblock")
	if err != nil || len(superblocks) != 3 {
		t.Fatalf("superblocks %q, %v", superblocks, err)
	}
	another := func(a asked) []byte {
		at := slices.IndexFunc(superblocks, func(path string) bool { return readText(t, path) != string(a.data) })
		return []byte(readText(t, superblocks[at]))
	}
	return map[string]deltaLie{
		"superblock of another": {of("superblock", send(another)), "Invalid checksum for static delta " + tip},
		"part with a bit off":   {of("/0", send(bitOff)), "Checksum mismatch in static delta part"},
		"part too long":         {of("/0", send(extended)), "exceeded maximum size"},
		"index of pages":        {of(".index", send(portal)), "index of static deltas: "},
	}
}

// refused fails the test unless a lie is found out, nothing is left of it, and the next pull goes well.
func (l deltaLie) refused(t *testing.T, src string) {
	t.Parallel()
	p := newPuller(t, "bare", serveBadly(t, src, nil).URL)
	pull := func(options ...string) outcome {
		return command{args: append([]string{binary(t, "deployfs"), "pull", "--repo=" + p.repo, "origin", "main"}, options...)}.run(t)
	}
	if o := pull("--network-retries=0", "--url="+serveBadly(t, src, l.wrong).URL); o.code != 1 || !strings.Contains(o.err, l.text) {
		t.Errorf("exit %d %s, want %s", o.code, o.err, l.text)
	}
	p.showsNothing()
	pull().succeeds(t)
	ostree(t, p.repo, "fsck", "-q")
}
