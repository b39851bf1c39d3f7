package tests

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// clearLine is what a line of progress begins and ends with.
const clearLine = "\r\x1b[K"

// onTerminal runs the program with its standard output, and its messages if they are wanted, on a
// terminal, and returns what that shows.
func onTerminal(t *testing.T, messages bool, env []string, args ...string) (string, error) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	need(t, err == nil, fmt.Sprintf("there is no terminal: %v", err))
	defer master.Close()
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t, "deployfs"), args...)
	cmd.Dir, cmd.Env, cmd.Stdout = work, append(cleanEnv(), env...), slave
	if messages {
		cmd.Stderr = slave
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	var shown strings.Builder
	io.Copy(&shown, master) // ends with an error, when nobody has the other side
	return strings.ReplaceAll(shown.String(), "\r\n", "\n"), cmd.Wait()
}

// plainTerminal is the environment of a terminal without colours and pager.
var plainTerminal = []string{"PAGER=cat", "NO_COLOR=1", "TERM=xterm"}

// strangeRepo has a commit in whose words and names there is what controls a terminal.
func strangeRepo(t *testing.T) string {
	f := newForge(t)
	const evil = "\x1b]0;title\x07\u009b31m\x7f"
	file := f.file(plainFile, []byte(evil))
	link := f.file(header{mode: unix.S_IFLNK | 0o777, target: "to" + evil}, nil)
	root := f.dir(map[string]string{"m" + evil: file, "link": link}, map[string]string{"d" + evil: f.dir(map[string]string{"m" + evil: file}, nil)})
	version := append([]byte("1"+evil+"\x00"), "\x00s"...)
	metadata := gvArray(8, gv{data: gvTuple(gvString("version"), gv{data: version, align: 8}).data, align: 8})
	ostree(t, f.repo, "refs", "--create=main", f.meta("commit", gvTuple(metadata, gvBytes(nil), gvArray(1), gvString("subject "+evil), gvString("body "+evil+"\n"), gvBE64(1),
		gvBytes(raw(root)), gvBytes(raw(f.dirmeta()))).data))
	return f.repo
}

// control tells what controls a terminal.
func control(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || 0x7f <= r && r < 0xa0 }

// TestTerminalIsNotControlled holds that a repository says nothing to a terminal, and that a pipe gets
// what is there: the real ostree's bytes, or JSON in which it is escaped.
func TestTerminalIsNotControlled(t *testing.T) {
	t.Parallel()
	repo := strangeRepo(t)
	for _, line := range []string{
		"log main", "log --raw main", "log --oneline --stat main", "log --json main", "log main -- link", "show main", "show --raw main", "show --json main", "show main:", "ls -RCX main",
		"ls -R --json main", "find m* main", "find --commits m*", "find --json m*", "blame -r main", "blame -r --json main", "du -d 9 main", "du --json -d 9 main", "df", "cat --json main link", "log ma\x1b]0;in\x07", "ls main /\u009b",
	} {
		args := append([]string{"--repo=" + repo}, strings.Fields(line)...)
		text, _ := onTerminal(t, true, plainTerminal, args...) // some fail
		shown := strings.ReplaceAll(text, clearLine, "")
		if at := strings.IndexFunc(shown, control); at >= 0 || shown == "" {
			t.Errorf("%s: at %d of\n%q", line, at, shown)
		}
	}
	for _, line := range []string{"log main", "log --raw main", "show main", "show --raw main", "ls -RCX main"} {
		args := append(strings.Fields(line), "--repo="+repo)
		want, got := command{args: append([]string{"ostree"}, args...)}.run(t), deployfs(t, args...)
		if got.out != want.out || !strings.ContainsFunc(got.out, control) && !strings.Contains(line, "raw") {
			t.Errorf("%s:\n got %q\nwant %q", line, got.out, want.out)
		}
	}
	if got := deployfs(t, "log", "--json", "--repo="+repo, "main"); strings.ContainsFunc(got.out, control) {
		t.Errorf("JSON: %q", got.out)
	}
	if got := jsonOf[[]briefly](t, "log", "--repo="+repo, "main")[0]; !strings.Contains(got.Subject, "\x07\u009b31m\x7f") {
		t.Errorf("%q", got.Subject)
	}
}

// TestProgressOfHistory holds that only what may take long shows how far it has come, and that before it prints.
func TestProgressOfHistory(t *testing.T) {
	t.Parallel()
	repo := strangeRepo(t)
	for line, progress := range map[string]bool{
		"log --stat main": true, "log main -- link": true, "log --json main -- link": true, "blame main": true, "blame --json main": true,
		"find link": true, "du main": true, "du --json main": true, "log main": false, "log --oneline main": false,
	} {
		shown, _ := onTerminal(t, true, plainTerminal, append([]string{"--repo=" + repo}, strings.Fields(line)...)...)
		if at := strings.LastIndex(shown, clearLine); at >= 0 && !progress || strings.ContainsAny(shown[:max(at, 0)], "\n{[") {
			t.Errorf("%s: %q", line, shown)
		}
	}
}
