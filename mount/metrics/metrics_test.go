package metrics

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deployfs/mount/daemon"
)

func TestWrite(t *testing.T) {
	since := time.UnixMilli(1700000000250)
	list := []daemon.Status{
		{Mountpoint: "/b\n\"\\", Repo: "/r\xff", Rev: "os/main", Commit: "c0", PID: 7, Since: since, Requests: 1 << 52, Verify: "first",
			Memory: daemon.Usage{Used: 5, Limit: 9}, Index: daemon.Index{State: daemon.IndexUsed, Bytes: 3}},
		{Mountpoint: "/a", Repo: "/r", Commit: "c1"},
		{Mountpoint: "/all", Repo: "/r", History: true},
		{Mountpoint: "/twice", Repo: "/r", Rev: "x", Commit: "c2", PID: 8, Detached: true, Requests: 1},
		{Mountpoint: "/twice", Repo: "/r", Rev: "x", Commit: "c2", PID: 9, Requests: 2},
	}
	var out bytes.Buffer
	if err := Write(&out, list); err != nil {
		t.Fatal(err)
	}
	const odd, twice = `mountpoint="/b\n\"\\",repo="/r` + "\uFFFD" + `",ref="os/main",commit="c0"`, `mountpoint="/twice",repo="/r",ref="x",commit="c2"`
	for _, want := range []string{
		"# HELP deployfs_mounts Mounts that there are.\n# TYPE deployfs_mounts gauge\ndeployfs_mounts 5\n",
		"# TYPE deployfs_up gauge\n" + `deployfs_up{mountpoint="/a",repo="/r",ref="",commit="c1"} 0` + "\n" + `deployfs_up{mountpoint="/all",repo="/r",ref="(history)",commit=""} 0` + "\ndeployfs_up{" + odd + "} 1\ndeployfs_up{" + twice + "} 1\n# HELP",
		"# TYPE deployfs_requests_total counter\ndeployfs_requests_total{" + odd + "} 4503599627370496\ndeployfs_requests_total{" + twice + "} 2\n# HELP",
		"deployfs_start_time_seconds{" + odd + "} 1700000000.25\n",
		"deployfs_index_used{" + odd + "} 1\n", "deployfs_memory_used_bytes{" + odd + "} 5\n", "deployfs_memory_limit_bytes{" + odd + "} 9\n",
		"deployfs_mount_info{" + odd + `,subpath="",overlay="",version="",verify="first",data="",index="used"} 1` + "\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "deployfs.prom")
	for range 2 {
		if err := WriteFile(path, nil); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Symlink("deployfs.prom", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", ".", "no/file"} {
		if err := WriteFile(filepath.Join(dir, name), nil); err == nil {
			t.Errorf("%s: was written", name)
		}
	}
}

// exchange is a connection: what a client sends, and what it gets.
type exchange struct {
	io.Reader
	bytes.Buffer
}

func (e *exchange) Read(p []byte) (int, error) { return e.Reader.Read(p) }

func TestAnswer(t *testing.T) {
	one := func() ([]daemon.Status, error) { return []daemon.Status{{Mountpoint: "/a"}}, nil }
	broken := func() ([]daemon.Status, error) { return nil, errors.New("no luck") }
	for _, c := range []struct {
		request, status, body string
		list                  func() ([]daemon.Status, error)
	}{
		{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "deployfs_mounts 1\n", one},
		{"GET /metrics?x=y HTTP/1.0\n\n", "200 OK", "deployfs_mounts 1\n", one},
		{"HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "", one},
		{"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "GET /metrics", one},
		{"GET / HTTP/1.1\r\n\r\n", "404 Not Found", "GET /metrics", one},
		{"GET /metrics HTTP/1.1\r\n\r\n", "500 Internal Server Error", "no luck\n", broken},
		{"GET /metrics HTTP/1.1\r\nHost: x\r\n", "400 Bad Request", "", one},
		{"GET /metrics HTTP/2\r\n\r\n", "400 Bad Request", "", one},
		{"GET /metrics HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxRequest/6) + "\r\n", "400 Bad Request", "", one},
		{strings.Repeat("x", maxRequest+1), "400 Bad Request", "", one},
		{"", "400 Bad Request", "", one},
	} {
		e := &exchange{Reader: strings.NewReader(c.request)}
		answer(e, c.list)
		head, body, ok := strings.Cut(e.String(), "\r\n\r\n")
		if !ok || !strings.HasPrefix(head, "HTTP/1.1 "+c.status+"\r\n") || !strings.Contains(body, c.body) || strings.HasPrefix(c.request, "HEAD") && body != "" {
			t.Errorf("%.60q: %.300q", c.request, e.String())
		}
	}
}

// FuzzRequest holds that whatever is sent gets one answer.
func FuzzRequest(f *testing.F) {
	f.Add("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	f.Add("HEAD / HTTP/1.0\n\n")
	none := func() ([]daemon.Status, error) { return nil, nil }
	f.Fuzz(func(t *testing.T, request string) {
		e := &exchange{Reader: strings.NewReader(request)}
		answer(e, none)
		if strings.Count(e.String(), "\r\n\r\n") != 1 || !strings.HasPrefix(e.String(), "HTTP/1.1 ") {
			t.Errorf("%q", e.String())
		}
	})
}
