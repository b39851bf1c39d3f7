package remote

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"deployfs/objstore/fetch"
)

// site serves files by path.
func site(t *testing.T, files map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
		}
		io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// transport is that of a remote r with a configuration.
func transport(t *testing.T, config string, o Override) (fetch.Config, error) {
	t.Helper()
	repo := newRepo(t, "[remote \"r\"]\n"+config)
	write(t, filepath.Join(repo.Path(), "r.cookies.txt"),
		"# a comment\n.h.org\tTRUE\t/\tTRUE\t0\ta\tb\n#HttpOnly_h\tFALSE\t/p\tFALSE\t1700000000\tc\td\n")
	l, err := Places{}.Load(repo)
	if err != nil {
		t.Fatal(err)
	}
	return l.Transport(t.Context(), "r", o)
}

func TestTransport(t *testing.T) {
	t.Parallel()
	none := 0
	for _, c := range []struct {
		config   string
		override Override
		change   func(*fetch.Config)
		err      string
	}{
		{"url=http://a\n", Override{}, func(c *fetch.Config) {}, ""},
		{"url=http://a\ncontenturl=https://b\n", Override{}, func(c *fetch.Config) { c.ContentURLs = []string{"https://b"} }, ""},
		{"url=http://c\ncontenturl=http://b\n", Override{URL: "http://a"}, func(c *fetch.Config) {}, ""},
		{"url=http://a\nproxy=p:1\ntls-permissive=true\nhttp2=false\ntls-ca-path=/ca\ntls-client-cert-path=/c\ntls-client-key-path=/k\n", Override{}, func(c *fetch.Config) {
			c.Proxy, c.Insecure, c.NoHTTP2, c.CAFile, c.CertFile, c.KeyFile = "p:1", true, true, "/ca", "/c", "/k"
		}, ""},
		{"url=http://a\n", Override{Headers: []fetch.Header{{Name: "A", Value: "B"}}, Agent: "us/1", UserAgent: "them/2", Retries: &none}, func(c *fetch.Config) {
			c.Headers, c.Agent, c.UserAgent, c.Retries = []fetch.Header{{Name: "A", Value: "B"}}, "us/1", "them/2", 0
		}, ""},
		{"url=http://a\ntls-client-cert-path=/c\n", Override{}, nil, `Remote "r" must specify both "tls-client-cert-path" and "tls-client-key-path"`},
		{"url=http://a\nhttp2=perhaps\n", Override{}, nil, "http2"},
		{"xa=1\n", Override{}, nil, `No "url" option in remote "r"`},
	} {
		got, err := transport(t, c.config, c.override)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.config, err)
			}
			continue
		}
		want := fetch.Config{URLs: []string{"http://a"}, Retries: fetch.DefaultRetries, Cookies: []fetch.Cookie{
			{Domain: ".h.org", Subdomains: true, Path: "/", Secure: true, Name: "a", Value: "b"},
			{Domain: "h", Path: "/p", Expires: time.Unix(1700000000, 0), Name: "c", Value: "d"},
		}}
		c.change(&want)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\ngot  %v, %v\nwant %v", c.config, got, err, want)
		}
	}
}

// TestTransportWithoutRemote takes a URL for a remote without a configuration.
func TestTransportWithoutRemote(t *testing.T) {
	t.Parallel()
	l, err := Places{}.Load(newRepo(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"file:///a/repo", "http://a/repo"} {
		if c, err := l.Transport(t.Context(), url, Override{}); err != nil || !slices.Equal(c.URLs, []string{url}) {
			t.Errorf("%s: %v, %v", url, c.URLs, err)
		}
	}
	if _, err := l.Transport(t.Context(), "none", Override{URL: "http://a"}); err == nil || err.Error() != `Remote "none" not found` {
		t.Error(err)
	}
}

func TestMirrorList(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/one/config": "", "/two/config": ""}
	url := site(t, files)
	files["/list?arch=x"] = "\n# a comment\n" + url + "/absent\r\nfile:///etc\nnonsense\n" + url + "/one \n" + url + "/two\n"
	files["/empty"] = "# nothing\n" + url + "/absent\n"
	want := []string{url + "/one", url + "/two"}
	c, err := transport(t, "url=mirrorlist="+url+"/list?arch=x\n", Override{})
	if err != nil || !slices.Equal(c.URLs, want) || c.ContentURLs != nil {
		t.Errorf("%v, %v, %v", c.URLs, c.ContentURLs, err)
	}
	c, err = transport(t, "url=http://a\ncontenturl=mirrorlist="+url+"/list?arch=x\n", Override{})
	if err != nil || !slices.Equal(c.URLs, []string{"http://a"}) || !slices.Equal(c.ContentURLs, want) {
		t.Errorf("%v, %v, %v", c.URLs, c.ContentURLs, err)
	}
	for path, want := range map[string]string{
		"/empty": "No valid mirrors were found in mirrorlist '" + url + "/empty'",
		"/none":  "While fetching mirrorlist '" + url + "/none': While fetching " + url + "/none: Server returned HTTP 404",
	} {
		if _, err := transport(t, "url=mirrorlist="+url+path+"\n", Override{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n := len(parseMirrors(strings.Repeat("http://h/\n", 1000))); n != maxMirrors {
		t.Errorf("%d of 1000 mirrors count", n)
	}
}

const summaryText = "the summary"

// metalinkFor is a document; wrong is what to replace in it, and by what.
func metalinkFor(url string, wrong ...string) string {
	text := `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/">
  <deeply><nested><unknown><files><file name="summary"/></files></unknown></nested></deeply>
  <files><file name="other"><size>1</size></file><file name="summary">
      <size>SIZE</size>
      <verification><hash type="md5">x</hash><hash type="sha256">SHA256</hash><hash type="sha512">SHA512</hash></verification>
      <resources maxconnections="1">
        <url protocol="ftp" type="ftp" location="US" preference="100">ftp://h/summary</url>
        <url protocol="http" type="http">URL/bad/summary</url><url protocol="http">URL/absent/summary</url>
        <url protocol="http" type="http" location="US" preference="98" >URL/repo/summary</url>
      </resources></file></files>
</metalink>`
	all := slices.Concat(wrong, []string{
		"SIZE", fmt.Sprint(len(summaryText)), "SHA256", fmt.Sprintf("%x", sha256.Sum256([]byte(summaryText))),
		"SHA512", fmt.Sprintf("%x", sha512.Sum512([]byte(summaryText))), "URL", url,
	})
	return strings.NewReplacer(all...).Replace(text)
}

func TestMetalink(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/repo/summary": summaryText, "/bad/summary": "the summery"}
	url := site(t, files)
	files["/m.xml"] = metalinkFor(url)
	c, err := transport(t, "metalink="+url+"/m.xml\ncontenturl=http://c\n", Override{URL: "http://ignored"})
	if err != nil || !slices.Equal(c.URLs, []string{url + "/repo"}) || string(c.Known["summary"]) != summaryText || !slices.Equal(c.ContentURLs, []string{"http://c"}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, m := range []struct{ text, want string }{
		{"bacon\n", "Error on line 1 char 1: Document must begin with an element (e.g. <book>)"},
		{"", "No <file> element found"},
		{"<metalink><files></files></metalink>", "No <file> element found"},
		{metalinkFor(url, `"summary"`, `"x"`), "No <file name='summary'> found"},
		{`<metalink><files><file name="summary"></file></files></metalink>`, "No <verification> hash for sha256 or sha512 found"},
		{`<metalink><files><file name="summary"><resources><url protocol="http" type="a" location="b" preference="1">x</url></resources></file></files></metalink>`,
			"Error on line 1 char 108: No <size> element found or it is zero"},
		{`<metalink><files><file name="summary"><size>1</size><resources><url protocol="http" type="a" location="b" preference="1">x</url></resources></file></files></metalink>`,
			"Error on line 1 char 122: No <verification> element with known <hash type=> found"},
		{metalinkFor(url, "SHA512", "bacon"), "Invalid hash digest for sha512"},
		{metalinkFor(url, "SHA256", "bacon"), "Invalid hash digest for sha256"},
		{metalinkFor(url, "<url ", "<u ", "</url>", "</u>"), "No <url method='http'> elements found"},
		{metalinkFor(url, "SIZE", "1"), "Exhausted 3 metalink targets, last error: Expected size is 1 bytes but content is 11 bytes"},
		{metalinkFor(url, "SHA512", fmt.Sprintf("%x", sha512.Sum512(nil))),
			fmt.Sprintf("Exhausted 3 metalink targets, last error: Expected checksum is %x but actual is %x", sha512.Sum512(nil), sha512.Sum512([]byte(summaryText)))},
		{strings.Repeat("<metalink>", 1000), "nested too deep"},
		{metalinkFor(url)[:200], "XML syntax error"},
	} {
		files["/m.xml"] = m.text
		if _, err := transport(t, "metalink="+url+"/m.xml\n", Override{}); err == nil || !strings.Contains(err.Error(), m.want) {
			t.Errorf("%.300s\n  got  %v\n  want %s", m.text, err, m.want)
		}
	}
}

func FuzzMetalink(f *testing.F) {
	f.Add([]byte(metalinkFor("http://h")))
	f.Add([]byte(`<metalink><files><file name="summary"><size>1</size><resources><url/></resources></file></files></metalink>`))
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := parseMetalink(document, summaryName)
		if err != nil {
			return
		}
		if len(m.urls) == 0 || len(m.urls) > maxMirrors || m.size == 0 || m.sha256 == "" && m.sha512 == "" {
			t.Errorf("%+v", m)
		}
	})
}

// TestNoPasswords: a mirrorlist's URL is shown without the password in it.
func TestNoPasswords(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/empty" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	base := strings.Replace(server.URL, "http://", "http://user:secret@", 1)
	for _, path := range []string{"/empty", "/none"} {
		_, err := transport(t, "url=mirrorlist="+base+path+"\n", Override{})
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "user@") {
			t.Error(err)
		}
	}
}
