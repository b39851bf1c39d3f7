package tests

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// historyLength is the number of commits of the history that the tests share.
const historyLength = 2000

// historyStart and historyStep are times in seconds: commit i is made at historyStart + i*historyStep.
const historyStart, historyStep = 1600000000, 3600

// history is a repository with one ref, main, of historyLength commits.
type history struct {
	repo string
	sums []string // sums[i] is commit i; 1 is the oldest, historyLength the newest. There is no 0.
}

// historyRepo returns an archive repository with a history that is known in every detail. It is made
// once, in about a second and without starting a process; tests that change it copy it with clone.
//
// Commit i has the parent i-1, the version "1.i", the subject "change i", the time historyStart +
// i*historyStep, and, when i is a multiple of 100, the body "release i". Its files are those of
// historyFiles, each with the content "PATH N\n": N is the commit that changed it last, which is what
// historyLast computes. Beside them it has usr/share/doc with 8 files and usr/lib/link, a symbolic
// link to "target", which never change, and opt, an empty directory, whose mode is 0755 and, from
// commit 1500 on, 0700. Everything else has the modes 0755 and 0644, root as owner and no xattrs.
//
// Every seventh commit, 3, 10, 17 and so on, has the tree of its parent unless another rule applies.
func historyRepo(t testing.TB) history {
	t.Helper()
	needRoot(t)
	h, err := makeHistory()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// historyFiles tells for each path in which commits it changes. In commit 1 all appear, but for those
// of historySpans.
var historyFiles = map[string]func(i int) bool{
	"var/counter":             func(i int) bool { return i%7 != 3 },
	"usr/bin/tool":            func(i int) bool { return i%10 == 0 },
	"usr/bin/other":           func(i int) bool { return i == 1999 },
	"usr/lib/os-release":      func(i int) bool { return i%50 == 0 },
	"usr/lib/deep/a/b/c/leaf": func(i int) bool { return i%100 == 0 },
	"usr/lib/deep/a/still":    func(int) bool { return false },
	"etc/config":              func(i int) bool { return i == 500 || i == 501 },
	"etc/broken":              func(int) bool { return false },
	"etc/gone/file":           func(int) bool { return false },
}

// historySpans are the commits in which a path exists, from the first to the last of each pair.
var historySpans = map[string][][2]int{
	"etc/broken":    {{1234, historyLength}}, // what a search for the first bad commit finds
	"etc/gone/file": {{300, 899}, {1200, 1799}},
}

// historyLast is the commit at or before commit i that changed a path of historyFiles last; 0 when
// commit i does not have it.
func historyLast(path string, i int) int {
	first := 1
	if spans, ok := historySpans[path]; ok {
		at := slices.IndexFunc(spans, func(s [2]int) bool { return s[0] <= i && i <= s[1] })
		if at < 0 {
			return 0
		}
		first = spans[at][0]
	}
	for ; i > first; i-- {
		if historyFiles[path](i) {
			break
		}
	}
	return i
}

var makeHistory = sync.OnceValues(func() (history, error) {
	h := history{repo: filepath.Join(work, "history"), sums: make([]string, 1, historyLength+1)}
	w := &historyWriter{repo: h.repo, meta: map[uint32]string{}, built: map[string]string{}}
	w.init()
	for i := 1; i <= historyLength; i++ {
		h.sums = append(h.sums, w.commit(i, h.sums[i-1]))
	}
	w.write("refs/heads/main", []byte(h.sums[historyLength]+"\n"))
	return h, w.err
})

// historyWriter writes the objects of the history; err is the first failure.
type historyWriter struct {
	repo  string
	err   error
	meta  map[uint32]string // dirmetas by mode
	built map[string]string // objects by what they are made of
}

// init makes an empty repository, in memory: on a disk the many small files take longer to make than
// all that is done with them.
func (w *historyWriter) init() {
	w.err = errors.Join(os.Mkdir(w.repo, 0o755), unix.Mount("tmpfs", w.repo, "tmpfs", 0, "mode=755"))
	for _, dir := range []string{"refs/heads", "refs/remotes", "refs/mirrors", "tmp/cache", "extensions", "state"} {
		w.err = errors.Join(w.err, os.MkdirAll(filepath.Join(w.repo, dir), 0o755))
	}
	for i := range 256 {
		w.err = errors.Join(w.err, os.MkdirAll(filepath.Join(w.repo, fmt.Sprintf("objects/%02x", i)), 0o755))
	}
	w.write("config", []byte("[core]\nrepo_version=1\nmode=archive-z2\nfsync=false\nmin-free-space-percent=0\n"))
	for _, mode := range []uint32{0o755, 0o700} {
		w.meta[mode] = w.object("dirmeta", gvMeta(unix.S_IFDIR|mode))
	}
}

func (w *historyWriter) write(path string, data []byte) {
	if w.err == nil {
		w.err = os.WriteFile(filepath.Join(w.repo, path), data, 0o644)
	}
}

// object writes a metadata object and returns its checksum.
func (w *historyWriter) object(kind string, data []byte) string {
	sum := sumOf(data)
	w.write("objects/"+sum[:2]+"/"+sum[2:]+"."+kind, data)
	return sum
}

// once returns the checksum of what make writes, and calls it at the first time only.
func (w *historyWriter) once(key string, make func() string) string {
	sum, ok := w.built[key]
	if !ok {
		sum = make()
		w.built[key] = sum
	}
	return sum
}

// file writes a regular file or, when it has a target, a symbolic link.
func (w *historyWriter) file(h header, content string) string {
	return w.once(fmt.Sprint("file", h.target, content), func() string {
		data := h.filez(uint64(len(content)))
		if h.target == "" {
			data = append(data, deflated([]byte(content))...)
		}
		sum := h.sum([]byte(content))
		w.write("objects/"+sum[:2]+"/"+sum[2:]+".filez", data)
		return sum
	})
}

// historyDir is a directory that is being put together.
type historyDir struct {
	mode  uint32
	files map[string]string // checksums of content
	dirs  map[string]*historyDir
}

func newHistoryDir() *historyDir {
	return &historyDir{mode: 0o755, files: map[string]string{}, dirs: map[string]*historyDir{}}
}

// at returns the directory at a path, made where it is missing.
func (d *historyDir) at(path string) *historyDir {
	for name := range strings.SplitSeq(path, "/") {
		if d.dirs[name] == nil {
			d.dirs[name] = newHistoryDir()
		}
		d = d.dirs[name]
	}
	return d
}

// tree writes the dirtrees of a directory and of all below it.
func (w *historyWriter) tree(d *historyDir) string {
	var files, dirs []gv
	key := "tree"
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		files = append(files, gvFile(name, raw(d.files[name])))
		key += name + d.files[name]
	}
	for _, name := range slices.Sorted(maps.Keys(d.dirs)) {
		sub := d.dirs[name]
		tree, meta := w.tree(sub), w.meta[sub.mode]
		dirs = append(dirs, gvDir(name, raw(tree), raw(meta)))
		key += "/" + name + tree + meta
	}
	return w.once(key, func() string { return w.object("dirtree", gvTree(files, dirs)) })
}

// root puts commit i's tree together.
func (w *historyWriter) root(i int) *historyDir {
	root := newHistoryDir()
	for path := range historyFiles {
		if last := historyLast(path, i); last > 0 {
			root.at(filepath.Dir(path)).files[filepath.Base(path)] = w.file(plainFile, fmt.Sprintf("%s %d\n", path, last))
		}
	}
	root.at("usr/lib").files["link"] = w.file(header{mode: unix.S_IFLNK | 0o777, target: "target"}, "")
	if opt := root.at("opt"); i >= 1500 {
		opt.mode = 0o700
	}
	doc := root.at("usr/share/doc")
	for n := range 8 {
		name := fmt.Sprintf("page-%d", n)
		doc.files[name] = w.file(plainFile, name+"\n")
	}
	return root
}

// commit writes commit i.
func (w *historyWriter) commit(i int, parent string) string {
	body := ""
	if i%100 == 0 {
		body = "release " + strconv.Itoa(i)
	}
	version := append([]byte("1."+strconv.Itoa(i)+"\x00"), "\x00s"...) // a v: value, NUL, type
	entry := gvTuple(gvString("version"), gv{data: version, align: 8})
	return w.object("commit", gvTuple(gvArray(8, gv{data: entry.data, align: 8}), gvBytes(raw(parent)), gvArray(1),
		gvString("change "+strconv.Itoa(i)), gvString(body), gvBE64(uint64(historyStart+i*historyStep)),
		gvBytes(raw(w.tree(w.root(i)))), gvBytes(raw(w.meta[0o755]))).data)
}

// TestHistoryRepo has the real ostree check and tell the history.
func TestHistoryRepo(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	some := newRepo(t, "archive") // ostree fsck goes through each commit's whole tree
	ostree(t, some, "pull-local", "--depth=200", h.repo, "main")
	ostree(t, some, "fsck")
	log := ostree(t, h.repo, "log", "main")
	if n := strings.Count(log, "\nVersion: 1."); n != historyLength {
		t.Errorf("ostree log lists %d versions, want %d", n, historyLength)
	}
	for i, want := range map[int]string{
		historyLength: "commit " + h.sums[historyLength] + "\nParent:  " + h.sums[historyLength-1] + "\n",
		500:           "\n\n    change 500\n\n    release 500\n\ncommit " + h.sums[499] + "\n",
		1:             "Date:  2020-09-13 13:26:40 +0000\nVersion: 1.1\n\n    change 1\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("ostree log says of commit %d not:\n%s", i, want)
		}
	}
	for _, i := range []int{1, 899, 900, 1503, historyLength} {
		list := ostree(t, h.repo, "ls", "-R", h.sums[i]) + "\n"
		for path := range historyFiles {
			here := strings.Contains(list, " /"+path+"\n")
			if last := historyLast(path, i); here != (last > 0) {
				t.Errorf("commit %d: %s is there: %v", i, path, here)
			} else if here && ostree(t, h.repo, "cat", h.sums[i], path) != fmt.Sprint(path, " ", last) {
				t.Errorf("commit %d: %s was not changed by %d last", i, path, last)
			}
		}
		if private := strings.Contains(list, "d00700 0 0      0 /opt\n"); private != (i >= 1500) {
			t.Errorf("commit %d: opt is private: %v", i, private)
		}
	}
}
