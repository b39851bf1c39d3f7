package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTrivialHTTPD has the real program pull from our server, which ends with its directory.
func TestTrivialHTTPD(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := scratch(t)
	www := filepath.Join(dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "cp", "-a", sharedRepo(t, "archive", "plain"), www+"/repo")
	deployfs(t, "trivial-httpd", "--daemonize", "--autoexit", "--require-basic-auth", "--force-range-requests",
		"--expected-cookies=a=b", "--expected-header=x-y=z", "--log-file="+dir+"/log", "-p", dir+"/port", www).succeeds(t)
	url := "http://foouser:barpw@127.0.0.1:" + strings.TrimSpace(readText(t, dir+"/port")) + "/repo"
	p := newPuller(t, "archive", url)
	cookies := []byte("127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n")
	if err := os.WriteFile(p.repo+"/origin.cookies.txt", cookies, 0o600); err != nil {
		t.Fatal(err)
	}
	ours := p.command("--http-header=x-y=z").run(t)
	ours.succeeds(t)
	theirs := newPuller(t, "archive", url)
	o := command{args: []string{"ostree", "--repo=" + theirs.repo, "pull", "origin", "plain"}}.run(t)
	if log := readText(t, dir+"/log"); o.code != 1 || !strings.Contains(log, "Expected cookie not found a=b\n") || !strings.Contains(log, "status: OK (200)\n") {
		t.Errorf("without the cookie: exit %d, %s\n%.1000s", o.code, o.err, log)
	}
	must(t, "cp", p.repo+"/origin.cookies.txt", theirs.repo)
	o = command{args: []string{"ostree", "--repo=" + theirs.repo, "pull", "--http-header=x-y=z", "origin", "plain"}}.run(t)
	if o.code != 1 || !strings.Contains(o.err, "[18] Transferred a partial file") {
		t.Errorf("half of each object: exit %d, %s", o.code, o.err)
	}
	if err := os.RemoveAll(www); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !strings.HasSuffix(readText(t, dir+"/log"), "root directory removed, exiting\n"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server does not end with its directory")
		}
	}
}
