package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"os"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
)

// fixture is a file that gpg made: keys of tester, also after their revocation, and of
// short, which ended after a day; signatures of the world's commit by them. They were
// made on 2024-01-02.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// keyring puts a fixture somewhere in the world.
func (w *world) keyring(path, name string) { w.write(path, string(fixture(w.t, name))) }

// gpgSigned signs the commit by these, and with Ed25519 when seed is not 0.
func (w *world) gpgSigned(seed byte, names ...string) {
	var list [][]byte
	for _, name := range names {
		list = append(list, fixture(w.t, name+".sig"))
	}
	entries := []gvariant.Value{signatures("ostree.gpgsigs", list...)}
	if seed != 0 {
		entries = append(entries, signatures("ostree.sign.ed25519", ed25519.Sign(private(seed), w.data)))
	}
	w.meta(entries...)
}

// other makes the world's commit another one.
func (w *world) other() {
	w.data[len(w.data)-70] ^= 1
	w.commit = sha256.Sum256(w.data)
	w.write("repo/"+w.object("commit"), string(w.data))
}

const ownRing = "repo/origin.trustedkeys.gpg"

func TestCheckGPG(t *testing.T) {
	key := "verification-ed25519-key=" + public(1) + "\n"
	for name, c := range map[string]struct {
		remote string
		do     func(*world)
		want   string // in the error; "" is trust
	}{
		"the remote's keyring": {"origin", func(w *world) { w.config(origin); w.keyring(ownRing, "tester.gpg"); w.gpgSigned(0, "tester") }, ""},
		"of the system's remote": {"origin", func(w *world) {
			w.systemRepo(origin)
			w.keyring("etc/remotes.d/origin.trustedkeys.gpg", "tester.gpg")
			w.gpgSigned(0, "tester")
		}, ""},
		"of a parent": {"origin", func(w *world) {
			w.keyring(ownRing, "tester.gpg")
			w.child(origin)
			w.gpgSigned(0, "tester")
		}, ""},
		"gpgkeypath, a file": {"origin", func(w *world) {
			w.keyring("k", "tester.gpg")
			w.config(origin + "gpgkeypath=" + w.dir + "/k\n")
			w.gpgSigned(0, "tester")
		}, ""},
		"gpgkeypath, directories": {"origin", func(w *world) {
			w.keyring("k/x", "short.gpg")
			w.keyring("l/y", "tester.gpg")
			w.config(origin + "gpgkeypath=" + w.dir + "/k," + w.dir + "/l,\n")
			w.gpgSigned(0, "tester")
		}, ""},
		"global":                {"", func(w *world) { w.keyring("global/a.gpg", "tester.gpg"); w.gpgSigned(0, "tester") }, ""},
		"global, for a remote":  {"origin", func(w *world) { w.config(origin); w.keyring("global/a.gpg", "tester.gpg"); w.gpgSigned(0, "tester") }, ""},
		"one of two signatures": {"", func(w *world) { w.keyring("global/a.gpg", "tester.gpg"); w.gpgSigned(0, "short", "tester") }, ""},
		"no keyring by its name": {"", func(w *world) {
			w.keyring("global/secring.gpg", "tester.gpg")
			w.keyring("global/b.asc", "tester.gpg")
			w.gpgSigned(0, "tester")
		},
			"there is no key for the system"},
		"a remote is bound to its keyring": {"origin", func(w *world) {
			w.config(origin)
			w.keyring(ownRing, "short.gpg")
			w.keyring("global/a.gpg", "tester.gpg")
			w.gpgSigned(0, "tester")
		}, "signed with no key that remote origin trusts"},
		"and to its Ed25519 key": {"origin", func(w *world) {
			w.config(origin + key)
			w.keyring("global/a.gpg", "tester.gpg")
			w.gpgSigned(0, "tester")
		}, "only signatures of gpg, of which remote origin has no keys"},
		"the system's Ed25519 key, not its keyring": {"origin", func(w *world) {
			w.config(origin)
			w.keyring(ownRing, "tester.gpg")
			w.write("etc/trusted.ed25519", public(1))
			w.signed(1)
		}, "only signatures of ed25519"},
		"either of its own": {"origin", func(w *world) { w.config(origin + key); w.keyring(ownRing, "tester.gpg"); w.signed(1) }, ""},
		"both are demanded": {"origin", func(w *world) {
			w.config(origin + key + "gpg-verify=true\nsign-verify=true\n")
			w.keyring(ownRing, "tester.gpg")
			w.gpgSigned(1, "tester")
		}, ""},
		"both are demanded, one is there": {"origin", func(w *world) {
			w.config(origin + key + "gpg-verify=true\nsign-verify=ed25519\n")
			w.keyring(ownRing, "tester.gpg")
			w.signed(1)
		}, "only signatures of ed25519"},
		"both are demanded, of the global keys": {"origin", func(w *world) {
			w.config(origin + key + "gpg-verify=true\nsign-verify=ed25519\n")
			w.keyring("global/a.gpg", "tester.gpg")
			w.gpgSigned(1, "tester")
		}, ""},
		"gpg-verify is off": {"origin", func(w *world) {
			w.config(origin + "gpg-verify=false\n")
			w.keyring(ownRing, "tester.gpg")
			w.gpgSigned(0, "tester")
		}, "there is no key for remote origin"},
		"sign-verify lists others": {"origin", func(w *world) {
			w.config(origin + key + "sign-verify=ed25519\n")
			w.keyring(ownRing, "tester.gpg")
			w.gpgSigned(0, "tester")
		}, "only signatures of gpg"},
		"revoked": {"", func(w *world) { w.keyring("global/a.gpg", "tester-revoked.gpg"); w.gpgSigned(0, "tester") }, "revoked key"},
		"revoked in one place": {"", func(w *world) {
			w.keyring("global/a.gpg", "tester.gpg")
			w.keyring("global/b.gpg", "tester-revoked.gpg")
			w.gpgSigned(0, "tester")
		}, "revoked key"},
		"expired": {"", func(w *world) { w.keyring("global/a.gpg", "short.gpg"); w.gpgSigned(0, "short") }, "no longer good: the key has expired"},
		"of another commit": {"", func(w *world) {
			w.keyring("global/a.gpg", "tester.gpg")
			w.other()
			w.gpgSigned(0, "tester")
		}, "gpg: not a signature of this data"},
		"keys that are none": {"", func(w *world) { w.write("global/a.gpg", "junk"); w.gpgSigned(0, "tester") }, "there is no key for the system"},
		"no such path":       {"origin", func(w *world) { w.config(origin + "gpgkeypath=/nonexistent/k\n"); w.gpgSigned(0, "tester") }, "opendir(/nonexistent/k): No such file or directory"},
		"two separators":     {"origin", func(w *world) { w.config(origin + "gpgkeypath=/a;/b,/c\n"); w.gpgSigned(0, "tester") }, "key value list contains more than one separator"},
	} {
		w := newWorld(t)
		w.write("global/none", "")
		t.Setenv("OSTREE_GPG_HOME", w.dir+"/global")
		c.do(w)
		err := w.check(c.remote)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestForLocalPull(t *testing.T) {
	w := newWorld(t)
	w.write("global/none", "")
	t.Setenv("OSTREE_GPG_HOME", w.dir+"/global")
	w.config(origin)
	w.keyring(ownRing, "tester.gpg")
	repo, err := objstore.Open(w.repo)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	v := ForLocalPull(repo, "origin", true, true)
	meta := func(names ...string) gvariant.Value {
		var list [][]byte
		for _, name := range names {
			list = append(list, fixture(t, name))
		}
		return gvariant.NewArray("{sv}", signatures("ostree.gpgsigs", list...))
	}
	for name, c := range map[string]struct {
		meta gvariant.Value
		want string
	}{
		"good":       {meta("tester.sig"), ""},
		"one good":   {meta("short.sig", "tester.sig"), ""},
		"unknown":    {meta("short.sig"), "Can't check signature: public key not found"},
		"none":       {gvariant.Value{}, "GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"},
		"empty list": {meta(), "GPG: Unable to complete signature verification: GPGME: No data"},
		"keys":       {meta("tester.gpg"), "BAD signature from"},
		"junk":       {gvariant.NewArray("{sv}", signatures("ostree.gpgsigs", []byte("junk"))), "GPG: Unable to complete signature verification: GPGME: No data"},
		"of a type":  {gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("ostree.gpgsigs"), gvariant.NewVariant(gvariant.NewString("x")))), "is of type s"},
	} {
		for what, err := range map[string]error{"commit": v.Commit(w.commit, w.data, c.meta), "summary": v.Summary(w.data, c.meta.Bytes())} {
			if what == "summary" && name == "none" {
				continue // an absent summary.sig is another thing
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want %q", what, name, err, c.want)
			}
		}
	}
	for want, err := range map[string]error{
		"no summary found":     v.Summary(nil, nil),
		"no summary.sig found": v.Summary(w.data, nil),
		"not found":            ForLocalPull(repo, "nope", true, false).Commit(w.commit, w.data, meta("tester.sig")),
		"no signatures found":  v.Summary(w.data, []byte("junk")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestImportKeys(t *testing.T) {
	w := newWorld(t)
	repo, err := objstore.Open(w.repo)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	for _, c := range []struct {
		source string
		n      int
	}{{"tester.gpg", 1}, {"short.gpg", 1}, {"tester-revoked.gpg", 0}, {"tester.gpg", 0}} {
		if n, err := ImportKeys(repo, "origin", [][]byte{fixture(t, c.source)}, nil); n != c.n || err != nil {
			t.Errorf("%s: %d, %v", c.source, n, err)
		}
	}
	keys, err := AllKeys(repo, "")
	if err != nil || len(keys) != 2 || !keys[0].Primary.Revoked || keys[1].Primary.Revoked || !keys[1].Primary.Expired {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if _, err := ImportKeys(repo, "../x", [][]byte{fixture(t, "tester.gpg")}, nil); err == nil {
		t.Error("a keyring outside the repository is written")
	}
}
