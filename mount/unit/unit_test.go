package unit

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for path, want := range map[string]string{
		"/": "-", "/mnt/a": "mnt-a", "/a//b/": "a-b", "/.hidden/x.y": `\x2ehidden-x.y`, "/a-b/..c": `a\x2db-..c`,
		"/mnt/a b/ü": `mnt-a\x20b-\xc3\xbc`, `/a\b`: `a\x5cb`, "/n\nl": `n\x0al`, "/A_9:z@%": `A_9:z\x40\x25`,
	} {
		if got := Escape(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
		if program, err := exec.LookPath("systemd-escape"); err == nil {
			if out, err := exec.Command(program, "--path", path).Output(); err != nil || string(out) != want+"\n" {
				t.Errorf("%q: systemd-escape says %s, %v", path, out, err)
			}
		}
	}
}

// unquote reads one word as systemd does: quotes, escapes, specifiers, variables.
func unquote(t *testing.T, text string) string {
	t.Helper()
	if strings.HasPrefix(text, `"`) {
		text = strings.TrimSuffix(text[1:], `"`)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '%', '$':
			i++
			if i == len(text) || text[i] != c {
				t.Fatalf("%q: a lone %c", text, c)
			}
			b.WriteByte(c)
		case '\\':
			i++
			if text[i] == 'x' {
				var n int
				for _, digit := range text[i+1 : i+3] {
					n = n*16 + strings.IndexRune("0123456789abcdef", digit)
				}
				b.WriteByte(byte(n))
				i += 2
				continue
			}
			b.WriteByte(text[i])
		case '"', '\n', '\'', ' ', ';':
			if c != '\'' && c != ' ' && c != ';' {
				t.Fatalf("%q: a bare %q", text, c)
			}
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// FuzzWord holds that every word comes back, on one line of UTF-8.
func FuzzWord(f *testing.F) {
	for _, text := range []string{"", "/usr/bin/x", "a b", `"\'`, "100%", "$HOME", "\n\t\x00\xff", "ü;", ";", "#"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := word(text)
		if got := unquote(t, w); got != text || !utf8.ValidString(w) || strings.ContainsAny(w, "\n\r") {
			t.Errorf("%q: %s, %q", text, w, got)
		}
		if strings.ContainsAny(text, " ;") && !strings.HasPrefix(w, `"`) || text == "" && w != `""` {
			t.Errorf("%q: %s is not one word", text, w)
		}
	})
}

func TestService(t *testing.T) {
	s := Service{Program: "/usr/bin/deployfs", Args: []string{"mount", "--foreground", "--repo=/srv/a b%", "--", "os/main", "/mnt/a b"},
		Mountpoint: "/mnt/a b", Title: "deployfs: os/main of /srv/a b%", Needs: []string{"/srv/a b%", "/srv/\n", `/srv/"\`}}
	if got := s.Name(); got != `deployfs-mnt-a\x20b.service` {
		t.Error(got)
	}
	text := s.Text()
	for _, want := range []string{
		"# /etc/systemd/system/deployfs-mnt-a\\x20b.service\n", "\nDescription=deployfs: os/main of /srv/a b%%\n",
		"\nRequiresMountsFor=\"/srv/a b%%\" \"/mnt\"\n", "\nType=notify\n", "\nConflicts=umount.target\n", "\nWantedBy=local-fs.target\n",
		"\nExecStart=/usr/bin/deployfs mount --foreground \"--repo=/srv/a b%%\" -- os/main \"/mnt/a b\"\n",
		"\nExecReload=/usr/bin/deployfs upgrade \"/mnt/a b\"\n", "\nFileDescriptorStoreMax=16\n", "\nKillMode=mixed\nRestart=on-failure\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, c := range []struct {
		mountpoint string
		manager    Manager
		survives   bool
		target     string
	}{
		{"/mnt", Local, false, "local-fs.target"}, {"/mnt", Remote, false, "remote-fs.target"}, {"/usr/share/x", User, false, "default.target"},
		{"/", Local, true, "local-fs.target"}, {"/usr", Local, true, "local-fs.target"}, {"/usr/x", Remote, true, "local-fs.target"},
		{"/usrx", Local, false, "local-fs.target"}, {"/sysroot/usr", Local, true, "initrd-root-fs.target"},
	} {
		text := Service{Program: "/x", Mountpoint: c.mountpoint, Manager: c.manager}.Text()
		if got := strings.Contains(text, "\nSurviveFinalKillSignal=yes\n"); got != c.survives || got && strings.Contains(text, "Conflicts=") {
			t.Errorf("%v survives: %v\n%s", c, got, text)
		}
		if !strings.Contains(text, "\nWantedBy="+c.target+"\n") {
			t.Errorf("%v\n%s", c, text)
		}
	}
}

func TestAutomount(t *testing.T) {
	a := Automount{Source: "/srv/a b#os/main", Mountpoint: "/mnt/a-b", Options: []string{"no-lock", "subpath=/a,b%"}, Title: "t", Needs: []string{"/srv/a b"}}
	text, err := a.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# /etc/systemd/system/mnt-a\\x2db.mount\n", "\n# /etc/systemd/system/mnt-a\\x2db.automount\n",
		"\nWhat=/srv/a b#os/main\nWhere=/mnt/a-b\nType=fuse.deployfs\nOptions=no-lock,subpath=\"/a,b%%\"\n", "\n[Automount]\nWhere=/mnt/a-b\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	a.Manager = Remote
	if text, _ := a.Text(); !strings.Contains(text, ",_netdev\n") || !strings.Contains(text, "WantedBy=remote-fs.target") {
		t.Error(text)
	}
	for _, bad := range []Automount{
		{Source: "/a\nb#x", Mountpoint: "/m"}, {Source: "/a#x", Mountpoint: "/m "}, {Source: "/a#x", Mountpoint: "/m", Options: []string{`subpath=/"`}},
		{Source: "/a\xff#x", Mountpoint: "/m"},
	} {
		if text, err := bad.Text(); err == nil {
			t.Errorf("%+v gives\n%s", bad, text)
		}
	}
}
