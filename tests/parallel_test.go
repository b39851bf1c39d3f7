package tests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestParallelReaders reads, lists, looks up and maps from many goroutines, while the kernel's caches
// are dropped now and then, with a cache so small that it must evict.
func TestParallelReaders(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		for _, option := range []string{"--verify=first", "--verify=always", "--data=passthrough"} {
			t.Run(mode+" "+option, func(t *testing.T) {
				repo := sharedRepo(t, mode, "traps")
				want := checkedOut(t, repo, "traps")
				parallelReaders(t, mounted(t, "--repo="+repo, "--memory=200000", option, "traps"), want)
			})
		}
	}
}

func parallelReaders(t *testing.T, dir string, want map[string]entry) {
	names := slices.Sorted(maps.Keys(want))
	stop := time.Now().Add(3 * time.Second)
	var all sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 64 {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		all.Go(func() {
			for time.Now().Before(stop) {
				name := names[random.IntN(len(names))]
				if err := readOne(dir+"/"+name, want[name], random); err != nil {
					select {
					case errs <- fmt.Errorf("%q: %w", name, err):
					default:
					}
				}
			}
		})
	}
	for time.Now().Before(stop) {
		time.Sleep(700 * time.Millisecond)
		dropCaches(t)
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// readOne reads one entry in one of several ways and compares it.
func readOne(path string, want entry, random *rand.Rand) error {
	if want.mode&unix.S_IFMT == unix.S_IFREG && want.size > 0 && random.IntN(2) == 0 {
		return mapOne(path, want)
	}
	if want.mode&unix.S_IFMT == unix.S_IFDIR && random.IntN(4) > 0 {
		return listError(path)
	}
	got, err := readEntry(path)
	if err == nil && (got.mode != want.mode || got.sum != want.sum || got.target != want.target || !maps.Equal(got.xattrs, want.xattrs)) {
		err = fmt.Errorf("read %+v, want %+v", got, want)
	}
	return err
}

// mapOne compares a file through a mapping that outlives its descriptor.
func mapOne(path string, want entry) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	data, err := unix.Mmap(fd, 0, int(want.size), unix.PROT_READ, unix.MAP_PRIVATE)
	unix.Close(fd)
	if err != nil {
		return err
	}
	defer unix.Munmap(data)
	if sha256.Sum256(data) != want.sum {
		return fmt.Errorf("other bytes in the mapping")
	}
	return nil
}

// TestManyOpenFiles holds a thousand files open across a drop of the caches.
func TestManyOpenFiles(t *testing.T) {
	repo := sharedRepo(t, "archive", "crowd")
	dir := mounted(t, "--repo="+repo, "crowd") + "/crowd"
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]*os.File{}
	for _, e := range all {
		if e.Type().IsRegular() && len(open) < 1000 {
			f, err := os.Open(dir + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			open[e.Name()] = f
		}
	}
	dropCaches(t)
	buf := make([]byte, 100)
	for name, f := range open {
		i, _ := strconv.Atoi(name[:5])
		n, _ := f.ReadAt(buf, 0)
		if want := fmt.Sprintf("file %d\n", i%500); string(buf[:n]) != want {
			t.Fatalf("%s: %q, want %q", name, buf[:n], want)
		}
	}
	for _, f := range open {
		f.Close()
	}
	if n := descriptors(onlyServer(t)); n > 700 { // it may keep some, as it is not told when a file is closed
		t.Errorf("the server holds %d descriptors when no file is open", n)
	}
}

func descriptors(pid int) int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(all)
}

// TestManyMounts has ten mounts of one repository at once.
func TestManyMounts(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	var dirs []string
	for range 10 {
		dirs = append(dirs, mounted(t, "--repo="+repo, "plain"))
	}
	if r := mountRecords(t); len(r) != 10 {
		t.Errorf("ten mounts, %d records", len(r))
	}
	for _, dir := range dirs {
		if data, err := os.ReadFile(dir + "/usr/bin/tool"); err != nil || !bytes.Equal(data, noise(1, 300000)) {
			t.Error(dir, err)
		}
	}
}

// TestParallelMounts starts mounts on one mountpoint at once: one wins, the others say why not.
func TestParallelMounts(t *testing.T) {
	repo, dir := sharedRepo(t, "archive", "plain"), scratch(t)
	needFuse(t)
	bin := binary(t, "deployfs")
	outcomes := make([]outcome, 5)
	guardNew(t, dir, func() {
		var all sync.WaitGroup
		for i := range outcomes {
			all.Go(func() { outcomes[i] = command{args: []string{bin, "mount", "--repo=" + repo, "plain", dir}}.run(t) })
		}
		all.Wait()
	})
	won := 0
	for _, o := range outcomes {
		if o.code == 0 {
			won++
		}
	}
	if won != len(mountsAt(t, dir)) || won == 0 {
		t.Errorf("%d of 5 mounts succeeded, the table has %d: %+v", won, len(mountsAt(t, dir)), outcomes)
	}
}

// TestMemory walks a tree of 150,000 entries, made of a dozen objects: the server keeps at most
// 64 bytes for each, beside what it takes anyway.
func TestMemory(t *testing.T) {
	f := newForge(t)
	tree := f.dir(map[string]string{"leaf": f.file(plainFile, []byte("leaf\n"))}, nil)
	for range 10 {
		tree = f.dir(nil, map[string]string{"a": tree, "b": tree, "c": tree})
	}
	dir := mounted(t, "--repo="+f.repo, f.commit(tree, f.dirmeta()))
	entries := 0
	if err := filepath.WalkDir(dir, func(string, fs.DirEntry, error) error { entries++; return nil }); err != nil {
		t.Fatal(err)
	}
	kib := peakMemory(t, onlyServer(t))
	limit := 24<<10 + entries*64>>10
	if kib > limit && os.Getenv("DEPLOYFS_RACE") == "" { // the race detector takes memory of its own
		t.Errorf("the server took %d KiB for %d entries, more than %d", kib, entries, limit)
	}
}
