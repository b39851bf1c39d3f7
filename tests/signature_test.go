package tests

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// signer makes ed25519 signatures; the Debian ostree can't.
func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
}

// publicKey is the signer's key as configuration takes it.
func publicKey(seed byte) string {
	return base64.StdEncoding.EncodeToString(signer(seed).Public().(ed25519.PublicKey))
}

// gvSignatures serialises the entry of detached metadata that holds signatures.
func gvSignatures(key string, signatures ...[]byte) gv {
	var list []gv
	for _, s := range signatures {
		list = append(list, gvBytes(s))
	}
	boxed := gv{data: append(gvArray(1, list...).data, "\x00aay"...), align: 8}
	return gvTuple(gvString(key), boxed)
}

// putSignatures writes a commit's detached metadata: these entries alone.
func putSignatures(t testing.TB, repo, sum string, entries ...gv) {
	t.Helper()
	path := objectPath(repo, sum, "commitmeta")
	if err := os.WriteFile(path, gvArray(8, entries...).data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// signCommit signs a commit with every one of the signers.
func signCommit(t testing.TB, repo, sum string, seeds ...byte) {
	t.Helper()
	data, err := os.ReadFile(objectPath(repo, sum, "commit"))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for _, seed := range seeds {
		list = append(list, ed25519.Sign(signer(seed), data))
	}
	putSignatures(t, repo, sum, gvSignatures("ostree.sign.ed25519", list...))
}

// signedRepo has a commit under main and under origin:main. Its configuration ends with more.
func signedRepo(t testing.TB, more string) (repo, sum string) {
	t.Helper()
	repo = newRepo(t, "bare-user")
	sum = commit(t, repo, "main", forest(t, "plain"))
	ostree(t, repo, "refs", "--create=origin:main", "main")
	configure(t, repo, more)
	return repo, sum
}

// configure appends to a repository's configuration.
func configure(t testing.TB, repo, more string) {
	t.Helper()
	f, err := os.OpenFile(repo+"/config", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(more); err != nil {
		t.Fatal(err)
	}
}

// systemKeys puts files of keys where the system's are, as only this test sees it.
func systemKeys(t testing.TB, files map[string]string) {
	t.Helper()
	needRoot(t)
	const dir = "/etc/ostree"
	_, err := os.Stat(dir)
	need(t, err == nil, dir+" is absent: nothing can be mounted over it")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	for name, text := range files {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const originKey = "verification-ed25519-key="

// origin is the configuration of the remote of that name.
func origin(lines ...string) string {
	return "[remote \"origin\"]\nurl=file:///nonexistent\n" + strings.Join(lines, "\n") + "\n"
}

// TestSignatureFormat: what signCommit writes is what ostree writes and reads.
func TestSignatureFormat(t *testing.T) {
	repo, sum := signedRepo(t, "")
	command{args: []string{"ostree", "--repo=" + repo, "sign", "--sign-type=dummy", "main", "secret"},
		env: []string{"OSTREE_DUMMY_SIGN_ENABLED=1"}}.must(t)
	theirs, err := os.ReadFile(objectPath(repo, sum, "commitmeta"))
	if err != nil {
		t.Fatal(err)
	}
	putSignatures(t, repo, sum, gvSignatures("ostree.sign.dummy", []byte("secret")))
	if ours, err := os.ReadFile(objectPath(repo, sum, "commitmeta")); err != nil || string(ours) != string(theirs) {
		t.Errorf("%x, %v, want %x", ours, err, theirs)
	}
	signCommit(t, repo, sum, 1)
	text := ostree(t, repo, "show", "--print-detached-metadata-key=ostree.sign.ed25519", "main")
	if n := strings.Count(text, "0x"); n != ed25519.SignatureSize {
		t.Errorf("ostree reads %d bytes: %s", n, text)
	}
}

// TestSignatureOfOpenSSL takes one that another implementation made.
func TestSignatureOfOpenSSL(t *testing.T) {
	needFuse(t)
	need(t, have("openssl"), "openssl is not installed")
	repo, sum := signedRepo(t, origin(originKey+publicKey(1)))
	key, err := x509.MarshalPKCS8PrivateKey(signer(1))
	if err != nil {
		t.Fatal(err)
	}
	dir := scratch(t)
	if err := os.WriteFile(dir+"/key", key, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", dir+"/key",
		"-in", objectPath(repo, sum, "commit"), "-out", dir+"/signature")
	signature, err := os.ReadFile(dir + "/signature")
	if err != nil {
		t.Fatal(err)
	}
	putSignatures(t, repo, sum, gvSignatures("ostree.sign.ed25519", signature))
	umounted(t, mounted(t, "--repo="+repo, "--require-signature", "origin:main"))
}

// TestRequireSignature mounts what is signed with a key that counts.
func TestRequireSignature(t *testing.T) {
	repo, sum := signedRepo(t, origin(originKey+publicKey(1)))
	signCommit(t, repo, sum, 2, 1)
	for _, args := range [][]string{
		{"--require-signature", "origin:main"},
		{"--sign-remote=origin", "main"},
		{"--sign-remote=origin", sum},
		{"--require-signature", "--verify=none", "--sign-remote", "origin", "main"},
	} {
		dir := mounted(t, append([]string{"--repo=" + repo}, args...)...)
		same(t, checkedOut(t, repo, "main"), snapshot(t, dir))
		umounted(t, dir)
	}
	keys := scratch(t) + "/keys"
	if err := os.WriteFile(keys, []byte("# of the test\n"+publicKey(3)+"\n"+publicKey(2)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	repo, sum = signedRepo(t, origin("verification-ed25519-file="+keys, "sign-verify=ed25519"))
	signCommit(t, repo, sum, 2)
	umounted(t, mounted(t, "--repo="+repo, "--require-signature", "origin:main"))
	systemKeys(t, map[string]string{"trusted.ed25519": publicKey(1)})
	repo, sum = signedRepo(t, origin())
	signCommit(t, repo, sum, 1)
	umounted(t, mounted(t, "--repo="+repo, "--require-signature", "main"))
	umounted(t, mounted(t, "--repo="+repo, "--require-signature", "origin:main"))
}

// TestUnsigned refuses with the commit, the reason and a remedy.
func TestUnsigned(t *testing.T) {
	needFuse(t)
	systemKeys(t, map[string]string{"revoked.ed25519": publicKey(9)})
	gpg := gvSignatures("ostree.gpgsigs", []byte("x"))
	dummy := gvSignatures("ostree.sign.dummy", []byte("secret"))
	for name, c := range map[string]struct {
		config  string
		entries func(t testing.TB, repo, sum string)
		rev     string
		want    string
	}{
		"no signature": {origin(originKey + publicKey(1)), nil, "origin:main", "it has no signature"},
		"only GPG": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) { putSignatures(t, repo, sum, gpg) }, "origin:main", "only signatures of gpg, of which remote origin has no keys"},
		"two others": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) { putSignatures(t, repo, sum, gpg, dummy) }, "origin:main", "only signatures of gpg and dummy, of which remote origin has no keys"},
		"unknown key": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) { signCommit(t, repo, sum, 2) }, "origin:main", "signed with no key that remote origin trusts"},
		"bad signature": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) {
				putSignatures(t, repo, sum, gvSignatures("ostree.sign.ed25519", make([]byte, 65)))
			},
			"origin:main", "signature is damaged: ed25519: 65 bytes instead of 64"},
		"damaged metadata": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) { putSignatures(t, repo, sum, gvBytes([]byte("junk"))) }, "origin:main", ".commitmeta"},
		"revoked key": {origin(originKey + publicKey(9)),
			func(t testing.TB, repo, sum string) { signCommit(t, repo, sum, 9) }, "origin:main", "signed with a revoked key, " + publicKey(9)},
		"no key of the remote": {origin(), func(t testing.TB, repo, sum string) { signCommit(t, repo, sum, 1) }, "origin:main", "there is no key for remote origin"},
		"no key of the system": {origin(originKey + publicKey(1)),
			func(t testing.TB, repo, sum string) { signCommit(t, repo, sum, 1) }, "main", "there is no key for the system"},
		"no such remote": {"", nil, "origin:main", "keys of remote origin: Remote \"origin\" not found"},
		"a broken key":   {origin(originKey + "AAAA"), nil, "origin:main", "verification-ed25519-key"},
	} {
		t.Run(name, func(t *testing.T) {
			repo, sum := signedRepo(t, c.config)
			if c.entries != nil {
				c.entries(t, repo, sum)
			}
			dir := scratch(t)
			o := deployfs(t, "mount", "--repo="+repo, "--require-signature", c.rev, dir)
			oneError(t, o, dir, c.want)
			if !strings.HasPrefix(o.err, "error: keys of ") && !strings.Contains(o.err, sum) {
				t.Errorf("the commit is not named: %q", o.err)
			}
			if name != "a broken key" && !strings.Contains(o.err, "\nhint: ") {
				t.Errorf("no remedy: %q", o.err)
			}
			umounted(t, mounted(t, "--repo="+repo, c.rev)) // nobody demands a signature
		})
	}
}

// TestMovedSignature: a signature is of its own commit, whatever ref leads there.
func TestMovedSignature(t *testing.T) {
	needFuse(t)
	repo, sum := signedRepo(t, origin(originKey+publicKey(1)))
	signCommit(t, repo, sum, 1)
	meta, err := os.ReadFile(objectPath(repo, sum, "commitmeta"))
	if err != nil {
		t.Fatal(err)
	}
	other := commit(t, repo, "other", scratch(t))
	if err := os.WriteFile(objectPath(repo, other, "commitmeta"), meta, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "cp", repo+"/refs/heads/other", repo+"/refs/remotes/origin/main")
	dir := scratch(t)
	oneError(t, deployfs(t, "mount", "--repo="+repo, "--require-signature", "origin:main", dir), dir, other, "no key that remote origin trusts")
}
