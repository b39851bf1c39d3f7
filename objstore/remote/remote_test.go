package remote

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
)

// newRepo makes a repository with more in its config.
func newRepo(t *testing.T, config string) *objstore.Repo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo")
	r, err := objstore.Create(path, objstore.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if err := r.WriteConfig([]byte("[core]\nrepo_version=1\n" + config)); err != nil {
		t.Fatal(err)
	}
	if config == "" {
		return r
	}
	r.Close()
	if r, err = objstore.Open(path); err != nil { // for its parent
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// TestDirectory holds what becomes of remotes that have files of their own.
func TestDirectory(t *testing.T) {
	repo := newRepo(t, "\n[remote \"inside\"]\nurl=http://i\n")
	dir := filepath.Join(t.TempDir(), "etc/remotes.d")
	l, err := machine.load(repo, dir)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	must(l.Add("new", []Setting{URL("http://n"), Words("branches", []string{"a"})}, Refuse))
	if got, want := read(t, dir+"/new.conf"), "[remote \"new\"]\nurl=http://n\nbranches=a;\n"; got != want {
		t.Errorf("new.conf is %q, want %q", got, want)
	}
	write(t, dir+"/two.conf", "# mine\n[remote \"one\"]\nurl=http://1\n\n[remote \"two\"]\nurl=http://2\n")
	write(t, dir+"/note", "junk")
	os.Mkdir(dir+"/dir.conf", 0o755)
	must(l.reload())
	if got := l.Names(); !slices.Equal(got, []string{"inside", "new", "one", "two"}) {
		t.Errorf("remotes %q", got)
	}
	err = l.Add("two", nil, Refuse)
	if want := `Remote configuration for "two" already exists: ` + dir + "/two.conf"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	must(l.Add("two", []Setting{URL("metalink=http://3")}, Replace))
	if got, want := read(t, dir+"/two.conf"), "# mine\n[remote \"one\"]\nurl=http://1\n\n[remote \"two\"]\nmetalink=http://3\n"; got != want {
		t.Errorf("two.conf is %q, want %q", got, want)
	}
	if info, _ := os.Stat(dir + "/two.conf"); info.Mode().Perm() != 0o600 {
		t.Errorf("two.conf is %s", info.Mode())
	}
	err = l.CheckConfig([]byte("[core]\n[remote \"one\"]\nurl=x\n"))
	if want := `Remote "one" already defined in ` + dir + "/two.conf"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	must(l.CheckConfig([]byte("[core]\n[remote \"inside\"]\nurl=x\n")))
	must(l.Delete("one"))
	must(l.Delete("two"))
	must(l.Delete("inside"))
	if left, _ := os.ReadDir(dir); len(left) != 4-1 || len(repo.Config().Groups()) != 1 { // new.conf, note, dir.conf
		t.Errorf("left: %v, %q", left, repo.Config().Groups())
	}
	must(repo.EditConfig(func(data []byte) ([]byte, error) {
		return objstore.SetKey(data, "core", "add-remotes-config-dir", "false")
	}))
	must(l.Add("last", []Setting{URL("http://l")}, Refuse))
	if _, err := os.Stat(dir + "/last.conf"); err == nil || !repo.Config().HasGroup(`remote "last"`) {
		t.Error("a remote went into the directory, in spite of the config")
	}
	write(t, dir+"/again.conf", "[remote \"last\"]\n")
	if _, err := machine.load(repo, dir); err == nil || !strings.Contains(err.Error(), `Multiple specifications found for remote "last"`) {
		t.Error(err)
	}
	write(t, dir+"/again.conf", "junk")
	if _, err := machine.load(repo, dir); err == nil || !strings.Contains(err.Error(), "Failed to parse "+dir+"/again.conf: ") {
		t.Error(err)
	}
}

// TestSystem holds which repository has the machine's directory.
func TestSystem(t *testing.T) {
	repo, other := newRepo(t, ""), newRepo(t, "")
	link := filepath.Join(t.TempDir(), "link")
	os.Symlink(repo.Path(), link)
	if p := (Places{Repos: []string{"/nonexistent", link}}); !p.owns(repo) || p.owns(other) || (Places{Repos: []string{"/nonexistent"}}).owns(repo) {
		t.Error("the wrong repository is the system's")
	}
	root := t.TempDir()
	for _, want := range []string{"", root + "/etc/ostree/remotes.d"} {
		if l, err := LoadSysroot(repo, root); err != nil || l.dir != want {
			t.Errorf("%+v, %v, want directory %q", l, err, want)
		}
		os.Mkdir(root+"/sysroot", 0o755) // now it is seen from a deployment
	}
}

// TestParent holds what a repository sees of its parent's remotes.
func TestParent(t *testing.T) {
	parent := newRepo(t, "[remote \"both\"]\nurl=http://p\ngpg-verify=false\n[remote \"theirs\"]\nurl=http://t\n")
	l, err := Load(newRepo(t, "parent="+parent.Path()+"\n[remote \"both\"]\nproxy=x\\sy\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Names(); !slices.Equal(got, []string{"both", "theirs"}) {
		t.Errorf("remotes %q", got)
	}
	for name, want := range map[string]string{"both": "http://p", "theirs": "http://t", "file:///x": "file:///x"} {
		if got, err := l.URL(name); err != nil || got != want {
			t.Errorf("%s is at %q, %v, want %q", name, got, err, want)
		}
	}
	if got, ok, err := l.Option("both", "proxy"); err != nil || !ok || got != "x y" {
		t.Errorf("proxy %q, %v, %v", got, ok, err)
	}
	for name, want := range map[string]string{"theirs": `Remote "theirs" not found`, "../x": "Invalid remote name ../x"} {
		if err := l.Delete(name); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	r, err := l.Find("both")
	if err != nil || !slices.Equal(r.Keys(), []string{"proxy"}) {
		t.Errorf("keys %q, %v", r.Keys(), err)
	}
}

// TestKeyring holds that a remote takes its keys with it.
func TestKeyring(t *testing.T) {
	repo := newRepo(t, "[remote \"a\"]\n")
	path := filepath.Join(repo.Path(), Keyring("a"))
	write(t, path, "keys")
	l, err := Load(repo)
	if err == nil {
		err = l.Delete("a")
	}
	if _, statErr := os.Stat(path); err != nil || statErr == nil {
		t.Errorf("%v, %v", err, statErr)
	}
}

func TestParseVerify(t *testing.T) {
	for specs, want := range map[string]string{
		"ed25519=inline:a=b:c":                "verification-ed25519-key=a=b:c sign-verify=ed25519",
		"dummy=file:/k ed25519=file:relative": "verification-dummy-file=/k verification-ed25519-file=relative sign-verify=dummy,ed25519",
		"":                                    "",
		"dummy":                               "Failed to parse KEYTYPE=[inline|file]:DATA in dummy",
		"gost=inline:x":                       "Requested signature type is not implemented",
		"dummy=web:x":                         "Invalid key reference web, expected inline|file",
		"ed25519=inline:x dummy=inline":       "Failed to parse KEYTYPE=[inline|file]:DATA in dummy=inline",
	} {
		settings, err := ParseVerify(strings.Fields(specs))
		var words []string
		for _, s := range settings {
			words = append(words, s.key+"="+s.raw)
		}
		got := strings.Join(words, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", specs, got, want)
		}
	}
}

func TestCookies(t *testing.T) {
	repo := newRepo(t, "")
	path := filepath.Join(repo.Path(), "a.cookies.txt")
	write(t, path, "# comment\nd FALSE /  TRUE 2000000000 n v more\nd\tFALSE\t/\tTRUE\tsoon\tn\tv")
	if err := AddCookie(repo, "a", Cookie{Domain: ".e", Path: "/p", Name: "n", Value: "w"}); err != nil {
		t.Fatal(err)
	}
	list, err := Cookies(repo, "a")
	if err != nil || len(list) != 2 || list[0].Secure != "TRUE" || list[0].Expires.Unix() != 2000000000 || list[1].Value != "w" || list[1].Secure != "FALSE" {
		t.Errorf("%+v, %v", list, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("the jar is %s", info.Mode())
	}
	if err := DeleteCookie(repo, "a", "d", "/", "n"); err != nil {
		t.Error(err)
	}
	if text := read(t, path); !strings.HasPrefix(text, "# comment\nd\tFALSE\t/\tTRUE\tsoon\tn\tv\n.e\tTRUE\t/p\tFALSE\t") {
		t.Errorf("left %q", text)
	}
	for _, c := range []Cookie{{Domain: "a b", Path: "/", Name: "n", Value: "v"}, {Domain: "a", Path: "/", Name: "n\nx", Value: "v"}, {Domain: "a", Path: "/", Name: "n"}} {
		if AddCookie(repo, "a", c) == nil {
			t.Errorf("took %+v", c)
		}
	}
	if _, err := Cookies(repo, "../a"); err == nil {
		t.Error("a remote outside of the repository has cookies")
	}
}

// TestAddTogether: of two who add a remote of one name at the same time the second fails.
func TestAddTogether(t *testing.T) {
	repo := newRepo(t, "")
	var lists [2]*List
	for i := range lists {
		var err error
		if lists[i], err = machine.load(repo, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := lists[0].Add("origin", []Setting{{"url", "first"}}, Refuse); err != nil {
		t.Fatal(err)
	}
	if err := lists[1].Add("origin", []Setting{{"url", "second"}}, Refuse); err == nil || !strings.HasSuffix(err.Error(), "already exists: (in config)") {
		t.Errorf("the second: %v", err)
	}
	if err := lists[1].Add("origin", []Setting{{"url", "third"}}, Keep); err != nil {
		t.Error(err)
	}
	if text := read(t, repo.Path()+"/config"); !strings.Contains(text, "url=first\n") {
		t.Error(text)
	}
}
