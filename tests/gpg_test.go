package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gpgHome is a home directory of gpg with secret keys. Its path is short, for the agent's socket.
type gpgHome struct {
	t   testing.TB
	dir string
}

// newGPGHome makes a home whose agent ends with the test.
func newGPGHome(t testing.TB) gpgHome {
	t.Helper()
	needRoot(t)
	need(t, have("gpg"), "gpg is not installed")
	dir, err := os.MkdirTemp(work, "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command{args: []string{"gpgconf", "--homedir", dir, "--kill", "all"}}.must(t)
		os.RemoveAll(dir)
	})
	return gpgHome{t, dir}
}

func (g gpgHome) gpg(args ...string) string {
	g.t.Helper()
	return must(g.t, append([]string{"gpg", "--homedir", g.dir, "--batch", "--yes", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
}

// past has gpg believe that it is another time.
func past(args ...string) []string {
	return append([]string{"--faked-system-time", "20240102T030405!"}, args...)
}

// fingerprint is of the last key or subkey that id names.
func (g gpgHome) fingerprint(id string) (last string) {
	g.t.Helper()
	for line := range strings.Lines(g.gpg("--with-colons", "--list-keys", id)) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			last = fields[9]
		}
	}
	return last
}

// sign signs a file, and returns the signature.
func (g gpgHome) sign(file string, args ...string) []byte {
	g.t.Helper()
	out := filepath.Join(g.dir, "signature")
	g.gpg(append(args, "--output", out, "--detach-sign", file)...)
	data, err := os.ReadFile(out)
	if err != nil {
		g.t.Fatal(err)
	}
	return data
}

// revoke imports the revocation that gpg made with a key.
func (g gpgHome) revoke(fingerprint string) {
	g.t.Helper()
	path := filepath.Join(g.dir, "openpgp-revocs.d", fingerprint+".rev")
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(data), ":-----BEGIN", "-----BEGIN", 1)), 0o600)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	g.gpg("--import", path)
}

// gpgWorld is a home with keys of all kinds, their public halves as global keys, and a repository
// of a commit with signatures of it.
type gpgWorld struct {
	gpgHome
	trusted    string // directory of keyrings
	repo, sum  string
	signatures map[string][]byte
}

func newGPGWorld(t testing.TB) gpgWorld {
	t.Helper()
	w := gpgWorld{gpgHome: newGPGHome(t), trusted: scratch(t), repo: newRepo(t, "archive")}
	w.sum = commit(t, w.repo, "main", forest(t, "plain"))
	object := objectPath(w.repo, w.sum, "commit")
	w.gpg("--quick-gen-key", "Ada (of the tests) <ada@example.org>", "ed25519", "sign", "never")
	w.gpg("--quick-gen-key", "Rsa <rsa@example.org>", "rsa2048", "sign", "2y")
	w.gpg("--quick-gen-key", "Sub <sub@example.org>", "ed25519", "cert", "never")
	w.gpg("--quick-add-key", w.fingerprint("sub@"), "ed25519", "sign", "1y")
	w.gpg("--quick-gen-key", "Revoked <revoked@example.org>", "nistp256", "sign", "never")
	w.gpg("--quick-gen-key", "Stranger <stranger@example.org>", "ed25519", "sign", "never")
	w.gpg(past("--quick-gen-key", "Expired <expired@example.org>", "ed25519", "sign", "1d")...)
	w.gpg(past("--quick-gen-key", "Old <old@example.org>", "ed25519", "sign", "never")...)
	w.signatures = map[string][]byte{
		"good":              w.sign(object, "-u", "ada@example.org"),
		"RSA":               w.sign(object, "-u", "rsa@example.org"),
		"subkey":            w.sign(object, "-u", "sub@example.org"),
		"revoked":           w.sign(object, "-u", "revoked@example.org"),
		"unknown":           w.sign(object, "-u", "stranger@example.org"),
		"key expired":       w.sign(object, past("-u", "expired@example.org")...),
		"with an end":       w.sign(object, "-u", "ada@example.org", "--default-sig-expire", "1y"),
		"expired":           w.sign(object, past("-u", "old@example.org", "--default-sig-expire", "1d")...),
		"old":               w.sign(object, past("-u", "old@example.org")...),
		"of another":        w.sign(w.repo+"/config", "-u", "ada@example.org"),
		"subkey of another": w.sign(w.repo+"/config", "-u", "sub@example.org"),
		"armoured":          w.sign(object, "-u", "ada@example.org", "--armor"),
		"SHA-1":             w.sign(object, "-u", "rsa@example.org", "--digest-algo", "sha1"),
		"junk":              []byte("junk"),
	}
	w.revoke(w.fingerprint("revoked@"))
	keys := []string{"ada@", "rsa@", "sub@", "revoked@", "expired@", "old@"}
	w.gpg(append([]string{"--output", w.trusted + "/keys.gpg", "--export"}, keys...)...)
	return w
}

// put gives the commit these signatures.
func (w gpgWorld) put(names ...string) {
	w.t.Helper()
	var list [][]byte
	for _, name := range names {
		list = append(list, w.signatures[name])
	}
	putSignatures(w.t, w.repo, w.sum, gvSignatures("ostree.gpgsigs", list...))
}

// both runs the programs with the same arguments and the same global keys.
func (w gpgWorld) both(t testing.TB, ours, theirs []string, args ...string) (our, their outcome) {
	t.Helper()
	run := func(program string, first []string) outcome {
		return command{args: slices.Concat([]string{program}, first, args), env: []string{"OSTREE_GPG_HOME=" + w.trusted}}.run(t)
	}
	return run(binary(t, "deployfs"), ours), run("ostree", theirs)
}

// sameAnswer wants the same output and the same exit status.
func sameAnswer(t testing.TB, our, their outcome) {
	t.Helper()
	our.err, _, _ = strings.Cut(our.err, "hint: ")
	if our.code != their.code || our.out != their.out || our.err != their.err {
		t.Errorf("%s: %d\n%s%s\nwant %d\n%s%s", our.line, our.code, our.out, our.err, their.code, their.out, their.err)
	}
}

// TestGPG checks what gpg signs, as ostree does, and has ostree check what this program signs.
func TestGPG(t *testing.T) {
	t.Parallel()
	w := newGPGWorld(t)
	for name, test := range map[string]func(*testing.T, gpgWorld){
		"show": testGPGShow, "pull": testGPGPull, "keys": testGPGKeys, "sign": testGPGSign, "mount": testGPGMount,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := w
			own.t, own.repo = t, clone(t, w.repo)
			test(t, own)
		})
	}
}

func testGPGShow(t *testing.T, w gpgWorld) {
	for _, names := range [][]string{
		{"good", "unknown", "subkey", "revoked", "key expired", "RSA", "with an end", "old", "good", "of another"},
		{"expired"},
		{"unknown"}, {"SHA-1"}, {"of another"}, {"subkey of another"}, {"armoured"}, {"junk"},
	} {
		w.put(names...)
		our, their := w.both(t, nil, nil, "show", "--repo="+w.repo, "main")
		sameAnswer(t, our, their)
	}
	w.put("of another", "good") // where gpg stops, this program goes on
	if our, _ := w.both(t, nil, nil, "show", "--repo="+w.repo, "main"); !strings.Contains(our.out, "Found 2 signatures:") || !strings.Contains(our.out, "Good signature from \"Ada <ada@example.org>\"") {
		t.Error(our.out)
	}
	w.put("good")
	our, their := w.both(t, nil, nil, "show", "--repo="+w.repo, "--gpg-verify-remote=nope", "main")
	sameAnswer(t, our, their)
}

// remoteRepos are two new repositories with a remote o, for each program one.
func (w gpgWorld) remoteRepos(t testing.TB) (ours, theirs string) {
	t.Helper()
	ours, theirs = newRepo(t, "archive"), newRepo(t, "archive")
	for _, repo := range []string{ours, theirs} {
		ostree(t, repo, "remote", "add", "o", "file://"+w.repo)
	}
	return ours, theirs
}

func testGPGPull(t *testing.T, w gpgWorld) {
	ours, theirs := w.remoteRepos(t)
	for _, c := range []struct {
		signatures []string
		code       int
	}{
		{nil, 1}, {[]string{"unknown", "of another"}, 1}, {[]string{"key expired"}, 1}, {[]string{"revoked"}, 1},
		{[]string{"expired"}, 1}, {[]string{"unknown", "good"}, 0}, {[]string{"subkey"}, 0},
	} {
		os.Remove(objectPath(w.repo, w.sum, "commitmeta"))
		if c.signatures != nil {
			w.put(c.signatures...)
		}
		our, their := w.both(t, []string{"--repo=" + ours}, []string{"--repo=" + theirs}, "pull-local", "--gpg-verify", "--remote=o", w.repo, "main")
		if our.code != c.code || their.code != c.code || our.code != 0 && our.err != their.err {
			t.Errorf("%v: %d, want %d\n%s\n%s", c.signatures, our.code, their.code, our.err, their.err)
		}
	}
}

func testGPGKeys(t *testing.T, w gpgWorld) {
	w.gpg("--quick-add-uid", "ada@example.org", "Ada <ADA+x%@two.example.org>")
	w.gpg("--export", "--armor", "--output", w.dir+"/ada.asc", "ada@")
	w.gpg("--export", "--output", w.dir+"/all.gpg")
	ours, theirs := w.remoteRepos(t)
	for _, args := range []string{
		"-k " + w.dir + "/ada.asc o", "--keyring=" + w.dir + "/all.gpg o sub@example.org old@example.org",
		"-k " + w.dir + "/all.gpg o nobody@example.org", "-k " + w.dir + "/all.gpg o @example.org", "-k " + w.dir + "/all.gpg o short",
		"o", "-k " + w.repo + "/config o", "-k /nonexistent o", "-k " + w.dir + "/all.gpg nope", "-k " + w.dir + "/all.gpg o",
	} {
		our, their := w.both(t, []string{"--repo=" + ours, "remote", "gpg-import"}, []string{"--repo=" + theirs, "remote", "gpg-import"}, strings.Fields(args)...)
		sameAnswer(t, our, their)
	}
	for _, repo := range []string{ours, theirs} { // each reads what the other has written
		our, their := w.both(t, nil, nil, "remote", "gpg-list-keys", "--repo="+repo, "o")
		sameAnswer(t, our, their)
		if n := strings.Count(our.out, "Key: "); n != 7 {
			t.Errorf("%d keys:\n%s", n, our.out)
		}
	}
	our, their := w.both(t, nil, nil, "remote", "gpg-list-keys", "--repo="+ours)
	sameAnswer(t, our, their)
	w.put("good")
	if out := ostree(t, ours, "pull-local", "--gpg-verify", "--remote=o", w.repo, "main"); strings.Contains(out, "error") {
		t.Error(out)
	}
	our, their = w.both(t, nil, nil, "show", "--repo="+ours, "--gpg-verify-remote=o", "o:main")
	sameAnswer(t, our, their)
}

func testGPGSign(t *testing.T, w gpgWorld) {
	home := "--gpg-homedir=" + w.dir
	ourHome := filepath.Join(w.dir, "ring.gpg") // where a program finds public keys of a home
	w.gpg("--export", "--output", ourHome)
	defer os.Remove(ourHome)
	os.Remove(objectPath(w.repo, w.sum, "commitmeta"))
	must(t, binary(t, "deployfs"), "--repo="+w.repo, "gpg-sign", home, "main", "ada@example.org", w.fingerprint("sub@"))
	w.good(t, w.repo, "main", "Ada", "Sub")
	for _, args := range [][]string{
		{"gpg-sign", home, "main", "ada@example.org"}, {"gpg-sign", home, "main", "nobody@example.org"}, {"gpg-sign", home, "main", "@example.org"},
		{"gpg-sign", home, "main", "short"}, {"gpg-sign", home, "main"}, {"gpg-sign", home, "nope", "ada@example.org"},
		{"gpg-sign", "--delete", "main", "nobody@example.org"},
	} {
		our, their := w.both(t, nil, nil, append(args, "--repo="+w.repo)...)
		if our.code != their.code || our.out != their.out || lastLine(our.err) != lastLine(their.err) {
			t.Errorf("%s: %d\n%s%s\nwant %d\n%s%s", our.line, our.code, our.out, our.err, their.code, their.out, their.err)
		}
	}
	our, _ := w.both(t, nil, nil, "gpg-sign", "--delete", "--repo="+w.repo, "main", "ada@example.org", "nobody@example.org")
	if our.out != "Signatures deleted: 1\n" {
		t.Errorf("%q, %s", our.out, our.err)
	}
	w.good(t, w.repo, "main", "Sub")
	must(t, binary(t, "deployfs"), "--repo="+w.repo, "commit", "-b", "signed", "--gpg-sign=rsa@example.org", "--gpg-sign=old@example.org", home, "--tree=ref=main")
	w.good(t, w.repo, "signed", "Rsa", "Old")
	must(t, binary(t, "deployfs"), "--repo="+w.repo, "summary", "-u", "--gpg-sign=rsa@example.org", home)
	theirs := newRepo(t, "archive")
	ostree(t, theirs, "remote", "add", "--set=gpg-verify-summary=true", "o", "file://"+w.repo)
	o := command{args: []string{"ostree", "--repo=" + theirs, "pull", "o", "signed"}, env: []string{"OSTREE_GPG_HOME=" + w.trusted}}.run(t)
	if o.code != 0 {
		t.Errorf("ostree does not take it: %s", o.err)
	}
	ostree(t, w.repo, "refs", "--delete", "signed")
	ostree(t, w.repo, "summary", "-u")
	without := command{args: []string{binary(t, "deployfs"), "--repo=" + w.repo, "gpg-sign", "main", "ada@example.org"}, env: []string{"PATH=" + w.trusted}}.run(t)
	if without.code != 1 || !strings.Contains(without.err, "gpg") || !strings.Contains(without.err, "hint: ") {
		t.Errorf("without gpg: %d, %s", without.code, without.err)
	}
}

// good wants ostree to find good signatures by these.
func (w gpgWorld) good(t testing.TB, repo, rev string, names ...string) {
	t.Helper()
	our, their := w.both(t, nil, nil, "show", "--repo="+repo, rev)
	sameAnswer(t, our, their)
	if n := strings.Count(their.out, "Good signature from"); n != len(names) {
		t.Errorf("%d good signatures, want %q:\n%s", n, names, their.out)
	}
	for _, name := range names {
		if !strings.Contains(their.out, "Good signature from \""+name) {
			t.Errorf("none by %s:\n%s", name, their.out)
		}
	}
}

// testGPGMount: a signature that counts is needed to mount, and whose that is, is ostree's rule.
func testGPGMount(t *testing.T, w gpgWorld) {
	needFuse(t)
	ostree(t, w.repo, "refs", "--create=o:main", "main")
	configure(t, w.repo, "[remote \"o\"]\nurl=file:///nonexistent\n")
	mount := func(t *testing.T) outcome {
		dir := scratch(t)
		o := command{args: []string{binary(t, "deployfs"), "mount", "--repo=" + w.repo, "--require-signature", "o:main", dir}, env: []string{"OSTREE_GPG_HOME=" + w.trusted}}.run(t)
		if o.code == 0 {
			umounted(t, dir)
		}
		return o
	}
	for name, want := range map[string]string{
		"good": "", "subkey": "", "unknown": "signed with no key", "revoked": "revoked key", "key expired": "the key has expired",
		"expired": "no longer good: it has expired", "of another": "damaged", "junk": "damaged",
	} {
		w.put(name)
		o := mount(t)
		if (o.code == 0) != (want == "") || !strings.Contains(o.err, want) {
			t.Errorf("%s: %d, %s", name, o.code, o.err)
		}
	}
	w.put("good")
	ring := w.repo + "/o.trustedkeys.gpg"
	w.gpg("--output", ring, "--export", "stranger@")
	defer os.Remove(ring)
	if o := mount(t); o.code != 1 || !strings.Contains(o.err, "signed with no key that remote o trusts") {
		t.Errorf("a remote with a keyring is not bound to it: %d, %s", o.code, o.err)
	}
	w.put("unknown")
	if o := mount(t); o.code != 0 {
		t.Error(o.err)
	}
	configure(t, w.repo, "gpg-verify=false\n")
	if o := mount(t); o.code != 1 || !strings.Contains(o.err, "there is no key") {
		t.Errorf("gpg-verify=false: %d, %s", o.code, o.err)
	}
}
