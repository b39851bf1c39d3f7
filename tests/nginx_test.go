package tests

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// nginxConfig has the server's directory in it thrice, then the address and the directory that is served.
const nginxConfig = `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 256; }
http {
  log_format fields "$request_method\t$status\t$body_bytes_sent\t$uri\t$http_range\t$http_if_none_match\t$http_if_modified_since\t$http_user_agent";
  access_log %[1]s/access.log fields;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  server { listen %[2]s; location / { root %[3]s; } location = /sync { return 204; } }
}
`

// webServer is nginx that serves a directory.
type webServer struct {
	url string
	dir string // of its own files
}

// webRequest is one that nginx has answered.
type webRequest struct{ method, status, bytes, path, ranges, ifNoneMatch, ifModifiedSince, agent string }

// nginxProgram copies nginx to where [endLeftovers] looks.
var nginxProgram = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "bin", "nginx")
	from, err := exec.LookPath("nginx")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = exec.Command("cp", from, path).Run()
	}
	return path, err
})

// newWebServer has nginx serve a directory until the test ends.
func newWebServer(t testing.TB, root string) *webServer {
	t.Helper()
	need(t, have("nginx"), "nginx is not installed (tests/setup.sh installs it)")
	program, err := nginxProgram()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s := &webServer{url: "http://" + address, dir: scratch(t)}
	config := fmt.Sprintf(nginxConfig, s.dir, address, root)
	if err := os.WriteFile(s.dir+"/nginx.conf", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-p", s.dir, "-c", s.dir+"/nginx.conf", "-e", s.dir+"/error.log")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // it has nothing to keep
		cmd.Wait()
	})
	if !eventually(10*time.Second, func() bool { return s.answers() == nil }) {
		s.fail(t)
	}
	return s
}

// freeAddress is one of loopback on which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *webServer) answers() error {
	answer, err := http.Get(s.url + "/sync")
	if err == nil {
		answer.Body.Close()
	}
	return err
}

func (s *webServer) fail(t testing.TB) {
	t.Helper()
	text, _ := os.ReadFile(s.dir + "/error.log")
	t.Fatalf("nginx does not answer: %v\n%s", s.answers(), text)
}

// requests are what has been asked for since the last call.
func (s *webServer) requests(t *testing.T) (list []webRequest) {
	t.Helper()
	if s.answers() != nil { // what came before is in the log then
		s.fail(t)
	}
	log := s.dir + "/access.log"
	for line := range strings.Lines(readText(t, log)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if f[3] != "/sync" {
			list = append(list, webRequest{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]})
		}
	}
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	return list
}

// askedFor counts the requests for paths that contain a text and were answered so.
func askedFor(list []webRequest, text, status string) (n int) {
	for _, r := range list {
		if strings.Contains(r.path, text) && r.status == status {
			n++
		}
	}
	return n
}
