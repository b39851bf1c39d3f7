package tests

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// summaryRepo has commits, an alias, refs of two collections and of a remote, and two static deltas.
func summaryRepo(t *testing.T, collection string) string {
	t.Helper()
	repo := refsWriteRepo(t, collection)
	ostree(t, repo, "refs", "-A", "--create=alias", "os/main")
	ostree(t, repo, "refs", "-c", "--create=org.example.Other:os/main", "os/main")
	ostree(t, repo, "refs", "-c", "--create=org.example.Another:b", "os/main")
	ostree(t, repo, "refs", "--create=origin:r/x", "os/main")
	ostree(t, repo, "static-delta", "generate", "--empty", "os/other")
	ostree(t, repo, "static-delta", "generate", "--from=os/main^", "--to=os/main")
	return repo
}

// lastModified is the time in a summary, which is not the same in two: a number behind its key.
var lastModified = regexp.MustCompile(`(?s)(ostree\.summary\.last-modified\x00*)....(....\x00t)`)

// sameSummary compares the bytes of both summaries, and of the indexes of static deltas.
func (w twin) sameSummary(t *testing.T, line string) {
	t.Helper()
	mask := func(repo string) string {
		return lastModified.ReplaceAllString(readText(t, repo+"/summary"), "$1")
	}
	if want, got := mask(w.theirs), mask(w.ours); want != got {
		t.Errorf("%s: summary is %q, want %q", line, got, want)
	}
	sameFiles(t, line, w.theirs+"/delta-indexes", w.ours+"/delta-indexes")
	if want, got := readText(t, w.theirs+"/config"), readText(t, w.ours+"/config"); want != got {
		t.Errorf("%s: config is %q, want %q", line, got, want)
	}
	for _, repo := range []string{w.theirs, w.ours} {
		sameView(t, []string{"summary", "-v", "--repo=" + repo})
		sameView(t, []string{"summary", "--view", "--repo=" + repo}, "TZ=Asia/Kathmandu")
		compareVerb(t, []string{"summary", "--raw", "--repo=" + repo}, repo)
	}
}

// sameView wants a summary shown as ostree shows it, and what its signatures are worth after that, which only
// newer versions of ostree tell.
func sameView(t *testing.T, args []string, env ...string) {
	t.Helper()
	want := command{args: append([]string{"ostree"}, args...), env: env}.run(t)
	got := command{args: append([]string{binary(t, "deployfs")}, args...), env: env}.run(t)
	rest, ok := strings.CutPrefix(got.out, want.out)
	if !ok || want.code != 0 || got.code != 0 || rest != "" && rest != "Summary is unsigned\n" && !strings.Contains(rest, "on the summary:\n") {
		t.Errorf("%q: exit %d, %q, want %d, %q", args, got.code, got.out, want.code, want.out)
	}
}

// TestSummary has both programs make summaries of the same repository, and read each other's.
func TestSummary(t *testing.T) {
	t.Parallel()
	for _, collection := range []string{"", "org.example.Own"} {
		w := newTwin(t, summaryRepo(t, collection), "SOURCE_DATE_EPOCH=1700000000")
		for _, line := range []string{"summary", "summary -v", "summary --raw", "summary -v extra", "summary --nope"} {
			w.both(t, line)
		}
		w.both(t, "summary --update extra")
		w.sameSummary(t, "summary --update extra")
		w.sameRefs(t, "summary --update extra")
		for _, line := range []string{"summary -u -m", "summary -u -m a", "summary -u -m a=b_c", "summary -u -m k=[1,'a']", "summary -u -m =1"} {
			w.both(t, line)
		}
		ostree(t, w.ours, "fsck", "-q")
	}
}

// TestSummaryMetadata: what is added is there for both programs, whoever added it.
func TestSummaryMetadata(t *testing.T) {
	t.Parallel()
	w := newTwin(t, summaryRepo(t, "org.example.Own"), "SOURCE_DATE_EPOCH=1700000000")
	words := []string{"summary", "-u", "-m", "k=1", "-m", "k='two'", "--add-metadata=ostree.summary.expires=uint64 0x40955f6500000000",
		"--add-metadata", "ostree.summary.mode='bare'", "-m", "map=@a{sv} {}"}
	ostree(t, w.theirs, words...)
	must(t, append([]string{binary(t, "deployfs"), "--repo=" + w.ours}, words...)...)
	for _, repo := range []string{w.theirs, w.ours} {
		sameView(t, []string{"summary", "-v", "--repo=" + repo})
		for _, key := range []string{"k", "map"} {
			want := ostree(t, repo, "show", "--print-metadata-key="+key, "ostree-metadata")
			if got := must(t, binary(t, "deployfs"), "summary", "--repo="+repo, "--print-metadata-key="+key); got != want {
				t.Errorf("%s: %q, want %q", key, got, want)
			}
		}
		keys := must(t, binary(t, "deployfs"), "summary", "--repo="+repo, "--list-metadata-keys")
		want := "k\nmap\nostree.static-deltas\nostree.summary.collection-id\nostree.summary.collection-map\nostree.summary.expires\n" +
			"ostree.summary.indexed-deltas\nostree.summary.last-modified\nostree.summary.mode\nostree.summary.tombstone-commits"
		if keys != want {
			t.Errorf("keys %q, want %q", keys, want)
		}
	}
	if view := must(t, binary(t, "deployfs"), "summary", "-v", "--repo="+w.ours); !strings.Contains(view, "k: 'two'\n") ||
		!strings.Contains(view, "Expires (ostree.summary.expires): ") || !strings.Contains(view, "(ostree.summary.mode): archive") {
		t.Error(view)
	}
}

// TestSummaryJSON: every part of a summary in JSON.
func TestSummaryJSON(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, "archive")
	sum := commit(t, repo, "main", scratch(t), "--no-bindings", "--add-metadata-string=version=1", "--owner-uid=0", "--owner-gid=0")
	ostree(t, repo, "refs", "-c", "--create=org.example.Other:m", "main")
	ostree(t, repo, "static-delta", "generate", "--empty", "main")
	ostree(t, repo, "summary", "-u")
	got := must(t, binary(t, "deployfs"), "summary", "-v", "--json", "--repo="+repo)
	var j struct {
		Mode         string
		LastModified uint64 `json:"last_modified"`
		Refs         []struct {
			Ref, Collection, Checksum, Version string
			Size, Timestamp                    uint64
		}
		Deltas   []struct{ From, To, SHA256 string }
		Metadata map[string]any
	}
	if err := json.Unmarshal([]byte(got), &j); err != nil {
		t.Fatal(err, got)
	}
	superblock, _ := filepath.Glob(repo + "/deltas/*/*/superblock")
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(readText(t, superblock[0]))))
	if len(j.Refs) != 2 || len(j.Deltas) != 1 || j.Mode != "archive" || j.LastModified < 1700000000 || len(j.Metadata) != 6 ||
		j.Deltas[0].To != sum || j.Deltas[0].SHA256 != digest || j.Refs[1].Collection != "org.example.Other" {
		t.Fatal(got)
	}
	for _, ref := range j.Refs {
		if ref.Checksum != sum || ref.Version != "1" || ref.Timestamp != 1700000000 || ref.Size == 0 {
			t.Errorf("%+v", ref)
		}
	}
}

// TestSummaryPull: the real program pulls by a signed summary of ours, and believes the signature.
func TestSummaryPull(t *testing.T) {
	t.Parallel()
	env := []string{"OSTREE_DUMMY_SIGN_ENABLED=1", "SOURCE_DATE_EPOCH=1700000000"}
	w := newTwin(t, summaryRepo(t, ""), env...)
	w.both(t, "summary -u --sign-type=dummy --sign=secret --sign=second")
	w.sameSummary(t, "signed")
	if want, got := readText(t, w.theirs+"/summary.sig"), readText(t, w.ours+"/summary.sig"); want != got {
		t.Errorf("signature %q, want %q", got, want)
	}
	client := newRepo(t, "archive")
	ostree(t, client, "remote", "add", "--no-gpg-verify", "--set=gpg-verify-summary=false", "--set=sign-verify-summary=true",
		"--set=verification-dummy-key=secret", "ours", "file://"+w.ours)
	run := func(args ...string) string {
		return command{args: append([]string{"ostree", "--repo=" + client}, args...), env: env}.must(t)
	}
	if got, want := run("remote", "refs", "ours"), "ours:alias\nours:os/main\nours:os/other"; got != want {
		t.Errorf("remote refs: %q, want %q", got, want)
	}
	run("pull", "ours", "os/main", "alias")
	w.both(t, "summary -u")
	if _, err := os.Stat(w.ours + "/summary.sig"); !os.IsNotExist(err) {
		t.Error("the old signature is there:", err)
	}
	for _, line := range []string{"summary -u --sign=x --sign-type=nope", "summary -u --sign-type=nope"} {
		w.both(t, line)
	}
}

// TestAutoSummary: the summary follows refs, where the repository wants that.
func TestAutoSummary(t *testing.T) {
	t.Parallel()
	repo := clone(t, summaryRepo(t, ""))
	run := func(args ...string) string {
		t.Helper()
		return must(t, append([]string{binary(t, "deployfs"), "--repo=" + repo}, args...)...)
	}
	for _, key := range []string{"auto-update-summary", "commit-update-summary"} {
		os.Remove(filepath.Join(repo, "summary"))
		run("refs", "--create="+key, "os/main")
		if _, err := os.Stat(repo + "/summary"); !os.IsNotExist(err) {
			t.Error("a summary nobody asked for:", err)
		}
		ostree(t, repo, "config", "set", "core."+key, "true")
		for _, change := range [][]string{
			{"refs", "--create=new", "os/main"}, {"refs", "-A", "--create=also", "new"}, {"reset", "new", "os/main^"}, {"refs", "--delete", "also"},
			{"refs", "--delete", "new"}, {"refs", "-c", "--create=org.example.More:x", "os/main"}, {"refs", "-c", "--delete", "org.example.More"},
		} {
			before := readTextOr(t, repo+"/summary")
			run(change...)
			if after := readText(t, repo+"/summary"); lastModified.ReplaceAllString(before, "") == lastModified.ReplaceAllString(after, "") {
				t.Errorf("%q: the summary is as it was", change)
			}
		}
		ostree(t, repo, "config", "set", "core."+key, "false")
	}
}

// readTextOr is readText of a file that may be absent.
func readTextOr(t *testing.T, path string) string {
	t.Helper()
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return ""
	}
	return readText(t, path)
}

// TestSummaryHostile: a summary that is none is refused, in a line.
func TestSummaryHostile(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, "archive")
	for _, c := range []struct{ data, err string }{
		{"", "error: summary: gvariant of type (a(s(taya{sv}))a{sv}): not in normal form\n"},
		{strings.Repeat("\xff", 4096), "error: summary: gvariant of type (a(s(taya{sv}))a{sv}): not in normal form\n"},
	} {
		if err := os.WriteFile(repo+"/summary", []byte(c.data), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, option := range []string{"-v", "--raw", "--list-metadata-keys", "--print-metadata-key=k"} {
			if got := deployfs(t, "summary", "--repo="+repo, option); got.code != 1 || got.err != c.err {
				t.Errorf("%s: exit %d, %q", option, got.code, got.err)
			}
		}
	}
	os.Remove(repo + "/summary")
	if err := os.Symlink("/etc/passwd", repo+"/summary"); err != nil {
		t.Fatal(err)
	}
	if got := deployfs(t, "summary", "--repo="+repo, "-v"); got.code != 1 || got.out != "" {
		t.Errorf("exit %d, %q", got.code, got.out)
	}
}
