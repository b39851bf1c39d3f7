package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// dataPath is what `mounts --json` tells of how content reaches the kernel.
type dataPath struct {
	Mountpoint, Data string
	Reason           string `json:"data_reason"`
}

func dataPathOf(t testing.TB, list command, dir string) dataPath {
	t.Helper()
	var records []dataPath
	text := list.must(t)
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		t.Fatalf("mounts --json: %v\n%s", err, text)
	}
	for _, r := range records {
		if r.Mountpoint == dir {
			return r
		}
	}
	t.Fatalf("%s is not listed: %s", dir, text)
	return dataPath{}
}

// TestPassthroughEqualsCheckout compares what the kernel reads by itself with a checkout, cold and
// warm, with and without an index, in every mode and however content is verified.
func TestPassthroughEqualsCheckout(t *testing.T) {
	for _, mode := range repoModes {
		t.Run(mode, func(t *testing.T) {
			repo := sharedRepo(t, mode, "traps")
			want := checkedOut(t, repo, "traps")
			for _, options := range [][]string{{"--no-index", "--verify=first"}, {"--verify=always"}, {"--verify=none"}} {
				dir := mounted(t, append(options, "--repo="+repo, "--data=passthrough", "traps")...)
				if p := dataPathOf(t, listMounts(t), dir); p.Data != "passthrough" || p.Reason != "as asked" {
					t.Errorf("%+v", p)
				}
				same(t, want, snapshot(t, dir))
				dropCaches(t)
				same(t, want, snapshot(t, dir))
				umounted(t, dir)
			}
		})
	}
}

// TestPassthroughShares opens more files than the server keeps given to the kernel, some of them all
// the time, from several readers at once.
func TestPassthroughShares(t *testing.T) {
	repo := sharedRepo(t, "bare", "crowd")
	want := snapshot(t, forest(t, "crowd"))
	dir := mounted(t, "--repo="+repo, "--data=passthrough", "crowd")
	var names []string
	for name, e := range want {
		if e.mode&unix.S_IFMT == unix.S_IFREG && e.size > 0 {
			names = append(names, name)
		}
	}
	var held []*os.File
	for _, name := range names[:20] {
		f, err := os.Open(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		held = append(held, f)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range min(len(names), 3000) {
				name := names[(i+worker*700)%len(names)]
				if e, err := readEntry(dir + "/" + name); err != nil || e.sum != want[name].sum {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i, f := range held {
		data := make([]byte, want[names[i]].size)
		if n, err := f.ReadAt(data, 0); err != nil || n != len(data) {
			t.Errorf("%s, held open: %d bytes, %v", names[i], n, err)
		}
	}
	umountLazily(t, dir, held)
}

// umountLazily takes the mount away while files are open, which stay readable.
func umountLazily(t *testing.T, dir string, held []*os.File) {
	t.Helper()
	if o := deployfs(t, "umount", "--lazy", dir); o.code != 0 {
		t.Fatalf("%s: %s", o.line, o.err)
	}
	one := make([]byte, 1)
	for _, f := range held {
		if _, err := f.ReadAt(one, 0); err != nil {
			t.Errorf("%s, after umount --lazy: %v", f.Name(), err)
		}
		f.Close()
	}
}

// TestDataAuto chooses by the mean size of files, once the index knows it.
func TestDataAuto(t *testing.T) {
	tree := scratch(t)
	if err := os.WriteFile(tree+"/large", noise(1, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	repo := newRepo(t, "bare")
	commit(t, repo, "large", tree)
	dir := mounted(t, "--repo="+repo, "large")
	if p := dataPathOf(t, listMounts(t), dir); p.Data != "cached" || !strings.Contains(p.Reason, "no index") {
		t.Errorf("without an index: %+v", p)
	}
	umounted(t, dir)
	buildIndex(t, repo, "large")
	dir = mounted(t, "--repo="+repo, "large")
	if p := dataPathOf(t, listMounts(t), dir); p.Data != "passthrough" || p.Reason != "files of 3072 KiB on average" {
		t.Errorf("large files: %+v", p)
	}
	if e, err := readEntry(dir + "/large"); err != nil || e.size != 3<<20 {
		t.Errorf("%d bytes, %v", e.size, err)
	}
	umounted(t, dir)
	for option, want := range map[string]string{"--data=cached": "cached", "--verify=always": "plain"} {
		dir = mounted(t, "--repo="+repo, option, "large")
		if p := dataPathOf(t, listMounts(t), dir); p.Data != want {
			t.Errorf("%s: %+v", option, p)
		}
		umounted(t, dir)
	}
}

// TestPassthroughNeedsRoot: who asks for it gets an error, who does not gets another path.
func TestPassthroughNeedsRoot(t *testing.T) {
	s := newStranger(t)
	bin, repo := binary(t, "deployfs"), sharedRepo(t, "archive", "traps")
	o := s.command(bin, "mount", "--repo="+repo, "--data=passthrough", "traps", s.dir).run(t)
	oneError(t, o, s.dir, "passthrough", "Linux 6.9")
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "traps", s.dir).must(t) })
	if p := dataPathOf(t, s.command(bin, "mounts", "--json"), s.dir); p.Data != "cached" {
		t.Errorf("%+v", p)
	}
}

// TestReadAhead goes through a directory as tar does: damage is an error for its own file alone, and
// nothing is read wrong.
func TestReadAhead(t *testing.T) {
	tree := scratch(t)
	const files = 2000
	for i := range files {
		if err := os.WriteFile(fmt.Sprintf("%s/%04d", tree, i), noise(uint64(i), 3000+i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	repo := newRepo(t, "bare")
	commit(t, repo, "many", tree)
	want := snapshot(t, tree)
	buildIndex(t, repo, "many")
	dir := mounted(t, "--repo="+repo, "many")
	waitIndex(t, listMounts(t), "used", dir)
	bad := "0777"
	if err := damageContent(repo, tree+"/"+bad); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		name := fmt.Sprintf("%04d", i)
		e, err := readEntry(dir + "/" + name)
		if name == bad {
			wantErrno(t, name, err, unix.EIO)
		} else if err != nil || e.sum != want[name].sum {
			t.Errorf("%s: wrong bytes, or %v", name, err)
		}
	}
}

// damageContent changes a byte of the object that holds the content of the file at path.
func damageContent(repo, path string) error {
	e, err := readEntry(path)
	if err != nil {
		return err
	}
	objects, err := filepath.Glob(repo + "/objects/*/*.file")
	if err != nil {
		return err
	}
	for _, object := range objects {
		if sum, err := sumFile(object, e.size); err == nil && sum == e.sum {
			return flip(object, 1, 2)
		}
	}
	return fmt.Errorf("%s: no object has its content", path)
}
