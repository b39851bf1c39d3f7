package daemon

import (
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"deployfs/mount/confine"
)

// resolver are the files that say how names of hosts are looked up.
var resolver = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"}

// keepNetwork leaves a server of what comes over HTTP what that takes: to connect to the ports of
// its servers, of proxies, of web servers, since they may redirect, and of name servers; and the
// files that say how names are looked up. Certificates of authorities are read now: those that
// come later count for the next server.
func (s *server) keepNetwork(rules *confine.Rules) {
	if s.view.repo.Parent() == nil {
		rules.Capabilities = nil // all is the user's own
	}
	if s.view.server.Directory() != "" {
		return
	}
	x509.SystemCertPool() // kept for the process
	f := &s.view.server.Fetch
	rules.Ports = ports(slices.Concat(f.URLs, f.ContentURLs, proxies(f.Proxy)))
	for _, file := range resolver {
		rules.Read = append(rules.Read, file)
		// What keeps the file up to date replaces it.
		if real, err := filepath.EvalSymlinks(file); err == nil && filepath.Dir(real) != filepath.Dir(file) {
			rules.Read = append(rules.Read, filepath.Dir(real))
		}
	}
}

// proxies are the URLs of proxies that may be used.
func proxies(configured string) []string {
	list := []string{configured}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		list = append(list, os.Getenv(name))
	}
	return list
}

const (
	portHTTP  = 80
	portHTTPS = 443
	portDNS   = 53
	portProxy = 1080 // without another
)

// ports are those of TCP that URLs name, and the usual ones.
func ports(urls []string) []uint16 {
	list := []uint16{portHTTP, portHTTPS, portDNS, portProxy}
	for _, text := range urls {
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" { // HOST:PORT
			u = &url.URL{Host: text}
		}
		port := u.Port()
		if _, after, err := net.SplitHostPort(u.Host); port == "" && err == nil {
			port = after
		}
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			list = append(list, uint16(n))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
