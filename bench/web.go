package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// webCommand makes this program the web server of a network namespace: DIR is for its own files, ROOT is
	// what it serves, DELAY is what the line to farHost takes each way.
	webCommand = "serve-web"
	webPort    = "8080"
	webStart   = 10 * time.Second
)

const nginxConfig = `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  log_format bytes "$bytes_sent"; access_log %[1]s/access.log bytes;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  sendfile on; tcp_nopush on; keepalive_timeout 65;
  server { listen 8080; root %[2]s; }
}
`

// webServer is nginx in a network namespace of its own, which serves the work directory. It is started when it
// is first needed.
type webServer struct {
	dir, root string
	delay     time.Duration // of the far line, each way
	cmd       *exec.Cmd
	stdin     io.Closer
}

// absent says what of it this machine lacks.
func (w *webServer) absent() string {
	for _, program := range []string{"nginx", "nsenter", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed"
		}
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return "this machine has no /dev/net/tun"
	}
	return ""
}

// start starts it, unless it runs.
func (w *webServer) start() error {
	if w.cmd != nil {
		return nil
	}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", webCommand, w.dir, w.root, w.delay.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.cmd, w.stdin = cmd, stdin
	if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil {
		return errors.Join(errors.New("the web server does not start"), w.stop())
	}
	return nil
}

// stop ends it, if it runs.
func (w *webServer) stop() error {
	if w.cmd == nil {
		return nil
	}
	err := errors.Join(w.stdin.Close(), w.cmd.Wait())
	w.cmd = nil
	return err
}

// inside is a command in its network namespace.
func (w *webServer) inside(command ...string) []string {
	return append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", w.cmd.Process.Pid)}, command...)
}

// url is where a file of the work directory is, for a client inside.
func (w *webServer) url(host, path string) string {
	return "http://" + net.JoinHostPort(host, webPort) + strings.TrimPrefix(path, w.root)
}

// sent is how many bytes it has sent since the last call.
func (w *webServer) sent() (sum float64, err error) {
	log := filepath.Join(w.dir, "access.log")
	text, err := os.ReadFile(log)
	for field := range strings.FieldsSeq(string(text)) {
		n, numberErr := strconv.ParseFloat(field, 64)
		sum, err = sum+n, errors.Join(err, numberErr)
	}
	return sum, errors.Join(err, os.Truncate(log, 0))
}

// serveWeb is the process of webCommand. It ends when its standard input does.
func serveWeb(dir, root, delayText string) error {
	runtime.LockOSThread() // nginx ends with this thread
	delay, err := time.ParseDuration(delayText)
	if err != nil {
		return err
	}
	if err := delayLine(delay); err != nil {
		return err
	}
	ctx := context.Background()
	for _, line := range []string{"ip link set lo up", "ip link set far mtu 65000 up", "ip addr add " + tunHost + "/24 dev far"} {
		if _, err := run(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, root), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("nginx", "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	if err := reachable(nearHost); err != nil {
		return err
	}
	if err := reachable(farHost); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("\n"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// reachable waits until the web server takes connections.
func reachable(host string) error {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort(host, webPort))
		if err == nil {
			return c.Close()
		}
		if time.Since(start) > webStart {
			return err
		}
	}
}
