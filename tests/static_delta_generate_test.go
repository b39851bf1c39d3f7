package tests

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDeltaGenerate has the real program show and apply what we make of every kind.
func TestDeltaGenerate(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	base := newRepo(t, "bare")
	ostree(t, base, "pull-local", s.repo, s.old)
	for name, c := range map[string]struct {
		options string
		show    string // what the real program shows of it, where it lies in the repository
		said    string
	}{
		"patches": {"--min-fallback-size=0 --from=" + s.old, `Number of parts: 1\n(.*\n)*.* open=4 write=0 .* bspatch=4\n`, "bsdiff=4 objects\n"},
		"chunks":  {"--min-fallback-size=0 --max-bsdiff-size=0", `open=4 write=\d+ .* bspatch=0\n`, "rollsum=4 objects, "},
		"whole":   {"--empty --min-fallback-size=0 --max-chunk-size=1 --swap-endianness", `Endianness: big\n(.*\n)*.*openspliceclose=.*\n(.*\n)*PartPayloadOps2`, "part 3 n:"},
		"file":    {"--min-fallback-size=0 --inline --set-endianness=B --sign-type=dummy --sign=k1 --filename=update.delta", "", "bsdiff=4 objects\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, dest := clone(t, s.repo), clone(t, base)
			args := append([]string{binary(t, "deployfs"), "static-delta", "generate", "--repo=" + repo, s.new}, strings.Fields(c.options)...)
			o := command{args: args, env: []string{"OSTREE_DUMMY_SIGN_ENABLED=1"}, dir: filepath.Dir(repo)}.run(t)
			from := s.old
			if name == "whole" {
				from = "empty"
			}
			if o.code != 0 || o.out != "Generating static delta:\n  From: "+from+"\n  To:   "+s.new+"\n" || !strings.Contains(o.err, c.said) {
				t.Fatalf("exit %d: %s%s", o.code, o.out, o.err)
			}
			path := filepath.Dir(repo) + "/update.delta"
			if c.show != "" {
				if shown := ostree(t, repo, "static-delta", "show", ostree(t, repo, "static-delta", "list")); !regexp.MustCompile(c.show).MatchString(shown + "\n") {
					t.Errorf("the real program shows\n%s", shown)
				}
				found, _ := filepath.Glob(repo + "/deltas/??/*")
				path = found[0]
			}
			command{args: []string{"ostree", "--repo=" + dest, "static-delta", "apply-offline", "--sign-type=dummy", path, "k1"}, env: []string{"OSTREE_DUMMY_SIGN_ENABLED=1"}}.must(t)
			ostree(t, dest, "fsck", "-q")
			if want, got := rootSums(t, s.repo, s.new), rootSums(t, dest, s.new); got != want {
				t.Errorf("root %s, want %s", got, want)
			}
			if got := ostree(t, dest, "show", "--print-detached-metadata-key=note", s.new); got != "'text'" {
				t.Errorf("detached metadata: %s", got)
			}
		})
	}
}

// TestDeltaGeneratePull has the real program pull by deltas: from nothing, and with something that
// is left out.
func TestDeltaGeneratePull(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	repo, dest := clone(t, s.repo), newRepo(t, "bare-user")
	deployfs(t, "static-delta", "generate", "--repo="+repo, "--empty", s.old)
	deployfs(t, "static-delta", "generate", "--repo="+repo, "--min-fallback-size=1", "main")
	ostree(t, repo, "summary", "-u")
	web := serveRepo(t, repo)
	ostree(t, dest, "remote", "add", "--no-gpg-verify", "origin", web.url)
	for _, rev := range []string{s.old, s.new} {
		ostree(t, dest, "pull", "--require-static-deltas", "origin", "main@"+rev)
	}
	ostree(t, dest, "fsck", "-q")
	parts := 0 // the real program fetches objects beside them
	for path := range web.requests {
		if strings.HasPrefix(path, "deltas/") && strings.HasSuffix(path, "/0") {
			parts++
		}
	}
	if parts != 2 {
		t.Errorf("%d parts are fetched, want both: %v", parts, web.requests)
	}
}

// TestDeltaGenerateSays compares what both programs say where there is nothing to make.
func TestDeltaGenerateSays(t *testing.T) {
	t.Parallel()
	s := newDeltaSource(t, false)
	w := newTwin(t, s.repo)
	for _, line := range []string{
		"", " nope", " --from=nope main", " " + s.old, " --from=main --empty main", " --set-endianness=x main", " --filename=no/such main", " --filename= main",
		" --from=main main", " -n --from=main main", " --sign=k --sign-type=nope --from=main main",
	} {
		w.both(t, "static-delta generate"+line)
	}
	o := deployfs(t, "static-delta", "generate", "--repo="+s.repo, "--max-chunk-size=1M", "main")
	if o.code != 1 || !strings.Contains(o.err, "'1M' is no number of megabytes") {
		t.Errorf("exit %d: %s", o.code, o.err)
	}
}
