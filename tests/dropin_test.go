package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dropIn is a directory with our program under the name ostree.
func dropIn(t testing.TB) string {
	t.Helper()
	dir := scratch(t)
	if err := os.Symlink(binary(t, "deployfs"), dir+"/ostree"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// session is what lines of shell, run one after the other in one directory, left behind each.
type session []string

// runSession runs lines, to which `ostree` is the program in bin, in a new directory called where.
// After each line all config files below it are printed, too.
func runSession(t testing.TB, bin, where string, lines []string) session {
	t.Helper()
	dir := filepath.Join(scratch(t), where)
	var script strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&script, "(%s\n) >%s/out 2>%s/err; echo \"rc $?\" >>%s/out\n", line, dir, dir, dir)
		fmt.Fprintf(&script, "echo '@@%d'; cat %s/out %s/err; find . -name config -o -name '*.txt' | sort | xargs -r tail -n+1\n", i, dir, dir)
	}
	if err := os.MkdirAll(dir+"/work", 0o755); err != nil {
		t.Fatal(err)
	}
	out := command{args: []string{"bash", "-c", script.String()}, dir: dir + "/work",
		env: []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "OSTREE_DUMMY_SIGN_ENABLED=1"}}.must(t)
	out = strings.ReplaceAll(out, dir, "DIR")
	out = regexp.MustCompile(`(?m)^\(ostree.*GLib-CRITICAL.*\n`).ReplaceAllString(out, "")
	return regexp.MustCompile(`(?m)^@@\d+\n`).Split(out, -1)[1:]
}

// compareSessions runs lines with the real ostree and with ours under its name.
func compareSessions(t *testing.T, lines []string) {
	t.Helper()
	real, err := filepath.EvalSymlinks(must(t, "sh", "-c", "command -v ostree"))
	if err != nil {
		t.Fatal(err)
	}
	want := runSession(t, filepath.Dir(real), "real", lines)
	got := runSession(t, dropIn(t), "ours", lines)
	for i, line := range lines {
		if got[i] != want[i] {
			at := 0
			for at < min(len(got[i]), len(want[i])) && got[i][at] == want[i][at] {
				at++
			}
			t.Errorf("%s\n--- got\n%.400s\n--- want\n%.400s", line, got[i][max(0, at-100):], want[i][max(0, at-100):])
			return
		}
	}
}

// TestInitVerb compares how repositories are made, and refused.
func TestInitVerb(t *testing.T) {
	t.Parallel()
	compareSessions(t, []string{
		"ostree init", "ostree init --repo=r --mode=foo", "ostree init --repo=r --collection-id=foo",
		"ostree init --repo=r --collection-id=", "ostree init --repo=no/where/r",
		"ostree init --repo=r extra; stat -c '%a %n' r r/*", "ostree init --repo=r --mode=archive", "ostree init --repo=r --mode=foo",
		"echo x >file; ostree init --repo=file; rm file", "mkdir m; cd m; ostree init --repo=. --mode=bare-user; ls",
		"mkdir n; cd n; OSTREE_REPO=$PWD/../o ostree init",
		"mkdir -p junk/objects; echo junk >junk/config; ostree init --repo=junk; rm -r junk",
		"mkdir kept; echo '[core]' >kept/config; ostree init --repo=kept --mode=archive; rm -r kept",
		"for m in bare bare-user bare-user-only bare-split-xattrs archive archive-z2; do ostree --collection-id=org.a.B init --repo=$m --mode=$m; done; ls",
		"umask 077; ostree init --repo=u; stat -c '%a %n' u u/* u/refs/*",
	})
}

// TestConfigVerb compares how a configuration is changed.
func TestConfigVerb(t *testing.T) {
	t.Parallel()
	compareSessions(t, []string{
		"ostree init --repo=r --mode=archive; ostree remote add --repo=r origin http://a",
		"ostree config --repo=r set core.z '  a b\tc '", `ostree config --repo=r set core.z "$(printf '\t x\\y;\nz')"; ostree config --repo=r get core.z`,
		"ostree config --repo=r set 'core.a b' y", "ostree config --repo=r -- set core.lock-timeout-secs -1",
		"ostree --repo=r config set --group='remote \"origin\"' a b", "ostree --group=new config --repo=r set x.y z", "ostree config --repo=r set new.a ''",
		"ostree config --repo=r set new.a b c", "ostree config --repo=r set new", "ostree config --repo=r set new x", "ostree config --repo=r set --group=x y",
		"ostree config --repo=r unset new.a", "ostree config --repo=r unset new", "ostree config --repo=r unset new.b", "ostree config --repo=r unset",
		"ostree config --repo=r unset --group=core", "ostree config --repo=r unset --group=core z", "ostree config --repo=r unset --group=nope z",
		"ostree config --repo=r unset new.a b", "ostree config --repo=r foo x", "ostree config",
		"printf '[core]\\nrepo_version=1\\nx=1\\nx=2\\nmode=bare\\n\\n[b]\\n\\n[core]\\ny=1\\n' >r/config; ostree config --repo=r get core.x",
		"ostree config --repo=r unset core.none; printf '[core]\\nrepo_version=1\\nmode=bare\\n\\n[b]\\n' >r/config; ostree config --repo=r set b.x y",
	})
}

// TestRemoteVerbs compares how remotes are kept.
func TestRemoteVerbs(t *testing.T) {
	t.Parallel()
	compareSessions(t, []string{
		"ostree init --repo=r --mode=archive", "ostree remote add --repo=r a", "ostree remote add --repo=r ../a http://x", "ostree remote add --repo=r '' http://x",
		"ostree remote add --repo=r a ''", "ostree remote add --repo=r b metalink=http://m", "ostree remote add --repo=r c mirrorlist=http://m b1 b2 'b;3' ' x'",
		"ostree remote add --repo=r --custom-backend=foo", "ostree remote add --repo=r --custom-backend=foo d", "ostree remote add --repo=r --custom-backend=foo d2 http://x br",
		"ostree remote add --repo=r --set=x e http://e", "ostree remote add --repo=r --set=x= e1 http://e",
		`ostree remote add --repo=r --set=x=1 --set=x=2 --set=url=z --set='y= a;b\' e2 http://e`, "ostree remote add --repo=r --set='a b=x' e4 http://e",
		"ostree --set=x=y --repo=r remote --no-gpg-verify add f1 http://e", "ostree remote add --repo=r --no-sign-verify f2 http://e",
		"ostree remote add --repo=r --no-sign-verify --sign-verify=dummy=inline:x f3 http://e", "ostree remote add --repo=r --sign-verify=dummy f3 http://e",
		"ostree remote add --repo=r --sign-verify=foo=inline:x f3 http://e", "ostree remote add --repo=r --sign-verify=dummy=bad:x f3 http://e",
		"ostree remote add --repo=r --sign-verify=dummy=inline:x f3 http://e",
		"ostree remote add --repo=r --sign-verify=dummy=inline:a:b --sign-verify=dummy=file:/k f4 http://e",
		"ostree remote add --repo=r --collection-id=junk g http://e", "ostree remote add --repo=r --collection-id= --contenturl= g1 http://e",
		"ostree remote add --repo=r --contenturl=http://c --no-gpg-verify h http://e", "ostree remote add --repo=r a http://x",
		"ostree remote add --repo=r --if-not-exists a http://yy", "ostree remote add --repo=r --force a http://zz br",
		"ostree remote add --repo=r --force --if-not-exists a http://zz", "ostree remote add --repo=r --force new http://zz",
		"ostree --repo=none remote add a b", "ostree remote add a b", "ostree remote add --repo=r --sysroot=none a b", "ostree remote add --repo=r grün y",
		"ostree remote add --repo=r file://x y", "ostree remote --repo=r list", "ostree remote list -u --repo=r", "ostree remote list x --repo=r",
		"ostree remote delete --repo=r", "ostree remote delete --repo=r b extra", "ostree remote delete --repo=r d", "ostree remote delete --repo=r d2",
		"ostree remote list --show-urls --repo=r", "ostree remote delete --repo=r b", "ostree remote delete --repo=r --if-exists b",
		"ostree remote delete --repo=r --if-exists ../a", "ostree remote show-url --repo=r", "ostree remote show-url --repo=r c",
		"ostree remote show-url --repo=r file://foo", "ostree remote show-url --repo=r ../x", "ostree remote show-url --repo=r e2 x y",
		"touch r/c.trustedkeys.gpg; ostree remote delete --repo=r c; ls r",
		"ostree init --repo=child; ostree config --repo=child set core.parent $PWD/r; ostree remote add --repo=child a http://own; ostree remote list -u --repo=child",
		"ostree remote delete --repo=child f1; ostree remote add --repo=child --set=x=y --custom-backend=z f1; ostree remote show-url --repo=child f1; rm -r child",
		"printf '[remote \"a\"]\\nurl=x\\n' >>r/config; ostree remote list --repo=r",
		"mkdir -p s/ostree; ostree remote add --sysroot=s a http://b; ostree init --repo=s/ostree/repo; ostree remote add --sysroot=s a http://b",
		"mkdir s/ostree/deploy; ostree remote add --repo=none --sysroot=s a http://b; ostree remote delete --sysroot=s zz",
	})
}

// TestRemoteCookies compares how cookies are kept. The real program lists those of the working directory.
func TestRemoteCookies(t *testing.T) {
	t.Parallel()
	compareSessions(t, []string{
		"ostree init --repo=r", "cd r; ostree remote add-cookie c d p n v; sed -i 's/FALSE\t2[0-9]*/FALSE\t2000000000/' *.txt",
		"cd r; ostree remote add-cookie c .d p n v z; sed -i 's/FALSE\t2[0-9]*/FALSE\t2000000000/' *.txt", "cd r; ostree remote list-cookies c",
		"cd r; ostree remote delete-cookie c d p nn", "cd r; ostree remote delete-cookie c d p n", "cd r; ostree remote delete-cookie c d p",
		"cd r; ostree remote add-cookie c d p n", "cd r; ostree remote list-cookies", "cd r; ostree remote list-cookies nope",
	})
}

// TestExtensions compares how programs called ostree-WORD extend the command.
func TestExtensions(t *testing.T) {
	t.Parallel()
	compareSessions(t, []string{
		`mkdir bin; printf '#!/bin/sh\necho "${0##*/}" "$@"; exit 7\n' >bin/ostree-foo; chmod +x bin/ostree-foo; PATH=./bin:$PATH; ostree -v --bar foo x --help`,
		"PATH=$PWD/bin:$PATH; ostree '' foo", "PATH=$PWD/bin:$PATH; ostree -- foo", "PATH=$PWD/bin:$PATH; cp bin/ostree-foo bin/ostree-refs; ostree refs --repo=none",
		`mkdir localbin; printf '#!/bin/sh\nenv "$@"\n' >localbin/ostree-env; chmod +x localbin/ostree-env; export A_FLAG=x; PATH=./localbin:$PATH; ostree env | grep A_FLAG`,
	})
}

// TestOstreeHelp compares the help of verbs that have no options beyond ostree's.
func TestOstreeHelp(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, verb := range []string{
		"checkout", "checksum", "config", "create-usb", "export", "find-remotes", "fsck", "gpg-sign", "init", "ls", "pull-local", "reset", "rev-parse", "remote", "remote add",
		"remote delete", "remote list", "remote show-url", "remote gpg-import", "remote gpg-list-keys", "remote add-cookie", "remote delete-cookie",
		"remote list-cookies", "remote refs", "remote summary",
	} {
		lines = append(lines, "ostree "+verb+" --help")
	}
	compareSessions(t, append(lines, "ostree remote", "ostree remote nosuch", "ostree remote --nope", "ostree remote -v", "ostree --nope remote"))
}

// TestOstreeName holds what the program is under that name alone.
func TestOstreeName(t *testing.T) {
	t.Parallel()
	ours := dropIn(t) + "/ostree"
	for _, c := range []struct {
		line string
		code int
		want string // a regular expression for what is printed
	}{
		{"--version", 0, `^libostree:\n Version: '[0-9.]+'\n Features:\n(  - [a-z0-9-]+\n)+$`},
		{"refs --version", 0, `^libostree:\n`},
		{"--help", 0, `^Usage:\n  ostree \[OPTION…\] COMMAND\n\nBuiltin Commands:\n  admin  `},
		{"mount --help", 0, `^Usage:\n  ostree \[OPTION…\] COMMAND\n`},
		{"mount", 1, `error: Unknown command 'mount'\n$`},
		{"nosuch -v", 1, `^Usage:\n  ostree (.|\n)*error: Unknown command 'nosuch'\n$`},
		{"", 1, `^Usage:\n  ostree (.|\n)*error: No command specified\n$`},
		{"admin --help", 0, `^Usage:\n  ostree admin `},
		{"admin status", 1, `^error: ostree admin: no program deployctl`},
		{"refs --help", 0, `--version  +Print version information and exit\n\n$`},
	} {
		o := command{args: append([]string{ours}, strings.Fields(c.line)...), env: []string{"PATH=/nonexistent"}}.run(t)
		if got := o.out + o.err; o.code != c.code || !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("ostree %s: exit %d\n%s\nwant %q", c.line, o.code, got, c.want)
		}
	}
}

// TestOstreeLink holds that an ostree which is there stays.
func TestOstreeLink(t *testing.T) {
	t.Parallel()
	root := scratch(t)
	link := root + "/usr/local/bin/ostree"
	must(t, "mkdir", "-p", filepath.Dir(link))
	install := command{args: []string{"make", "-s", "ostree-link", "DESTDIR=" + root}, dir: ".."}
	for range 2 {
		install.must(t)
		if to, err := os.Readlink(link); err != nil || to != "deployfs" {
			t.Errorf("the link is %q, %v", to, err)
		}
	}
	for _, other := range []string{"cp /bin/true", "ln -s /bin/true", "mkdir"} {
		must(t, "rm", "-f", link)
		must(t, "sh", "-c", other+" "+link)
		if o := install.run(t); o.code == 0 || !strings.Contains(o.err, link+" is there already") {
			t.Errorf("%s: exit %d, %s", other, o.code, o.err)
		}
	}
}

// TestAdmin holds that ostree admin is deployctl, with all options: the one beside the program, else the one in PATH.
func TestAdmin(t *testing.T) {
	t.Parallel()
	dir := dropIn(t)
	program := []byte("#!/bin/sh\necho \"$@\"; exit 7\n")
	if err := os.WriteFile(dir+"/deployctl", program, 0o755); err != nil {
		t.Fatal(err)
	}
	o := command{args: []string{dir + "/ostree", "--sysroot=x", "admin", "-v", "status", "--", "--help"}, env: []string{"PATH=" + dir + ":/bin:/usr/bin"}}.run(t)
	if o.code != 7 || o.out != "--sysroot=x -v status -- --help\n" {
		t.Errorf("exit %d, %q %q", o.code, o.out, o.err)
	}
}
