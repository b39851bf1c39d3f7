package metrics

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"deployfs/mount/daemon"
)

const (
	maxRequest  = 16 << 10 // bytes of a request, with its headers
	contentType = "text/plain; version=0.0.4; charset=utf-8"
)

// answer answers one HTTP request, and no second one on its connection. Package
// net/http would cost every start of the program 0.3 ms.
func answer(conn io.ReadWriter, list func() ([]daemon.Status, error)) {
	method, target, ok := request(conn)
	status, body := "200 OK", []byte(nil)
	path, _, _ := strings.Cut(target, "?")
	switch {
	case !ok:
		status = "400 Bad Request"
	case method != "GET" && method != "HEAD":
		status = "405 Method Not Allowed"
	case path != "/metrics":
		status = "404 Not Found"
	default:
		all, err := list()
		if body = text(all); err != nil {
			status, body = "500 Internal Server Error", []byte(err.Error()+"\n")
		}
	}
	if body == nil {
		body = []byte(status + "; GET /metrics has the metrics\n")
	}
	head := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n", status, contentType, len(body))
	if method == "HEAD" {
		body = nil
	}
	conn.Write(append([]byte(head), body...)) // a client that left does not matter
}

// request reads a request to the empty line at its end. Headers don't matter.
func request(conn io.Reader) (method, target string, ok bool) {
	r := bufio.NewReader(io.LimitReader(conn, maxRequest))
	line, err := r.ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) != 3 || !strings.HasPrefix(fields[2], "HTTP/1.") {
		return "", "", false
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", "", false
		}
		if strings.TrimRight(line, "\r\n") == "" {
			return fields[0], fields[1], true
		}
	}
}
