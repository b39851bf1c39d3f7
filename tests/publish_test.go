package tests

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// publisher is an archive repository that this program writes, signs with GPG and nginx serves.
type publisher struct {
	repo, key string
	home      gpgHome
	server    *webServer
}

// newPublisher makes one, with options of init.
func newPublisher(t testing.TB, options ...string) publisher {
	t.Helper()
	home := newGPGHome(t)
	home.gpg("--quick-gen-key", "Ada <ada@example.org>", "ed25519", "sign", "never")
	p := publisher{repo: scratch(t) + "/repo", key: home.dir + "/key.gpg", home: home}
	home.gpg("--output", p.key, "--export")
	must(t, slices.Concat([]string{binary(t, "deployfs"), "init", "--mode=archive", "--repo=" + p.repo}, options)...)
	p.server = newWebServer(t, p.repo)
	return p
}

func (p publisher) run(t testing.TB, args ...string) string {
	t.Helper()
	return must(t, slices.Concat([]string{binary(t, "deployfs"), "--repo=" + p.repo}, args)...)
}

// signed are options of what signs.
func (p publisher) signed(args ...string) []string {
	return append(args, "--gpg-sign=ada@example.org", "--gpg-homedir="+p.home.dir)
}

// commit commits a directory to a ref.
func (p publisher) commit(t testing.TB, ref, dir string, options ...string) string {
	t.Helper()
	return p.run(t, append(p.signed("commit", "-b", ref, "--tree=dir="+dir, "-s", "subject of "+ref, "--canonical-permissions"), options...)...)
}

// update publishes what is there.
func (p publisher) update(t testing.TB, options ...string) {
	t.Helper()
	p.run(t, append(p.signed("summary", "-u"), options...)...)
}

// client makes a repository of the real program with a remote o that verifies everything.
func (p publisher) client(t *testing.T, mode string, options ...string) string {
	t.Helper()
	repo := newRepo(t, mode)
	ostree(t, repo, slices.Concat([]string{"remote", "add", "--gpg-import=" + p.key, "--set=gpg-verify-summary=true"}, options, []string{"o", p.server.url})...)
	p.server.requests(t)
	return repo
}

// history commits the plain forest twice, the second time with a change, to main, and once to other.
func (p publisher) history(t testing.TB) (first, second, other string) {
	t.Helper()
	dir := scratch(t) + "/tree"
	must(t, "cp", "-a", forest(t, "plain"), dir)
	first = p.commit(t, "os/main", dir, "--timestamp=@1700000000", "--add-metadata-string=version=1")
	tool := noise(1, 300000)
	copy(tool[100000:], "changed")
	if err := os.WriteFile(dir+"/usr/bin/tool", tool, 0o755); err != nil {
		t.Fatal(err)
	}
	second = p.commit(t, "os/main", dir, "--timestamp=@1700000100", "--add-metadata-string=version=2")
	other = p.commit(t, "os/other", dir+"/usr/share", "--timestamp=@1700000200")
	p.update(t)
	return first, second, other
}

// holds wants a client to hold a commit as a whole, and fsck to find nothing.
func holds(t testing.TB, client, ref, sum string) {
	t.Helper()
	if got := ostree(t, client, "rev-parse", ref); got != sum {
		t.Errorf("%s is %s, want %s", ref, got, sum)
	}
	ostree(t, client, "fsck", "-q")
	if _, err := os.Stat(client + "/state/" + sum + ".commitpartial"); err == nil {
		t.Errorf("%s is partial", ref)
	}
}

// TestPublish has the real program pull what this one has written, from nginx, signatures and all.
func TestPublish(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	first, second, other := p.history(t)
	for _, mode := range []string{"archive", "bare", "bare-user", "bare-user-only"} {
		client := p.client(t, mode)
		ostree(t, client, "pull", "--depth=-1", "o", "os/main", "os/other")
		holds(t, client, "o:os/main", second)
		holds(t, client, "o:os/main^", first)
		holds(t, client, "o:os/other", other)
		if got, want := rootSums(t, client, second), rootSums(t, p.repo, second); got != want {
			t.Errorf("%s: root is %s, want %s", mode, got, want)
		}
		for _, r := range p.server.requests(t) {
			if r.status != "200" && !strings.HasPrefix(r.path, "/delta-indexes/") {
				t.Errorf("%s: %v", mode, r)
			}
		}
	}
	if view := p.run(t, "summary", "-v", "--json", "--gpg-homedir="+p.home.dir); !strings.Contains(view, `"status": "good"`) {
		t.Errorf("the summary is %s", view)
	}
	p.testMirror(t, second)
	p.testParts(t, second)
	p.testResumed(t, second)
	p.testDeltas(t, first, second, other)
	p.testConditional(t)
	p.testDoubts(t)
}

// testMirror: refs, summary and its signature are taken over as they are.
func (p publisher) testMirror(t *testing.T, second string) {
	client := p.client(t, "archive")
	ostree(t, client, "pull", "--mirror", "o")
	holds(t, client, "os/main", second)
	for _, file := range []string{"summary", "summary.sig"} {
		if readText(t, client+"/"+file) != readText(t, p.repo+"/"+file) {
			t.Errorf("%s is not the publisher's", file)
		}
	}
	if got, want := refTree(t, client), refTree(t, p.repo); !slices.Equal(got, want) {
		t.Errorf("refs are %q, want %q", got, want)
	}
}

// testParts pulls less than a commit, and the rest afterwards.
func (p publisher) testParts(t *testing.T, second string) {
	client := p.client(t, "bare-user")
	ostree(t, client, "pull", "--commit-metadata-only", "o", "os/main")
	ostree(t, client, "pull", "--subpath=/usr/share/doc/README", "o", "os/main")
	if got := ostree(t, client, "cat", "o:os/main", "/usr/share/doc/README"); got != "hello" {
		t.Errorf("README is %q", got)
	}
	p.server.requests(t)
	ostree(t, client, "pull", "o", "os/main@"+second)
	holds(t, client, "o:os/main", second)
	if list := p.server.requests(t); askedFor(list, ".filez", "200") != 43 {
		t.Errorf("%d files were fetched of 43 that were missing", askedFor(list, ".filez", "200"))
	}
}

// testResumed has this program pull over a line that breaks in the middle of each large file: nginx is asked for
// the rest, not for all again.
func (p publisher) testResumed(t *testing.T, second string) {
	client := p.client(t, "bare-user")
	ostree(t, client, "config", "set", `remote "o".url`, brittle(t, p.server.url))
	must(t, binary(t, "deployfs"), "--repo="+client, "pull", "o", "os/main")
	holds(t, client, "o:os/main", second)
	list := p.server.requests(t)
	if askedFor(list, ".filez", "206") == 0 {
		t.Errorf("asked for %v", list)
	}
	for _, r := range list {
		if r.status == "206" && !strings.HasPrefix(r.ranges, "bytes=") {
			t.Errorf("%v", r)
		}
	}
}

// brittle is a way to a server on which each connection breaks after 200 kB.
func brittle(t *testing.T, url string) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				server, err := net.Dial("tcp4", strings.TrimPrefix(url, "http://"))
				if err != nil {
					return
				}
				defer server.Close()
				go io.Copy(server, c)
				io.CopyN(c, server, 200_000)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// testDeltas: static deltas are found by the summary and by their indexes, and are enough; when they are gone,
// objects are.
func (p publisher) testDeltas(t *testing.T, first, second, other string) {
	client := p.client(t, "bare-user")
	p.run(t, "static-delta", "generate", "--empty", "--to="+other)
	p.run(t, "static-delta", "generate", "--from="+first, "--to="+second)
	p.update(t)
	ostree(t, client, "pull", "o", "os/main@"+first)
	p.server.requests(t)
	ostree(t, client, "pull", "--require-static-deltas", "o", "os/main", "os/other")
	holds(t, client, "o:os/main", second)
	holds(t, client, "o:os/other", other)
	list := p.server.requests(t) // when ostree is slow, it asks for objects that a part is about to bring, too
	if askedFor(list, "/superblock", "200") != 2 || askedFor(list, "/0", "200") == 0 {
		t.Errorf("asked for %v", list)
	}
	p.run(t, "prune", "--static-deltas-only", "--delete-commit="+second)
	for _, program := range []string{"ostree", binary(t, "deployfs")} {
		late := p.client(t, "bare-user")
		must(t, program, "--repo="+late, "pull", "o", "os/main@"+first)
		p.server.requests(t)
		must(t, program, "--repo="+late, "pull", "o", "os/main@"+second) // the index still names what is gone
		holds(t, late, "o:os/main", second)
		if list := p.server.requests(t); askedFor(list, "/superblock", "404") != 1 || askedFor(list, ".filez", "200") != 1 {
			t.Errorf("%s asked for %v", program, list)
		}
	}
	p.update(t)
	if text := p.run(t, "summary", "-v"); !strings.Contains(text, "'"+other+"'") || strings.Contains(text, first+"-"+second) {
		t.Errorf("the summary is %s", text)
	}
	if left, err := filepath.Glob(p.repo + "/delta-indexes/*/*"); err != nil || len(left) != 1 {
		t.Errorf("indexes %q, %v", left, err)
	}
}

// testConditional: a client that is up to date fetches nothing; one that is not sees the next summary,
// however soon that comes.
func (p publisher) testConditional(t *testing.T) {
	client := p.client(t, "archive")
	ostree(t, client, "pull", "o", "os/other")
	p.server.requests(t)
	ostree(t, client, "pull", "o", "os/other")
	list := p.server.requests(t)
	if len(list) < 1 || list[0].path != "/summary.sig" || list[0].status != "304" || list[0].ifNoneMatch == "" ||
		askedFor(list, "/summary", "200") != 0 || askedFor(list, "/objects/", "200") != askedFor(list, ".commitmeta", "200") {
		t.Errorf("asked for %v", list)
	}
	for i := range 3 {
		want := p.commit(t, "os/other", forest(t, "plain")+"/usr/share/doc", fmt.Sprintf("--timestamp=@%d", 1700000300+i))
		p.update(t)
		ostree(t, client, "pull", "o", "os/other")
		holds(t, client, "o:os/other", want)
	}
}

// testDoubts: what is not signed by who should have is not taken.
func (p publisher) testDoubts(t *testing.T) {
	client := p.client(t, "archive")
	pull := func(want string) {
		t.Helper()
		o := command{args: []string{"ostree", "--repo=" + client, "pull", "o", "os/doubt"}}.run(t)
		if o.code != 1 || !strings.Contains(o.err, want) {
			t.Errorf("exit %d, %q, want %q", o.code, o.err, want)
		}
	}
	p.run(t, "commit", "-b", "os/doubt", "--tree=dir="+forest(t, "plain")+"/usr/share/doc")
	p.update(t)
	pull("GPG verification enabled, but no signatures found")
	p.run(t, "gpg-sign", "--gpg-homedir="+p.home.dir, "os/doubt", "ada@example.org")
	p.run(t, "summary", "-u")
	pull("GPG verification enabled, but no summary.sig found")
	p.update(t)
	ostree(t, client, "pull", "o", "os/doubt")
	holds(t, client, "o:os/doubt", p.run(t, "rev-parse", "os/doubt"))
}
