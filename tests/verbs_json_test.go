package tests

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// jsonGolden has for each verb a command line and all of its JSON, without blanks. The tree is a
// fixed one, so the checksums are.
var jsonGolden = []struct{ line, want string }{
	{"ls main", `[{"path":"/","type":"directory","mode":"0755","uid":0,"gid":0,"size":0,"dirtree":"{tree}","dirmeta":"{meta}"},` +
		`{"path":"/empty","type":"file","mode":"0755","uid":0,"gid":0,"size":0,"content":"7245d84b7f2d4620c8a0c50b8d3ff98129fd7718f912b163ace544a252e55bee"},` +
		`{"path":"/hello.txt","type":"file","mode":"0644","uid":0,"gid":0,"size":6,"content":"{hello}"},` +
		`{"path":"/link","type":"symlink","mode":"0777","uid":0,"gid":0,"size":0,"target":"hello.txt","content":"{link}"},` +
		`{"path":"/sub","type":"directory","mode":"0755","uid":0,"gid":0,"size":0,"dirtree":"31fab9119929b349d2128e3a58358a3803402e462b99c49d424db6a94115d3e7","dirmeta":"{meta}"}]`},
	{"ls -d main sub/x", `[{"path":"/sub/x","type":"file","mode":"4755","uid":0,"gid":0,"size":1,"content":"{x}",` +
		`"xattrs":[{"name":"user.a","value":"b25l"},{"name":"user.b","value":"dHdv"}]}]`},
	{"cat main link", `[{"path":"/hello.txt","checksum":"{hello}","size":6,"content":"hello\n"}]`},
	{"show main", "{json}"},
	{"show --print-metadata-key=num main", "7"},
	{"show --list-metadata-keys main", `["num","ostree.ref-binding"]`},
	{"show --list-detached-metadata-keys main", `["note"]`},
	{"show --print-related main", "[]"},
	{"show {meta}", `{"type":"dirmeta","checksum":"{meta}","mode":"0755","uid":0,"gid":0}`},
	{"show {link}", `{"type":"symlink","checksum":"{link}","mode":"0777","uid":0,"gid":0,"size":0,"target":"hello.txt"}`},
	{"show {x}", `{"type":"file","checksum":"{x}","mode":"4755","uid":0,"gid":0,"size":1,` +
		`"xattrs":[{"name":"user.a","value":"b25l"},{"name":"user.b","value":"dHdv"}]}`},
	{"show main:hello.txt", `[{"commit":"{commit}","path":"/hello.txt","type":"file","mode":"0644","uid":0,"gid":0,"size":6,"content":"{hello}"}]`},
	{"log main", "[{json}]"},
	{"blame main", `[{"path":"/empty","type":"file","commit":{brief}},{"path":"/hello.txt","type":"file","commit":{brief}},` +
		`{"path":"/link","type":"file","commit":{brief}},{"path":"/sub","type":"directory","commit":{brief}}]`},
	{"find hello.txt main", `[{"rev":"main","path":"/hello.txt","first":{brief},"last":{brief},"commits":1,"runs":[{"first":{brief},"last":{brief},"commits":1}]}]`},
	{"diff main main", `{"old":"main","new":"main","changes":[]}`},
	{"diff main main --stats", `{"old":"main","new":"main","objects":{"old":8,"new":8,"common":8,"common_bytes":584}}`},
	{"refs", `[{"ref":"alias","checksum":"{commit}","alias_of":"main"},{"ref":"main","checksum":"{commit}"},{"ref":"origin:r","remote":"origin","checksum":"{commit}"}]`},
	{"refs nope", "[]"},
	{"rev-parse main", `[{"rev":"main","checksum":"{commit}"}]`},
	{"rev-parse -S", `[{"checksum":"{commit}"}]`},
	{"config get core.mode", `{"group":"core","key":"mode","value":"archive"}`},
}

func TestJSON(t *testing.T) {
	needRoot(t)
	source := filepath.Join(scratch(t), "source")
	p := &plot{root: source}
	p.dir("sub")
	p.text("hello.txt", "hello\n")
	p.text("empty", "")
	p.mode("empty", 0o755)
	p.link("link", "hello.txt")
	p.text("sub/x", "x")
	p.mode("sub/x", 0o4755)
	p.xattr("sub/x", "user.b", "two")
	p.xattr("sub/x", "user.a", "one")
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := newRepo(t, "archive")
	sum := commit(t, repo, "main", source, "-m", "body", "--add-metadata=num=uint32 7", "--add-detached-metadata-string=note=text")
	ostree(t, repo, "refs", "--create=alias", "--alias", "main")
	ostree(t, repo, "refs", "--create=origin:r", "main")
	_, tree := objectOf(t, repo, "main", "/")
	names := []string{"{commit}", sum, "{tree}", tree, "{meta}", dirmetaOf(t, repo, "main", "/")}
	for name, path := range map[string]string{"{hello}": "hello.txt", "{link}": "link", "{x}": "sub/x"} {
		_, sum := objectOf(t, repo, "main", path)
		names = append(names, name, sum)
	}
	r := strings.NewReplacer(names...)
	names = append(names, "{json}", r.Replace(`{"type":"commit","checksum":"{commit}",`+
		`"content_checksum":"`+contentSumOf(t, repo)+`","timestamp":1700000000,"date":"2023-11-14T22:13:20Z",`+
		`"subject":"subject of main","body":"body","dirtree":"{tree}","dirmeta":"{meta}",`+
		`"metadata":{"num":7,"ostree.ref-binding":["main"]},"detached_metadata":{"note":"text"}}`))
	names = append(names, "{brief}", `{"checksum":"`+sum+`","timestamp":1700000000,"date":"2023-11-14T22:13:20Z","subject":"subject of main"}`)
	r = strings.NewReplacer(names...)
	for _, c := range jsonGolden {
		args := append(strings.Fields(r.Replace(c.line)), "--json", "--repo="+repo)
		checkJSON(t, r.Replace(c.want), args...)
	}
	_, file := objectOf(t, repo, "main", "hello.txt")
	checkJSON(t, `{"path":"`+source+`/hello.txt","checksum":"`+file+`"}`, "checksum", "--json", source+"/hello.txt")
}

// contentSumOf is what the real program says of main.
func contentSumOf(t *testing.T, repo string) string {
	t.Helper()
	_, after, _ := strings.Cut(ostree(t, repo, "show", "main"), "ContentChecksum:  ")
	sum, _, _ := strings.Cut(after, "\n")
	return sum
}

func checkJSON(t *testing.T, want string, args ...string) {
	t.Helper()
	got := deployfs(t, args...)
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(got.out)); err != nil || got.code != 0 {
		t.Errorf("%s: exit %d, %v\n%s%s", got.line, got.code, err, got.out, got.err)
	} else if b.String() != want {
		t.Errorf("%s:\n got %s\nwant %s", got.line, b.String(), want)
	}
}

// TestJSONOfBytes holds that no byte is lost of content that is not UTF-8.
func TestJSONOfBytes(t *testing.T) {
	needRoot(t)
	source := filepath.Join(scratch(t), "source")
	p := &plot{root: source}
	p.dir(".")
	p.text("binary", "a\xff\x00")
	p.link("odd", "to\xffwards")
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := newRepo(t, "bare")
	commit(t, repo, "main", source)
	_, file := objectOf(t, repo, "main", "binary")
	_, link := objectOf(t, repo, "main", "odd")
	checkJSON(t, `[{"path":"/binary","checksum":"`+file+`","size":3,"content":"a�\u0000","content_bytes":"Yf8A"}]`,
		"cat", "--json", "--repo="+repo, "main", "binary")
	checkJSON(t, `[{"path":"/odd","type":"symlink","mode":"0777","uid":0,"gid":0,"size":0,"target":"to�wards","target_bytes":"dG//d2FyZHM=","content":"`+link+`"}]`,
		"ls", "--json", "--repo="+repo, "main", "odd")
}

// TestJSONVersion holds that version, too, takes --json.
func TestJSONVersion(t *testing.T) {
	var v struct {
		Version  string
		Features []string
	}
	got := deployfs(t, "version", "--json")
	if err := json.Unmarshal([]byte(got.out), &v); err != nil || v.Version == "" || len(v.Features) == 0 {
		t.Errorf("%v: %s%s", err, got.out, got.err)
	}
	if !strings.Contains(deployfs(t, "--version").out, "Version: '"+v.Version+"'") {
		t.Errorf("--version says another version than %q", v.Version)
	}
}
