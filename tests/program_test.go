package tests

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// growPrograms makes a tree with programs that gain rights when they are executed.
func growPrograms(t testing.TB) string {
	t.Helper()
	cat, err := os.ReadFile("/bin/cat")
	need(t, err == nil, "no /bin/cat")
	p := &plot{root: scratch(t)}
	for name, mode := range map[string]uint32{"plain": 0o755, "setuid": 0o4755, "setgid": 0o2755, "capable": 0o755, "noexec": 0o644} {
		p.file(name, cat)
		p.owner(name, 4242, 4343)
		p.mode(name, mode)
	}
	p.xattr("capable", "security.capability", capability)
	p.text("script", "#!/bin/sh\necho script $1\n")
	p.mode("script", 0o755)
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.root
}

// rights executes a program as another user and returns what it gained.
func rights(t testing.TB, program string) string {
	t.Helper()
	o := command{args: []string{"/bin/sh", "-c", `"$0" /proc/self/status`, program}, uid: strangerID}.run(t)
	var lines []string
	for line := range strings.Lines(o.out) {
		if f := strings.Fields(line); slices.Contains([]string{"Uid:", "Gid:", "CapEff:"}, f[0]) {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return strings.Join(lines, ", ")
}

// TestExecute runs programs out of a mount: they gain what they would gain in a checkout.
func TestExecute(t *testing.T) {
	tree := growPrograms(t)
	repo := newRepo(t, "archive")
	commit(t, repo, "main", tree)
	judge := scratch(t) + "/checkout"
	ostree(t, repo, "checkout", "main", judge)
	dir := mounted(t, "--repo="+repo, "--allow-other", "main")
	for _, name := range []string{"plain", "setuid", "setgid", "capable", "noexec"} {
		want, got := rights(t, judge+"/"+name), rights(t, dir+"/"+name)
		if want != got {
			t.Errorf("%s: gains %q, want %q as in a checkout", name, got, want)
		}
	}
	if got := rights(t, judge+"/setuid"); !strings.Contains(got, "Uid: 65534 4242") {
		t.Errorf("the checkout's setuid program does not mean anything here: %q", got)
	}
	if out := must(t, dir+"/script", "ran"); out != "script ran" {
		t.Errorf("a script on the mount prints %q", out)
	}
}

// TestOtherWaysToRead reads with O_DIRECT and sendfile.
func TestOtherWaysToRead(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		dir := mounted(t, "--repo="+sharedRepo(t, mode, "plain"), "plain")
		want := noise(1, 300000)
		ways := map[string]func(in, out int) (int, error){
			"sendfile": func(in, out int) (int, error) { return unix.Sendfile(out, in, nil, 1<<20) },
			"O_DIRECT": func(in, out int) (int, error) {
				buf := alignedBuffer(t, 1<<20)
				n, err := unix.Read(in, buf)
				unix.Write(out, buf[:max(n, 0)])
				return n, err
			},
		}
		for what, way := range ways {
			flags := unix.O_RDONLY | unix.O_CLOEXEC
			if what == "O_DIRECT" {
				flags |= unix.O_DIRECT
			}
			in, err := unix.Open(dir+"/usr/bin/tool", flags, 0)
			if err != nil {
				t.Errorf("%s: open: %v", what, err)
				continue
			}
			out, err := os.Create(scratch(t) + "/out")
			if err != nil {
				t.Fatal(err)
			}
			for total := 0; total < len(want); {
				n, err := way(in, int(out.Fd()))
				if n <= 0 || err != nil {
					t.Errorf("%s: %d bytes, %v, after %d of %d", what, n, err, total, len(want))
					break
				}
				total += n
			}
			unix.Close(in)
			out.Close()
			if got, _ := os.ReadFile(out.Name()); string(got) != string(want) {
				t.Errorf("%s %s: other bytes, %d of them", mode, what, len(got))
			}
		}
	}
}

// alignedBuffer returns memory that starts at a page.
func alignedBuffer(t testing.TB, n int) []byte {
	t.Helper()
	buf, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(buf) })
	return buf
}
