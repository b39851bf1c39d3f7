package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/remote"
)

// world is a machine with a repository of one commit.
type world struct {
	system
	t      *testing.T
	dir    string
	repo   string
	commit object.Checksum
	data   []byte
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	w.repo = w.dir + "/repo"
	w.system = system{keys: []string{w.dir + "/etc", w.dir + "/share"}, places: remote.Places{Dir: w.dir + "/etc/remotes.d"}}
	sum := gvariant.NewBytes(slices.Repeat([]byte{7}, 32))
	text := gvariant.NewString("")
	w.data = gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(nil), gvariant.NewArray("(say)"), text, text,
		gvariant.NewUint64(0), sum, sum).Bytes()
	w.commit = sha256.Sum256(w.data)
	w.write("repo/"+w.object("commit"), string(w.data))
	w.config("")
	return w
}

func (w *world) object(kind string) string {
	name := w.commit.String()
	return "objects/" + name[:2] + "/" + name[2:] + "." + kind
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) config(remotes string) {
	w.write("repo/config", "[core]\nrepo_version=1\nmode=bare-user\n"+remotes)
}

// meta writes the commit's detached metadata.
func (w *world) meta(entries ...gvariant.Value) {
	w.write("repo/"+w.object("commitmeta"), string(gvariant.NewArray("{sv}", entries...).Bytes()))
}

func signatures(key string, list ...[]byte) gvariant.Value {
	var elements []gvariant.Value
	for _, s := range list {
		elements = append(elements, gvariant.NewBytes(s))
	}
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(gvariant.NewArray("ay", elements...)))
}

// signed signs the commit with each of keys.
func (w *world) signed(keys ...byte) {
	var list [][]byte
	for _, k := range keys {
		list = append(list, ed25519.Sign(private(k), w.data))
	}
	w.meta(signatures("ostree.sign.ed25519", list...))
}

func private(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(seed byte) string {
	return base64.StdEncoding.EncodeToString(private(seed).Public().(ed25519.PublicKey))
}

// spki is the same key in the form of spki.
func spki(seed byte) string {
	der, _ := x509.MarshalPKIXPublicKey(private(seed).Public())
	return base64.StdEncoding.EncodeToString(der)
}

func pemKey(seed byte) string {
	return "-----BEGIN PUBLIC KEY-----\n" + spki(seed) + "\n-----END PUBLIC KEY-----\n"
}

func (w *world) spkiSigned(seed byte) {
	w.meta(signatures("ostree.sign.spki", ed25519.Sign(private(seed), w.data)))
}

func (w *world) check(remote string) error {
	w.t.Helper()
	repo, err := objstore.Open(w.repo)
	if err != nil {
		w.t.Fatal(err)
	}
	defer repo.Close()
	return w.system.check(repo, w.commit, remote)
}

const origin = "[remote \"origin\"]\nurl=http://localhost\n"

func TestCheck(t *testing.T) {
	key := func(seed byte) string { return "verification-ed25519-key=" + public(seed) + "\n" }
	for name, c := range map[string]struct {
		remote string
		do     func(*world)
		want   string // in the error; "" is trust
	}{
		"the remote's key":       {"origin", func(w *world) { w.config(origin + key(1)); w.signed(1) }, ""},
		"one of two signatures":  {"origin", func(w *world) { w.config(origin + key(1)); w.signed(2, 1) }, ""},
		"the remote's file":      {"origin", func(w *world) { w.file("#\n" + public(2) + "\n" + public(1)); w.signed(1) }, ""},
		"the system's key":       {"", func(w *world) { w.write("etc/trusted.ed25519", public(1)); w.signed(1) }, ""},
		"the system's directory": {"", func(w *world) { w.write("share/trusted.ed25519.d/a", public(1)); w.signed(1) }, ""},
		"a remote without keys":  {"origin", func(w *world) { w.config(origin); w.write("etc/trusted.ed25519", public(1)); w.signed(1) }, ""},
		"sign-verify is off":     {"origin", func(w *world) { w.config(origin + "sign-verify=false\n" + key(1)); w.signed(1) }, ""},
		"sign-verify lists":      {"origin", func(w *world) { w.config(origin + "sign-verify=spki;ed25519;\n" + key(1)); w.signed(1) }, ""},
		"spki, of the remote": {"origin", func(w *world) {
			w.config(origin + "sign-verify=spki\nverification-spki-key=" + spki(1) + "\n")
			w.spkiSigned(1)
		}, ""},
		"spki, of the system": {"", func(w *world) { w.write("etc/trusted.spki", pemKey(1)); w.spkiSigned(1) }, ""},
		"spki, revoked": {"", func(w *world) {
			w.write("etc/trusted.spki", pemKey(1))
			w.write("share/revoked.spki.d/a", pemKey(1))
			w.spkiSigned(1)
		}, "revoked key, " + spki(1)},
		"of a parent's remote":      {"origin", func(w *world) { w.child(origin + key(1)); w.signed(1) }, ""},
		"of the system's remote":    {"origin", func(w *world) { w.systemRepo(origin + key(1)); w.signed(1) }, ""},
		"no signature":              {"origin", func(w *world) { w.config(origin + key(1)) }, "it has no signature"},
		"no signature in metadata":  {"origin", func(w *world) { w.config(origin + key(1)); w.meta() }, "it has no signature"},
		"an empty list":             {"origin", func(w *world) { w.config(origin + key(1)); w.signed() }, "it has no signature"},
		"only gpg":                  {"origin", func(w *world) { w.config(origin + key(1)); w.meta(signatures("ostree.gpgsigs", []byte("x"))) }, "only signatures of gpg"},
		"only a scheme of no name":  {"origin", func(w *world) { w.config(origin + key(1)); w.meta(signatures("ostree.sign.\x1b[2J", nil)) }, "it has no signature"},
		"another key":               {"origin", func(w *world) { w.config(origin + key(1)); w.signed(2, 3) }, "no key that remote origin trusts"},
		"the system's, not its own": {"origin", func(w *world) { w.config(origin + key(2)); w.write("etc/trusted.ed25519", public(1)); w.signed(1) }, "no key that remote origin trusts"},
		"the remote's, not asked":   {"", func(w *world) { w.config(origin + key(1)); w.signed(1) }, "there is no key for the system"},
		"revoked, of the remote": {"origin", func(w *world) {
			w.config(origin + key(1))
			w.write("share/revoked.ed25519.d/x", public(1))
			w.signed(1)
		}, "revoked key, " + public(1)},
		"revoked, of the system": {"", func(w *world) {
			w.write("etc/trusted.ed25519", public(1)+"\n"+public(2))
			w.write("etc/revoked.ed25519", public(1))
			w.signed(1)
		}, "revoked key"},
		"one revoked, one good": {"", func(w *world) {
			w.write("etc/trusted.ed25519", public(1)+"\n"+public(2))
			w.write("etc/revoked.ed25519", public(1))
			w.signed(1, 2)
		}, ""},
		"no key at all": {"origin", func(w *world) { w.config(origin); w.signed(1) }, "there is no key for remote origin"},
		"listed without its key": {"origin", func(w *world) {
			w.config(origin + "sign-verify=ed25519\n")
			w.write("etc/trusted.ed25519", public(1))
			w.signed(1)
		}, "takes only signatures of ed25519, and has no key of its own for them"},
		"only other schemes": {"origin", func(w *world) { w.config(origin + "sign-verify=spki\n" + key(1)); w.signed(1) }, "takes only signatures of spki"},
		"a short signature":  {"origin", func(w *world) { w.config(origin + key(1)); w.meta(signatures("ostree.sign.ed25519", make([]byte, 63))) }, "63 bytes instead of 64"},
		"of another type":    {"origin", func(w *world) { w.config(origin + key(1)); w.meta(wrongType()) }, "is of type s"},
		"of another commit":  {"origin", func(w *world) { w.config(origin + key(1)); w.data[3] ^= 1; w.signed(1) }, "no key that remote origin trusts"},
	} {
		w := newWorld(t)
		c.do(w)
		err := w.check(c.remote)
		var refusal *Error
		switch {
		case c.want == "":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, c.want) || refusal.Hint() == "" || refusal.Commit != w.commit:
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func wrongType() gvariant.Value {
	value := gvariant.NewVariant(gvariant.NewString("x"))
	return gvariant.NewEntry(gvariant.NewString("ostree.sign.ed25519"), value)
}

// file gives origin a file of keys.
func (w *world) file(text string) {
	w.write("keys", text)
	w.config(origin + "verification-ed25519-file=" + w.dir + "/keys\n")
}

// child puts a repository on top that has no remotes.
func (w *world) child(config string) {
	w.config(config)
	w.write("child/config", "[core]\nrepo_version=1\nmode=bare-user\nparent=../repo\n")
	w.write("child/objects/x", "")
	w.repo = w.dir + "/child"
}

// systemRepo makes the repository the system's, with a remote elsewhere.
func (w *world) systemRepo(config string) {
	w.write("etc/remotes.d/a.conf", "[remote \"other\"]\n")
	w.write("etc/remotes.d/b.conf", config)
	w.write("etc/remotes.d/note", "no key file")
	if err := os.Symlink(w.repo, w.dir+"/system"); err != nil {
		w.t.Fatal(err)
	}
	w.places.Repos = []string{w.dir + "/nowhere", w.dir + "/system"}
}

// TestBrokenKeys fails for every doubt about keys: none may get lost.
func TestBrokenKeys(t *testing.T) {
	key := origin + "verification-ed25519-key=" + public(1) + "\n"
	for name, c := range map[string]struct {
		remote string
		do     func(*world)
		want   string
	}{
		"no such remote":         {"nope", func(w *world) {}, `Remote "nope" not found`},
		"no remote's name":       {"a b", func(w *world) {}, `Remote "a b" not found`},
		"a bad key":              {"origin", func(w *world) { w.config(origin + "verification-ed25519-key=AAAA\n") }, "verification-ed25519-key"},
		"no key file":            {"origin", func(w *world) { w.config(origin + "verification-ed25519-file=/nonexistent\n") }, "/nonexistent"},
		"a directory of keys":    {"origin", func(w *world) { w.config(origin + "verification-ed25519-file=/\n") }, "not a regular file"},
		"a broken key file":      {"origin", func(w *world) { w.file("# " + public(1) + "\njunk") }, "line 2"},
		"an empty key file":      {"origin", func(w *world) { w.file("\n"); w.write("etc/trusted.ed25519", public(1)) }, "no valid keys in file"},
		"a broken trusted file":  {"", func(w *world) { w.write("etc/trusted.ed25519", "junk") }, "trusted.ed25519: line 1"},
		"a broken revocation":    {"origin", func(w *world) { w.config(key); w.write("etc/revoked.ed25519.d/a", public(1)[1:]) }, "revoked.ed25519.d/a: line 1"},
		"a revocation in a pipe": {"origin", func(w *world) { w.config(key); w.write("etc/x", ""); unix.Mkfifo(w.dir+"/etc/revoked.ed25519", 0o600) }, "not a regular file"},
		"too large a revocation": {"origin", func(w *world) { w.config(key); w.write("etc/revoked.ed25519", strings.Repeat("\n", maxKeyFile+1)) }, "longer than"},
		"a broken remotes.d":     {"origin", func(w *world) { w.systemRepo("junk") }, "b.conf"},
	} {
		w := newWorld(t)
		w.signed(1)
		c.do(w)
		if err := w.check(c.remote); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestDamagedCommit: the signed bytes are those that the commit's name stands for.
func TestDamagedCommit(t *testing.T) {
	w := newWorld(t)
	w.config(origin + "verification-ed25519-key=" + public(1) + "\n")
	w.data[3] ^= 1
	w.signed(1)
	w.write("repo/"+w.object("commit"), string(w.data))
	var corrupt *object.CorruptError
	if err := w.check("origin"); !errors.As(err, &corrupt) {
		t.Error(err)
	}
	w = newWorld(t)
	w.config(origin + "verification-ed25519-key=" + public(1) + "\n")
	w.write("repo/"+w.object("commitmeta"), "junk")
	if err := w.check("origin"); !errors.As(err, &corrupt) || corrupt.Object.Kind != object.KindCommitMeta {
		t.Error(err)
	}
}

func TestRemoteOf(t *testing.T) {
	for rev, want := range map[string]string{
		"main": "", "origin:main": "origin", "origin:a/b^^": "origin", "origin:": "", ":x": "", "a b:c": "", strings.Repeat("0", 64): "", "^": "",
	} {
		if got := RemoteOf(rev); got != want {
			t.Errorf("%q: %q, want %q", rev, got, want)
		}
	}
}
