package trust

import (
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/sign"
)

func (w *world) open() *objstore.Repo {
	w.t.Helper()
	repo, err := objstore.Open(w.repo)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { repo.Close() })
	return repo
}

// entry is a signature by a key of Ed25519.
func (w *world) entry(seed byte) gvariant.Value {
	return signatures("ostree.sign.ed25519", ed25519.Sign(private(seed), w.data))
}

func dict(entries ...gvariant.Value) gvariant.Value { return gvariant.NewArray("{sv}", entries...) }

// keyWord names a key as errors do.
func keyWord(seed byte) string {
	return "key '" + hex.EncodeToString(private(seed).Public().(ed25519.PublicKey)) + "'"
}

const (
	noGPG     = origin + "gpg-verify=false\n"
	errOrigin = "Failed loading 'ed25519' keys from "
)

// TestForPull has the words of ostree's errors whole.
func TestForPull(t *testing.T) {
	t.Setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
	key := func(seed byte) string { return "verification-ed25519-key=" + public(seed) + "\n" }
	signed := func(w *world, seeds ...byte) gvariant.Value {
		var list [][]byte
		for _, seed := range seeds {
			list = append(list, ed25519.Sign(private(seed), w.data))
		}
		return dict(signatures("ostree.sign.ed25519", list...))
	}
	gpgSigned := func(t *testing.T, more ...gvariant.Value) gvariant.Value {
		return dict(append(more, signatures("ostree.gpgsigs", fixture(t, "tester.sig")))...)
	}
	const prefix = "Can't verify commit: "
	for name, c := range map[string]struct {
		do   func(w *world) gvariant.Value
		want string // the error, its CSUM being the commit's; "" is none
	}{
		"nothing asked":   {func(w *world) gvariant.Value { w.config(noGPG); return dict() }, ""},
		"no, as a number": {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=0\n"); return dict() }, ""},
		"asked of nobody": {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=\n"); return dict() }, ""},
		"gpg without asking": {func(w *world) gvariant.Value { w.config(origin); return dict() },
			"Commit CSUM: GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"},
		"gpg":            {func(w *world) gvariant.Value { w.config(origin); w.keyring(ownRing, "tester.gpg"); return gpgSigned(t) }, ""},
		"gpg, of a file": {func(w *world) gvariant.Value { w.config(origin); return gpgSigned(t) }, "Commit CSUM: Signature made"},
		"of all types":   {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=true\n" + key(1)); return signed(w, 1) }, ""},
		"of a list": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=ed25519;\n" + key(1))
			return signed(w, 2, 1)
		}, ""},
		"of a list with commas": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=dummy,ed25519\nverification-dummy-key=x\n" + key(1))
			return signed(w, 1)
		}, ""},
		"of the second type": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=ed25519;dummy;\nverification-dummy-key=x\n" + key(1))
			return dict(signatures("ostree.sign.ed25519", make([]byte, 64)), signatures("ostree.sign.dummy", []byte("x")))
		}, ""},
		"of the system": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=true\n")
			w.write("etc/trusted.ed25519", public(1))
			return signed(w, 1)
		}, ""},
		"of a parent's": {func(w *world) gvariant.Value { w.child(noGPG + "sign-verify=true\n" + key(1)); return signed(w, 1) }, ""},
		"a parent's key": {func(w *world) gvariant.Value {
			w.child(origin + "sign-verify=true\n" + key(1))
			w.write("child/config", "[core]\nrepo_version=1\nmode=bare-user\nparent=../repo\n"+noGPG)
			return signed(w, 2)
		}, prefix + "ed25519: Signature couldn't be verified with: " + keyWord(1)},
		"a file with junk": {func(w *world) gvariant.Value {
			w.write("keys", "junk\n"+public(1)+"\n")
			w.config(noGPG + "sign-verify=ed25519\nverification-ed25519-file=" + w.dir + "/keys\n")
			return signed(w, 1)
		}, ""},
		"file and key": {func(w *world) gvariant.Value {
			w.write("keys", public(2)+"\n")
			w.config(noGPG + "sign-verify=ed25519\n" + key(1) + "verification-ed25519-file=" + w.dir + "/keys\n")
			return signed(w, 3)
		}, prefix + "ed25519: Signature couldn't be verified with: " + keyWord(1) + "; " + keyWord(2)},
		"no metadata": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=true\n" + key(1))
			return gvariant.Value{}
		}, "Can't verify commit without detached metadata"},
		"no signature": {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=true\n" + key(1)); return gpgSigned(t) }, prefix + "No signatures found"},
		"short": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=true\n" + key(1))
			return dict(signatures("ostree.sign.ed25519", []byte("x")))
		}, prefix + "Invalid signature: Ill-formed input: expected 64 bytes, got 1 bytes"},
		"no keys anywhere": {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=true\n"); return signed(w, 1) }, prefix + "signature: ed25519: no keys loaded"},
		"two are bad": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=true\n" + key(1))
			return dict(w.entry(2), signatures("ostree.sign.dummy", []byte("x")))
		}, prefix + "(1 other invalid signatures): ed25519: Signature couldn't be verified with: " + keyWord(1)},
		"revoked, though the remote's own": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=true\n" + key(1))
			w.write("etc/revoked.ed25519", public(1))
			return signed(w, 1)
		}, prefix + "ed25519: no signatures found"},
		"both": {func(w *world) gvariant.Value {
			w.config(origin + "sign-verify=true\n" + key(1))
			w.keyring(ownRing, "tester.gpg")
			return gpgSigned(t, w.entry(1))
		}, ""},
		"both, and one is absent": {func(w *world) gvariant.Value {
			w.config(origin + "sign-verify=true\n" + key(1))
			w.keyring(ownRing, "tester.gpg")
			return gpgSigned(t)
		}, prefix + "No signatures found"},
		"not of the system, where listed": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=ed25519\n")
			w.write("etc/trusted.ed25519", public(1))
			return signed(w, 1)
		}, "No keys found for required signapi type ed25519"},
		"an empty list": {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=;\n"); return dict() }, "Requested signature type is not implemented"},
		"unknown type":  {func(w *world) gvariant.Value { w.config(noGPG + "sign-verify=x\n"); return dict() }, "Requested signature type is not implemented"},
		"a bad key": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=1\nverification-ed25519-key=x\n")
			return dict()
		}, errOrigin + "inline `verification-key`"},
		"no file": {func(w *world) gvariant.Value {
			w.config(noGPG + "sign-verify=1\nverification-spki-file=/nonexistent\n")
			return dict()
		}, "Failed loading 'spki' keys from '/nonexistent"},
		"neither yes nor no": {func(w *world) gvariant.Value { w.config(origin + "gpg-verify=x\n"); return dict() },
			"Key file contains key “gpg-verify” which has a value that cannot be interpreted."},
		"no remote": {func(w *world) gvariant.Value { return dict() }, `Remote "origin" not found`},
	} {
		w := newWorld(t)
		w.write("global/none", "")
		t.Setenv("OSTREE_GPG_HOME", w.dir+"/global")
		meta := c.do(w)
		p, err := w.forPull(w.open(), "origin")
		if err == nil {
			err = p.Commit(w.commit, w.data, meta)
		}
		want := strings.ReplaceAll(c.want, "CSUM", w.commit.String())
		if (err == nil) != (want == "") || err != nil && err.Error() != want && !(name == "gpg, of a file" && strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// TestStoredCommit has the words for commits that are stored already.
func TestStoredCommit(t *testing.T) {
	w := newWorld(t)
	w.config(noGPG + "sign-verify=true\nverification-ed25519-key=" + public(1) + "\n")
	p, err := w.forPull(w.open(), "origin")
	if err != nil {
		t.Fatal(err)
	}
	for want, meta := range map[string]gvariant.Value{
		"": dict(w.entry(1)),
		"ed25519: Signature couldn't be verified with: " + keyWord(1): dict(w.entry(2)),
		"ed25519: commit have no signatures of my type":               {},
	} {
		if want != "" {
			want = "Can't verify commit " + w.commit.String() + ": " + want
		}
		if err := p.StoredCommit(w.commit, w.data, meta); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestPolicyOfSummary(t *testing.T) {
	w := newWorld(t)
	w.config(noGPG + "sign-verify-summary=ed25519\nverification-ed25519-key=" + public(1) + "\n")
	repo := w.open()
	p, err := w.forPull(repo, "origin")
	if err != nil || p.WantsCommit() || !p.WantsSummary() {
		t.Fatal(err)
	}
	good := dict(signatures("ostree.gpgsigs", []byte("x")), w.entry(1)).Bytes()
	const signature = "ed25519: Signature couldn't be verified with: "
	for _, c := range []struct {
		data, sig     []byte
		pulled, shown string
	}{
		{w.data, good, "", ""},
		{w.data, dict(w.entry(2)).Bytes(), signature + keyWord(1), signature + keyWord(1)},
		{w.data[1:], good, signature + keyWord(1), signature + keyWord(1)},
		{w.data, []byte("invalid\n"), "No signatures found", "No signatures found"},
		{w.data, nil, "Signatures verification enabled, but no summary.sig found (use sign-verify-summary=false in remote config to disable)",
			"Signature verification enabled, but no summary signatures found (use sign-verify-summary=false in remote config to disable)"},
		{nil, nil, "Signatures verification enabled, but no summary.sig found (use sign-verify-summary=false in remote config to disable)",
			"Signature verification enabled, but no summary found (check that the configured URL in remote config is correct)"},
		{nil, good, "Signatures verification enabled, but no summary found (use sign-verify-summary=false in remote config to disable)",
			"Signature verification enabled, but no summary found (check that the configured URL in remote config is correct)"},
	} {
		for want, err := range map[string]error{c.pulled: p.Summary(c.data, c.sig), c.shown + " ": p.ShownSummary(c.data, c.sig)} {
			if want = strings.TrimSuffix(want, " "); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
	if p, err := w.forPull(repo, "file:///nowhere"); err != nil || p.WantsCommit() || p.WantsSummary() {
		t.Errorf("a file URL: %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	w := newWorld(t)
	key := func(name string, seed byte) string {
		return "[remote \"" + name + "\"]\nverification-ed25519-key=" + public(seed) + "\n"
	}
	w.config(key("a", 1) + key("b", 1) + key("c", 2))
	w.write("etc/trusted.ed25519", public(3)+"\n"+public(1))
	w.write("etc/revoked.ed25519", public(2))
	meta := dict(signatures("ostree.gpgsigs", []byte("x")), signatures("ostree.sign.ed25519",
		ed25519.Sign(private(1), w.data), ed25519.Sign(private(2), w.data), ed25519.Sign(private(3), w.data), ed25519.Sign(private(4), w.data), nil))
	repo := w.open()
	for remote, want := range map[string][]string{
		"":  {"good a,b,", "revoked a,b,c,", "good ", "unknown ", "bad "},
		"a": {"good a", "revoked a", "unknown ", "unknown ", "bad "},
	} {
		list, err := w.verdicts(repo, remote, w.data, meta)
		var got []string
		for _, j := range list {
			got = append(got, j.Result.String()+" "+strings.Join(j.For, ","))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", remote, got, err, want)
		}
	}
	if list, err := w.verdicts(repo, "", w.data, gvariant.Value{}); list != nil || err != nil {
		t.Error(list, err)
	}
	if _, err := w.verdicts(repo, "nope", w.data, meta); err == nil {
		t.Error("no such remote")
	}
}

// TestKeyStoreOfSchemes: what is stored, and what is not.
func TestKeyStoreOfSchemes(t *testing.T) {
	for scheme, want := range map[string]string{
		"ed25519": "signature: ed25519: no keys loaded", "spki": "signature: spki: no keys loaded", "dummy": "keys of type dummy are stored nowhere; name a KEY-ID", "x": sign.ErrNoScheme.Error(),
	} {
		if _, err := KeyStore(scheme, t.TempDir()); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", scheme, err, want)
		}
	}
}
