package tests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bootScript makes, in name spaces of its own, a root directory of this machine's with a writable layer,
// and becomes systemd there. $1 is a directory for all of it, $2 one that is to be seen at its place, $3
// is systemd, $4 a terminal.
const bootScript = `set -e
root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for dir in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$dir"; done
for node in null zero full random urandom tty; do
	touch "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mknod -m 666 "$root/dev/fuse" c 10 229
minor=$(sed -n 's/ autofs$//p' /proc/misc)
[ -z "$minor" ] || mknod "$root/dev/autofs" c 10 $minor
ln -s /proc/self/fd "$root/dev/fd"
touch "$root/dev/console"
mount --bind "$4" "$root/dev/console"
mkdir -p "$root/dev/shm" "$root$2" "$root/mnt/old"
mount --bind "$2" "$root$2"
cd "$root"
pivot_root . mnt/old
umount -l /mnt/old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin "$3" --system --unit=test.target \
	--log-target=console --log-level=info --show-status=no --default-standard-output=journal+console </dev/null
`

// machine is a container whose first process is systemd.
type machine struct {
	root string // its root directory, before it was started
	pid  int    // of its systemd

	mu      sync.Mutex
	printed strings.Builder // by systemd and its services, on the console
}

// log returns what was printed on the console.
func (m *machine) log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.printed.String()
}

// console makes a terminal for the machine, and returns its name.
func (m *machine) console(t testing.TB) string {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	need(t, err == nil, fmt.Sprintf("there is no terminal: %v", err))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := "/dev/pts/" + strconv.Itoa(number)
	other, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0) // else it hangs up between two writers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(other) })
	go func() {
		defer unix.Close(fd)
		for buf := make([]byte, 4096); ; {
			n, err := unix.Read(fd, buf)
			if n <= 0 && err != unix.EINTR {
				return
			}
			m.mu.Lock()
			m.printed.Write(buf[:max(n, 0)])
			m.mu.Unlock()
		}
	}()
	return name
}

// newMachine makes the directories of a machine that is not started yet; what is written below root
// is on its disk.
func newMachine(t testing.TB) *machine {
	t.Helper()
	needFuse(t)
	need(t, systemdProgram() != "", "systemd is not installed (tests/setup.sh installs it)")
	layer := scratch(t)
	if err := unix.Mount("tmpfs", layer, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(layer, unix.MNT_DETACH) })
	for _, dir := range []string{"upper/etc/systemd/system", "work", "root"} {
		if err := os.MkdirAll(layer+"/"+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Nothing of this machine's own configuration is to be started.
	unix.Setxattr(layer+"/upper/etc/systemd/system", "trusted.overlay.opaque", []byte("y"), 0)
	m := &machine{root: layer + "/upper"}
	m.write(t, "etc/machine-id", strings.Repeat("0123456789abcdef", 2)+"\n")
	m.write(t, "etc/fstab", "")
	m.write(t, "etc/systemd/system/down.target", "[Unit]\nDescription=shutdown\nWants=umount.target\nAfter=umount.target\n")
	m.write(t, "etc/systemd/system/test.target", "[Unit]\nDescription=test\nWants=local-fs.target\nAfter=local-fs.target\n")
	return m
}

func systemdProgram() string {
	for _, path := range []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"} {
		if unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return ""
}

// write makes a file on the machine's disk.
func (m *machine) write(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(m.root, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// group makes a control group for the machine, and removes it after the test.
func group(t testing.TB) string {
	t.Helper()
	dir := scratch(t)
	err := unix.Mount("cgroup2", dir, "cgroup2", 0, "")
	need(t, err == nil, fmt.Sprintf("control groups of version 2 can't be mounted: %v", err))
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	name := fmt.Sprintf("%s/deployfs-test-%d", dir, os.Getpid())
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !eventually(10*time.Second, func() bool { removeGroups(name); return modeOf(name) == 0 }) {
			t.Errorf("%s can't be removed", name)
		}
	})
	return name
}

// removeGroups removes a control group and those below, as far as they are empty.
func removeGroups(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			removeGroups(dir + "/" + e.Name())
		}
	}
	unix.Rmdir(dir)
}

// boot starts the machine and waits until it is up. It ends with the test, or with the test process.
func (m *machine) boot(t testing.TB) {
	t.Helper()
	enter := `echo $$ >"$1/cgroup.procs" && shift && exec unshare --pid --mount --propagation private --uts --ipc --cgroup --fork --kill-child "$@"`
	cmd := exec.Command("sh", "-c", enter, "-", group(t), "sh", "-c", bootScript, "-", filepath.Dir(m.root), work, systemdProgram(), m.console(t))
	var script bytes.Buffer
	cmd.Stdout, cmd.Stderr = &script, &script
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of systemd:\n%s", m.log())
		}
		if m.pid > 0 {
			syscall.Kill(m.pid, syscall.SIGKILL) // and all processes that it has started
		} else {
			cmd.Process.Kill()
		}
		cmd.Wait()
	})
	up := func() bool {
		m.pid = onlyChild(cmd.Process.Pid)
		if m.pid == 0 {
			return false
		}
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", m.pid))
		return string(comm) == "systemd\n" && m.run(t, "systemctl", "is-active", "test.target").code == 0
	}
	if !eventually(20*time.Second, up) {
		need(t, false, "systemd does not start in a container here: "+m.log())
	}
}

func onlyChild(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	child, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return child
}

// run runs a command in the machine.
func (m *machine) run(t testing.TB, args ...string) outcome {
	t.Helper()
	return command{args: append([]string{"nsenter", "-t", strconv.Itoa(m.pid), "-a", "--"}, args...), dir: "/"}.run(t)
}

func (m *machine) must(t testing.TB, args ...string) string {
	t.Helper()
	o := m.run(t, args...)
	if o.code != 0 {
		t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
	}
	return strings.TrimSuffix(o.out, "\n")
}

// state is what systemctl calls the state of a unit.
func (m *machine) state(t testing.TB, unit string) string {
	t.Helper()
	return strings.TrimSpace(m.run(t, "systemctl", "is-active", unit).out)
}

// reads tells whether the tree is there, without waiting for an automount.
func (m *machine) reads(t testing.TB, dir string) bool {
	t.Helper()
	return m.run(t, "findmnt", "-t", "fuse.deployfs", "-n", "--mountpoint", dir).code == 0 && m.run(t, "cat", dir+"/usr/share/doc/README").out == "hello\n"
}

// printUnit returns what --print-unit prints.
func printUnit(t testing.TB, args ...string) string {
	t.Helper()
	return must(t, append([]string{binary(t, "deployfs"), "mount", "--print-unit"}, args...)...) + "\n"
}

// files splits what --print-unit prints into the files that its comments name.
func unitFiles(text string) map[string]string {
	units := map[string]string{}
	for part := range strings.SplitSeq("\n"+text, "\n# /etc/systemd/system/") {
		if name, rest, ok := strings.Cut(part, "\n"); ok {
			units[name] = rest + "\n"
		}
	}
	delete(units, "")
	return units
}

// TestUnits lets systemd judge the units, for hostile paths, too.
func TestUnits(t *testing.T) {
	needRoot(t)
	need(t, have("systemd-analyze"), "systemd is not installed (tests/setup.sh installs it)")
	for _, args := range [][]string{
		{"--repo=/srv/repo", "os/main", "/mnt"},
		{"--repo=/srv/a b%h\"q\\$x;'", "--verify", "always", "--overlay=/var/tmp/ov er", "--subpath=/a,b", "os/main", "/mnt/a-b c%n$x"},
		{"--repo=/srv/repo", "os/main", "/"},
		{"--repo=/srv/repo", "os/main", "/usr/share/x"},
		{"--repo=/srv/repo", "os/main", "/sysroot/usr"},
		{"--repo=/srv/re#po %x", "--automount", "--nosuid", "--subpath=/a,b %y", "os/main", "/mnt/x-y z"},
	} {
		dir := scratch(t)
		units := unitFiles(printUnit(t, args...))
		if len(units) == 0 {
			t.Fatalf("%q: no units", args)
		}
		var names []string
		for name, text := range units {
			names = append(names, dir+"/"+name)
			if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		o := command{args: append([]string{"systemd-analyze", "verify", "--man=no"}, names...)}.run(t)
		for line := range strings.Lines(o.err) {
			if strings.Contains(line, dir) && !strings.Contains(line, "SurviveFinalKillSignal") {
				t.Errorf("%q: %s", args, line)
			}
		}
		if o.code != 0 {
			t.Errorf("%q: %s: exit %d\n%s", args, o.line, o.code, o.err)
		}
	}
	if o := deployfs(t, "mount", "--automount", "--repo=/srv/repo", "os/main", "/mnt"); o.code != 2 {
		t.Errorf("%s: exit %d", o.line, o.code)
	}
}

// TestSystemd boots systemd once and lets it mount in each way that it has.
func TestSystemd(t *testing.T) {
	m := newMachine(t)
	bin := binary(t, "deployfs")
	repo := filepath.Join(scratch(t), `a re#po%h"q $x`)
	must(t, "cp", "-a", sharedRepo(t, "archive", "plain"), repo)
	other := clone(t, sharedRepo(t, "archive", "plain"))
	sbin, err := filepath.EvalSymlinks("/sbin")
	if err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(m.root+sbin, 0o755)
	for _, name := range helperNames {
		if err := os.Symlink(bin, m.root+sbin+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	const served, tabled, auto = `/mnt/s-e r%n$v"ed`, "/mnt/tab led", "/mnt/au-to"
	for _, dir := range []string{served, tabled, auto} {
		os.MkdirAll(m.root+dir, 0o755)
	}
	install := func(args ...string) (names []string) {
		for name, text := range unitFiles(printUnit(t, args...)) {
			m.write(t, "etc/systemd/system/"+name, text)
			names = append(names, name)
		}
		return names
	}
	service := install("--repo="+repo, "plain", served)[0]
	install("--automount", "--repo="+other, "--nosuid", "plain", auto)
	escape := strings.NewReplacer(" ", `\040`)
	m.write(t, "etc/fstab", escape.Replace(other+"#plain")+" "+escape.Replace(tabled)+" fuse.deployfs nofail,noexec 0 0\n")
	m.boot(t)

	t.Run("service", func(t *testing.T) { m.service(t, service, served, repo) })
	t.Run("deaths", func(t *testing.T) { m.deaths(t, service, served) })
	t.Run("fstab", func(t *testing.T) { m.fstab(t, tabled) })
	t.Run("automount", func(t *testing.T) { m.automount(t, auto) })
	t.Run("shutdown", func(t *testing.T) {
		m.must(t, "systemctl", "start", service)
		m.must(t, "systemctl", "start", "down.target")
		for _, dir := range []string{served, tabled, auto} {
			if m.reads(t, dir) {
				t.Errorf("%s: still mounted", dir)
			}
		}
		if failed := m.must(t, "systemctl", "--failed", "--no-legend", "--plain"); failed != "" {
			t.Errorf("failed units: %s", failed)
		}
	})
}

// service holds that a service is active when its tree can be read, and no longer.
func (m *machine) service(t *testing.T, service, dir, repo string) {
	if m.reads(t, dir) || m.state(t, service) != "inactive" {
		t.Fatalf("before: %s", m.state(t, service))
	}
	lock, err := os.OpenFile(repo+"/.lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		err = unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	}
	if err != nil {
		t.Fatal(err)
	}
	m.must(t, "systemctl", "start", "--no-block", service)
	time.Sleep(300 * time.Millisecond)
	if state := m.state(t, service); state != "activating" {
		t.Errorf("while the repository is locked: %s", state)
	}
	lock.Close()
	m.must(t, "systemctl", "start", service)
	if state := m.state(t, service); state != "active" || !m.reads(t, dir) {
		t.Errorf("started: %s, readable: %v", state, m.reads(t, dir))
	}
	m.must(t, "systemctl", "restart", service)
	if !m.reads(t, dir) {
		t.Error("restarted, but not readable")
	}
	m.must(t, "systemctl", "stop", service)
	if state := m.state(t, service); state != "inactive" || m.reads(t, dir) {
		t.Errorf("stopped: %s, readable: %v", state, m.reads(t, dir))
	}
	m.must(t, "systemctl", "start", service)
	m.must(t, "umount", dir)
	if !eventually(5*time.Second, func() bool { return m.state(t, service) == "inactive" }) {
		t.Errorf("after umount(8): %s", m.state(t, service))
	}
	if log := m.log(); !strings.Contains(log, service) || strings.Contains(log, "Unknown key") || strings.Contains(log, "ordering cycle") {
		t.Errorf("systemd is not content with the units:\n%s", log)
	}
}

// deaths holds that a file stays open, and the tree readable, when the service's main process, which is the keeper,
// or its server is killed, or both, and when it is reloaded, which upgrades it.
func (m *machine) deaths(t *testing.T, service, dir string) {
	m.must(t, "systemctl", "start", service)
	main := func() string { return m.must(t, "systemctl", "show", "-P", "MainPID", service) }
	for what, end := range map[string]func(){
		"keeper": func() { m.must(t, "kill", "-9", main()) },
		"server": func() { m.must(t, "pkill", "-9", "-f", "^deployfs serve ") },
		"both":   func() { m.must(t, "systemctl", "kill", "-s", "KILL", service) },
		"reload": func() { m.must(t, "systemctl", "reload", service) },
	} {
		holder := exec.Command("nsenter", "-t", strconv.Itoa(m.pid), "-a", "--", "sh", "-c", `exec <"$0"; echo open; kill -STOP $$; cat`, dir+"/usr/bin/tool")
		var out bytes.Buffer
		holder.Stdout = &out
		if err := holder.Start(); err != nil {
			t.Fatal(err)
		}
		stopped := func() bool {
			return stateOf(onlyChild(holder.Process.Pid)) == "T" || stateOf(holder.Process.Pid) == "T"
		}
		if !eventually(10*time.Second, stopped) {
			t.Fatalf("%s: nothing is held open", what)
		}
		keeper := main()
		end()
		dropCaches(t)
		if !eventually(10*time.Second, func() bool { return m.state(t, service) == "active" && main() != "0" }) || !m.reads(t, dir) {
			t.Errorf("%s: %s, readable: %v", what, m.state(t, service), m.reads(t, dir))
		}
		if same := main() == keeper; same != (what == "server" || what == "reload") {
			t.Errorf("%s: the main process was %s, is %s", what, keeper, main())
		}
		for _, pid := range []int{holder.Process.Pid, onlyChild(holder.Process.Pid)} {
			if pid != 0 {
				syscall.Kill(pid, syscall.SIGCONT)
			}
		}
		if err := holder.Wait(); err != nil || out.String() != "open\n"+string(noise(1, 300000)) {
			t.Errorf("%s: a file that was open: %d bytes, %v", what, out.Len(), err)
		}
	}
	m.must(t, "systemctl", "stop", service)
	if state := m.state(t, service); state != "inactive" || m.reads(t, dir) {
		t.Errorf("stopped: %s, readable: %v", state, m.reads(t, dir))
	}
}

// stateOf is the letter for what a process does.
func stateOf(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

// fstab holds that a line is mounted at boot, and can be stopped and started.
func (m *machine) fstab(t *testing.T, dir string) {
	unit := m.must(t, "systemd-escape", "--path", "--suffix=mount", dir)
	if state := m.state(t, unit); state != "active" || !m.reads(t, dir) {
		t.Fatalf("at boot: %s, readable: %v", state, m.reads(t, dir))
	}
	if options := m.must(t, "findmnt", "-n", "-o", "OPTIONS", "--mountpoint", dir); !hasOption(options, "noexec") {
		t.Errorf("options: %s", options)
	}
	m.must(t, "systemctl", "stop", unit)
	if state := m.state(t, unit); state != "inactive" || m.reads(t, dir) {
		t.Errorf("stopped: %s, readable: %v", state, m.reads(t, dir))
	}
	m.must(t, "systemctl", "start", unit)
	if !m.reads(t, dir) {
		t.Error("started, but not readable")
	}
	m.must(t, "umount", dir)
	m.must(t, "mount", dir)
	if !eventually(5*time.Second, func() bool { return m.state(t, unit) == "active" }) || !m.reads(t, dir) {
		t.Errorf("after mount(8): %s, readable: %v", m.state(t, unit), m.reads(t, dir))
	}
}

// automount holds that the tree is mounted when somebody looks.
func (m *machine) automount(t *testing.T, dir string) {
	misc, _ := os.ReadFile("/proc/misc")
	need(t, strings.Contains(string(misc), " autofs\n"), "the kernel has no autofs")
	name := m.must(t, "systemd-escape", "--path", dir)
	m.must(t, "systemctl", "start", name+".automount")
	if state := m.state(t, name+".mount"); state != "inactive" {
		t.Errorf("before a look: %s", state)
	}
	if text := m.must(t, "cat", dir+"/usr/share/doc/README"); text != "hello" {
		t.Errorf("the first look reads %q", text)
	}
	if state := m.state(t, name+".mount"); state != "active" || !m.reads(t, dir) {
		t.Errorf("after a look: %s, readable: %v", state, m.reads(t, dir))
	}
	m.must(t, "systemctl", "stop", name+".mount")
	if text := m.must(t, "cat", dir+"/usr/share/doc/README"); text != "hello" {
		t.Errorf("the second look reads %q", text)
	}
}
