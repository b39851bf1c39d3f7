package tests

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// wire is an empty repository twice, with a remote that a server has.
type wire struct {
	twin
	server *badServer
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
	return wire{newTwin(t, repo), server}
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
		"bare: pull origin; pull nobody main; pull origin bad_@x; pull origin ../x; pull; remote refs nobody; remote summary",
		"archive: pull --require-static-deltas origin main; pull --dry-run origin main; pull --http-header=x origin main",
		"bare: pull --require-static-deltas origin main; pull --url=file:///nowhere origin main; pull --localcache-repo=SRC origin main",
		"bare: pull --localcache-repo=/nowhere origin main; pull --depth=x origin main",
	} {
		for name, from := range map[string]string{"summary": src, "none": bare} {
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
