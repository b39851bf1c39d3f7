package tests

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// secretKey is the signer's key as `sign` takes it.
func secretKey(seed byte) string { return base64.StdEncoding.EncodeToString(signer(seed)) }

// dummySign runs a program with the signatures of tests allowed.
func dummySign(t testing.TB, program string, args ...string) outcome {
	t.Helper()
	return command{args: append([]string{program}, args...), env: []string{"OSTREE_DUMMY_SIGN_ENABLED=1"}}.run(t)
}

// TestSignDummy: each program takes what the other signs, and says the same.
func TestSignDummy(t *testing.T) {
	ours, theirs := newRepo(t, "archive"), newRepo(t, "archive")
	ourSum, theirSum := commit(t, ours, "main", forest(t, "plain")), commit(t, theirs, "main", forest(t, "plain"))
	for _, args := range []string{
		"main word", "--verify main word", "--verify main other", "--verify main other word", "-d", "main", "nope word", "--verify nope word",
	} {
		args := append([]string{"sign", "--sign-type=dummy"}, strings.Fields(args)...)
		our := dummySign(t, binary(t, "deployfs"), append(args, "--repo="+ours)...)
		their := dummySign(t, "ostree", append(args, "--repo="+theirs)...)
		if our.code != their.code || our.out != their.out || lastLine(our.err) != lastLine(their.err) {
			t.Errorf("%s: %d\n%s%s\nwant %d\n%s%s", our.line, our.code, our.out, our.err, their.code, their.out, their.err)
		}
	}
	if o := dummySign(t, "ostree", "--repo="+ours, "sign", "-s", "dummy", "--verify", "main", "word"); o.code != 0 {
		t.Error(o.err)
	}
	a, err := os.ReadFile(objectPath(ours, ourSum, "commitmeta"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(objectPath(theirs, theirSum, "commitmeta")); err != nil || string(a) != string(b) {
		t.Errorf("%x, %v, want %x", a, err, b)
	}
	if o := dummySign(t, binary(t, "deployfs"), "--repo="+ours, "sign", "-s", "dummy", "--verify", "main"); o.code != 1 || !strings.Contains(o.err, "name a KEY-ID") {
		t.Errorf("without a key: %d, %s", o.code, o.err)
	}
	o := dummySign(t, binary(t, "deployfs"), "--repo="+ours, "sign", "-s", "dummy", "--verify", "--json", "main", "word")
	if want := `"commit": "` + ourSum + `"`; o.code != 0 || !strings.Contains(o.out, want) || !strings.Contains(o.out, `"type": "dummy"`) {
		t.Errorf("--json: %d, %s%s", o.code, o.out, o.err)
	}
	if o := deployfs(t, "--repo="+ours, "sign", "--json", "main", "word"); o.code != 1 || lastLine(o.err) != "error: --json needs --verify\n" {
		t.Errorf("--json alone: %d, %s", o.code, o.err)
	}
	if o := deployfs(t, "--repo="+ours, "sign", "-s", "dummy", "--verify", "main", "word"); o.code != 1 || lastLine(o.err) != "error: No valid signatures found\n" {
		t.Errorf("without leave: %d, %s", o.code, o.err)
	}
	if o := dummySign(t, binary(t, "deployfs"), "--repo="+ours, "sign", "-s", "dummy", "--delete", "main", "other", "word"); o.out != "Signatures deleted: 1\n" {
		t.Errorf("%q, %s", o.out, o.err)
	}
	if o := dummySign(t, "ostree", "--repo="+ours, "sign", "-s", "dummy", "--verify", "main", "word"); o.code != 1 {
		t.Error("the signature is still there")
	}
}

// TestSignEd25519: what is signed is right to OpenSSL, and to those who have the public key.
func TestSignEd25519(t *testing.T) {
	repo, keys := newRepo(t, "archive"), scratch(t)
	write := func(name string, lines ...string) string {
		path := keys + "/" + name
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := forest(t, "plain")
	must(t, binary(t, "deployfs"), "--repo="+repo, "commit", "-b", "main", "--sign="+secretKey(1), "--tree=dir="+dir)
	must(t, binary(t, "deployfs"), "--repo="+repo, "sign", "--keys-file="+write("secret", secretKey(2)), "main")
	sum := ostree(t, repo, "rev-parse", "main")
	opensslVerify(t, repo, sum, 1, 2)

	success := func(seed byte) string {
		return "ed25519: Signature verified successfully with key '" + hex.EncodeToString(signer(seed).Public().(ed25519.PublicKey)) + "'\n"
	}
	verify := func(args ...string) outcome {
		return deployfs(t, append([]string{"--repo=" + repo, "sign", "--verify", "main"}, args...)...)
	}
	write("trusted.ed25519", publicKey(3), publicKey(2))
	for name, c := range map[string]struct {
		o    outcome
		want string // the output, or what the error holds
	}{
		"a key":              {verify(publicKey(1)), success(1)},
		"the second key":     {verify(publicKey(3), "junk", publicKey(2)), success(2)},
		"a file":             {verify("--keys-file=" + keys + "/trusted.ed25519"), success(2)},
		"a directory":        {verify("--keys-dir=" + keys), success(2)},
		"no such key":        {verify(publicKey(3)), "No valid signatures found"},
		"no such key, file":  {verify("--keys-file=" + write("others", publicKey(3))), "ed25519: Signature couldn't be verified with: key '"},
		"no key file":        {verify("--keys-file=" + keys), "is not a regular file"},
		"an empty file":      {verify("--keys-file=" + write("empty")), "no valid keys in file"},
		"an empty directory": {verify("--keys-dir=" + scratch(t)), "signature: ed25519: no keys loaded"},
		"no such scheme":     {verify("--sign-type=sm2", publicKey(1)), "Requested signature type is not implemented"},
		"no secret key":      {deployfs(t, "--repo="+repo, "sign", "main", publicKey(1)), "Invalid ed25519 secret key: Ill-formed input: expected 64 bytes, got 32 bytes"},
	} {
		good := strings.HasPrefix(c.want, "ed25519: Signature verified")
		if good && (c.o.code != 0 || c.o.out != c.want) || !good && (c.o.code != 1 || !strings.Contains(c.o.err, c.want)) {
			t.Errorf("%s: %d, %q, %s, want %q", name, c.o.code, c.o.out, c.o.err, c.want)
		}
	}
	write("revoked.ed25519", publicKey(2))
	if o := verify("--keys-dir=" + keys); o.code != 1 {
		t.Errorf("a revoked key counts: %s", o.out)
	}
	if o := deployfs(t, "--repo="+repo, "sign", "--delete", "main", publicKey(2)); o.out != "Signatures deleted: 1\n" {
		t.Errorf("%q, %s", o.out, o.err)
	}
	opensslVerify(t, repo, sum, 1)
}

// opensslVerify wants a commit to have signatures by these, one each.
func opensslVerify(t *testing.T, repo, sum string, seeds ...byte) {
	t.Helper()
	need(t, have("openssl"), "openssl is not installed")
	list := signaturesOf(t, repo, sum, "ed25519")
	if len(list) != len(seeds) {
		t.Fatalf("%d signatures", len(list))
	}
	key := scratch(t) + "/k"
	for i, seed := range seeds {
		der, err := x509.MarshalPKIXPublicKey(signer(seed).Public())
		if err == nil {
			err = os.WriteFile(key, der, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		opensslCheck(t, "DER", key, list[i], objectPath(repo, sum, "commit"))
	}
}

// opensslCheck fails unless openssl takes a signature of a file for good.
func opensslCheck(t *testing.T, form, key string, signature []byte, file string) {
	t.Helper()
	path := scratch(t) + "/s"
	if err := os.WriteFile(path, signature, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", form, "-inkey", key, "-sigfile", path, "-in", file)
}

// signaturesOf are those of a scheme on a commit. ostree would print some of them as text.
func signaturesOf(t *testing.T, repo, sum, scheme string) [][]byte {
	t.Helper()
	var commit struct {
		Detached map[string][][]byte `json:"detached_metadata"`
	}
	if err := json.Unmarshal([]byte(must(t, binary(t, "deployfs"), "--repo="+repo, "show", "--json", sum)), &commit); err != nil {
		t.Fatal(err)
	}
	return commit.Detached["ostree.sign."+scheme]
}

// TestSignSPKI: keys and signatures of openssl and ours are the same to each other; what is signed so
// is pulled, and shown for what it is.
func TestSignSPKI(t *testing.T) {
	t.Parallel()
	need(t, have("openssl"), "openssl is not installed")
	program, repo, dir := binary(t, "deployfs"), newRepo(t, "archive"), scratch(t)
	files := forest(t, "plain")
	for name, algorithm := range map[string][]string{
		"ed448": {"-algorithm", "ed448"}, "p256": {"-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
	} {
		secret, public, signature := dir+"/"+name, dir+"/"+name+".pub", dir+"/"+name+".sig"
		must(t, slices.Concat([]string{"openssl", "genpkey", "-out", secret}, algorithm)...)
		must(t, "openssl", "pkey", "-in", secret, "-pubout", "-out", public)
		sum := strings.TrimSpace(must(t, program, "--repo="+repo, "commit", "-b", name, "--sign-type=spki", "--sign-from-file="+secret, files))
		object := objectPath(repo, sum, "commit")
		opensslCheck(t, "PEM", public, signaturesOf(t, repo, sum, "spki")[0], object)
		must(t, "openssl", "pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", object, "-out", signature)
		data, err := os.ReadFile(signature)
		if err != nil {
			t.Fatal(err)
		}
		verify := []string{program, "--repo=" + repo, "sign", "--verify", "-s", "spki", "--keys-file=" + public, name}
		putSignatures(t, repo, sum, gvSignatures("ostree.sign.spki", []byte("junk")))
		if o := (command{args: verify}).run(t); o.code != 1 || !strings.Contains(o.err, "spki: Signature couldn't be verified with: key '30") {
			t.Errorf("%s, junk: %d, %s", name, o.code, o.err)
		}
		putSignatures(t, repo, sum, gvSignatures("ostree.sign.spki", []byte("junk"), data))
		if text := must(t, verify...); !strings.HasPrefix(text, "spki: Signature verified successfully with key '30") {
			t.Errorf("%s: %s", name, text)
		}
	}
	pullsSPKI(t, repo, dir)
	signsSummary(t, repo, dir)
}

// signsSummary signs a summary with two keys, of which both tell.
func signsSummary(t *testing.T, repo, dir string) {
	t.Helper()
	program := binary(t, "deployfs")
	must(t, program, "--repo="+repo, "summary", "-u", "--sign-type=spki", "--sign-from-file="+dir+"/p256", "--sign-from-file="+dir+"/ed448")
	dest := newRepo(t, "archive")
	add := func(name, key string) {
		must(t, program, "--repo="+dest, "remote", "add", "--no-gpg-verify", "--set=sign-verify-summary=spki", "--set=verification-spki-file="+dir+"/"+key, name, "file://"+repo)
	}
	add("a", "ed448.pub")
	add("b", "p256.pub")
	must(t, program, "--repo="+dest, "pull", "a", "ed448")
	must(t, program, "--repo="+dest, "pull", "b", "ed448")
	must(t, program, "--repo="+repo, "remote", "add", "--no-gpg-verify", "--sign-verify=spki=file:"+dir+"/p256.pub", "self", "file://"+repo)
	text := must(t, program, "--repo="+repo, "summary", "--view")
	if !strings.Contains(text, "\n\nFound 2 spki signatures on the summary:\n\n  Good signature with key ") || !strings.HasSuffix(text, ", which counts for remote self\n  Can't check signature: public key not found") {
		t.Error(text)
	}
	if err := os.WriteFile(repo+"/summary.sig", gvArray(8, gvSignatures("ostree.sign.spki", []byte("junk"))).data, 0o644); err != nil {
		t.Fatal(err)
	}
	if o := deployfs(t, "--repo="+dest, "pull", "a", "p256"); o.code != 1 || !strings.Contains(o.err, "error: spki: Signature couldn't be verified with: key '30") {
		t.Errorf("%d, %s", o.code, o.err)
	}
}

// pullsSPKI pulls the branches ed448 and p256, of which only the first is signed with the key that
// counts.
func pullsSPKI(t *testing.T, src, dir string) {
	t.Helper()
	program, repo := binary(t, "deployfs"), newRepo(t, "archive")
	must(t, program, "--repo="+repo, "remote", "add", "--no-gpg-verify", "--sign-verify=spki=file:"+dir+"/ed448.pub", "o", "file://"+src)
	must(t, program, "--repo="+repo, "pull", "o", "ed448")
	o := deployfs(t, "--repo="+repo, "pull", "o", "p256")
	if want := ": spki: Signature couldn't be verified with: key '30"; o.code != 1 || !strings.Contains(o.err, want) {
		t.Errorf("%d, %q, want %q", o.code, o.err, want)
	}
	if o := deployfs(t, "--repo="+repo, "rev-parse", "o:p256"); o.code == 0 {
		t.Errorf("the ref is there: %s", o.out)
	}
	text := must(t, program, "--repo="+repo, "show", "o:ed448")
	if !strings.Contains(text, "Found 2 spki signatures:\n\n  Can't check signature: public key not found\n  Good signature with key ") {
		t.Error(text)
	}
	if with := must(t, program, "--repo="+repo, "log", "--show-signature", "o:ed448"); with != text+"\n" {
		t.Errorf("%s, want %s", with, text)
	}
	link := dir + "/ostree"
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	if ours, theirs := must(t, link, "--repo="+repo, "show", "o:ed448"), ostree(t, repo, "show", "o:ed448"); ours != theirs {
		t.Errorf("%q, want %q", ours, theirs)
	}
}
