package tests

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// sample is one value of a metric.
type sample struct {
	labels map[string]string
	value  float64
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// parseMetrics reads the text format of Prometheus, and refuses all that is not exactly so: each family
// has HELP, TYPE and then all its samples; no labels stand twice.
func parseMetrics(t testing.TB, text string) map[string][]sample {
	t.Helper()
	families, kinds, name := map[string][]sample{}, map[string]string{}, ""
	if !utf8.ValidString(text) || !strings.HasSuffix(text, "\n") {
		t.Fatalf("not UTF-8, or without a newline at its end: %q", text)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		switch fields := strings.SplitN(line, " ", 4); {
		case strings.HasPrefix(line, "# HELP ") && len(fields) == 4 && families[fields[2]] == nil && metricName.MatchString(fields[2]):
			name = fields[2]
			families[name] = []sample{}
		case strings.HasPrefix(line, "# TYPE ") && len(fields) == 4 && fields[2] == name && kinds[name] == "" && slices.Contains([]string{"counter", "gauge"}, fields[3]):
			kinds[name] = fields[3]
		default:
			got, s, err := parseSample(line)
			same := func(o sample) bool { return maps.Equal(o.labels, s.labels) }
			if err != nil || got != name || kinds[name] == "" || slices.ContainsFunc(families[name], same) {
				t.Fatalf("%q after family %q: %v", line, name, err)
			}
			if strings.HasSuffix(name, "_total") != (kinds[name] == "counter") || s.value < 0 {
				t.Errorf("%s is a %s of %v", name, kinds[name], s.value)
			}
			families[name] = append(families[name], s)
		}
	}
	return families
}

// parseSample reads NAME{LABEL="VALUE",...} NUMBER.
func parseSample(line string) (name string, s sample, err error) {
	at := strings.IndexAny(line, "{ ")
	if at < 0 || !metricName.MatchString(line[:at]) {
		return "", s, fmt.Errorf("no name")
	}
	name, line, s.labels = line[:at], line[at:], map[string]string{}
	for sep := "{"; strings.HasPrefix(line, sep); sep = "," {
		var label, value string
		if label, value, line, err = parseLabel(line[1:]); err != nil {
			return "", s, err
		}
		if _, twice := s.labels[label]; twice {
			return "", s, fmt.Errorf("label %s stands twice", label)
		}
		s.labels[label] = value
	}
	if len(s.labels) > 0 && !strings.HasPrefix(line, "}") {
		return "", s, fmt.Errorf("no end of the labels: %q", line)
	}
	number, ok := strings.CutPrefix(strings.TrimPrefix(line, "}"), " ")
	if !ok {
		return "", s, fmt.Errorf("no number: %q", line)
	}
	s.value, err = strconv.ParseFloat(number, 64)
	return name, s, err
}

// parseLabel reads LABEL="VALUE" and returns what follows.
func parseLabel(text string) (name, value, rest string, err error) {
	name, text, ok := strings.Cut(text, `="`)
	if !ok || !labelName.MatchString(name) || strings.HasPrefix(name, "__") {
		return "", "", "", fmt.Errorf("label %q", name)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return name, b.String(), text[i+1:], nil
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`\"n`, text[i+1]) >= 0:
			i++
			b.WriteByte(map[byte]byte{'\\': '\\', '"': '"', 'n': '\n'}[text[i]])
		case c == '\\' || c == '\n':
			return "", "", "", fmt.Errorf("%q in a value", text[i:min(i+2, len(text))])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", fmt.Errorf("value without an end")
}

// ofMount returns the only sample that a family has of the mount on dir.
func ofMount(t testing.TB, families map[string][]sample, name, dir string) sample {
	t.Helper()
	of := slices.DeleteFunc(slices.Clone(families[name]), func(s sample) bool { return s.labels["mountpoint"] != dir })
	if len(of) != 1 {
		t.Fatalf("%s of %q: %v", name, dir, of)
	}
	return of[0]
}

// TestMetrics reads what is told of mounts with hostile names, and of one whose server is dead.
func TestMetrics(t *testing.T) {
	needFuse(t)
	repo := filepath.Join(scratch(t), "a \"re\\po\"\nx{y=\"z\"} 1")
	must(t, "cp", "-a", sharedRepo(t, "archive", "plain"), repo)
	odd := scratch(t) + "/m\n# TYPE \\n\"},x=\"\tü"
	os.Mkdir(odd, 0o755)
	dead := mounted(t, "--repo="+repo, "plain")
	killBoth(t)
	mountOn(t, odd, "--repo="+repo, "--subpath=/usr", "--memory=5M", "plain")
	snapshot(t, odd)

	text := must(t, binary(t, "deployfs"), "mounts", "--metrics") + "\n"
	families := parseMetrics(t, text)
	sum := ostree(t, repo, "rev-parse", "plain")
	want := map[string]string{"mountpoint": odd, "repo": repo, "ref": "plain", "commit": sum}
	for name, least := range map[string]float64{
		"up": 1, "requests_total": 1, "content_bytes_total": 300000, "nodes": 3, "memory_limit_bytes": 1, "cache_used_bytes": 1, "cache_limit_bytes": 1 << 30,
		"locked": 1, "start_time_seconds": float64(time.Now().Unix() - 3600),
	} {
		if s := ofMount(t, families, "deployfs_"+name, odd); s.value < least || !maps.Equal(s.labels, want) {
			t.Errorf("%s: %v %q", name, s.value, s.labels)
		}
	}
	if s := ofMount(t, families, "deployfs_mount_info", odd); s.value != 1 || s.labels["subpath"] != "/usr" || s.labels["verify"] != "first" || s.labels["commit"] != sum {
		t.Errorf("mount_info: %+v", s)
	}
	if s := ofMount(t, families, "deployfs_up", dead); s.value != 0 || s.labels["repo"] != repo || s.labels["commit"] != sum {
		t.Errorf("up of a dead server: %+v", s)
	}
	if n := len(families["deployfs_requests_total"]); n != 1 || families["deployfs_mounts"][0].value != 2 {
		t.Errorf("%d samples of requests, mounts %v", n, families["deployfs_mounts"])
	}
	umounted(t, dead)
}

// TestMetricsHistory: a mount of all commits is told as one, also when nobody answers for it.
func TestMetricsHistory(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "--history")
	told := func(up float64) {
		t.Helper()
		families := parseMetrics(t, must(t, binary(t, "deployfs"), "mounts", "--metrics")+"\n")
		want := map[string]string{"mountpoint": dir, "repo": repo, "ref": "(history)", "commit": ""}
		if s := ofMount(t, families, "deployfs_up", dir); s.value != up || !maps.Equal(s.labels, want) {
			t.Errorf("%v %q, want %v %q", s.value, s.labels, up, want)
		}
		_, line, _ := strings.Cut(must(t, binary(t, "deployfs"), "mounts"), "\n")
		if fields := strings.Fields(line); len(fields) < 13 || fields[2] != "(history)" || fields[3] != "-" || (fields[4] == "-") != (up == 0) {
			t.Errorf("%q", line)
		}
	}
	told(1)
	killBoth(t)
	told(0)
	umounted(t, dir)
}

// TestMetricsFile writes a file while it is read: it is never there by half.
func TestMetricsFile(t *testing.T) {
	mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	dir := scratch(t)
	path := dir + "/deployfs.prom"
	for range 20 {
		cmd := exec.Command(binary(t, "deployfs"), "mounts", "--metrics="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for ended := false; !ended; {
			ended = syscall.Kill(cmd.Process.Pid, 0) != nil || processState(cmd.Process.Pid) == "Z"
			if text, err := os.ReadFile(path); err == nil {
				parseMetrics(t, string(text))
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 || modeOf(path)&0o777 != 0o644 {
		t.Errorf("left %v, mode %o", entries, modeOf(path))
	}
	oneFailure(t, deployfs(t, "mounts", "--metrics="+dir+"/no/file"), dir+"/no")
	oneFailure(t, deployfs(t, "mounts", "--metrics=/dev/null"), "/dev/null")
	if o := deployfs(t, "mounts", "--metrics", "--json"); o.code != 2 || o.out != "" {
		t.Errorf("%s: exit %d", o.line, o.code)
	}
}

// oneFailure checks exit 1 and one error line that names something.
func oneFailure(t testing.TB, o outcome, name string) {
	t.Helper()
	if o.code != 1 || o.out != "" || !strings.HasPrefix(o.err, "error: ") || !strings.Contains(o.err, name) || strings.Count(o.err, "\n") != 1 {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
}

// processState is the letter that /proc has for a process.
func processState(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:min(1, len(rest))]
}

// TestMetricsSocket serves metrics over HTTP until it is interrupted.
func TestMetricsSocket(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	path := scratch(t) + "/metrics.sock"
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as by one who was killed
	left.Close()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := exec.Command(binary(t, "deployfs"), "mounts", "--metrics=unix:"+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		if !eventually(5*time.Second, func() bool { c, err := net.Dial("unix", path); return err == nil && c.Close() == nil }) {
			t.Fatal("nobody listens")
		}
		if text := fetch(t, path); ofMount(t, parseMetrics(t, text), "deployfs_up", dir).value != 1 {
			t.Error(text)
		}
		if have("curl") {
			parseMetrics(t, must(t, "curl", "-sS", "--fail", "--noproxy", "*", "--unix-socket", path, "http://localhost/metrics")+"\n")
		}
		oneFailure(t, deployfs(t, "mounts", "--metrics=unix:"+path), "listens there already")
		cmd.Process.Signal(sig)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
		if modeOf(path) != 0 {
			t.Errorf("%v: the socket is left", sig)
		}
	}
	os.WriteFile(path, nil, 0o644)
	oneFailure(t, deployfs(t, "mounts", "--metrics=unix:"+path), path)
}

// fetch asks for the metrics as a scraper does.
func fetch(t testing.TB, socket string) string {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, Proxy: nil}, Timeout: 10 * time.Second}
	response, err := client.Get("http://localhost/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if kind := response.Header.Get("Content-Type"); err != nil || response.StatusCode != 200 || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Fatalf("%s, %q, %v", response.Status, kind, err)
	}
	return string(text)
}
