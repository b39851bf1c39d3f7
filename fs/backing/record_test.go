package backing

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

func opened(t testing.TB, path string) *Record {
	t.Helper()
	r, err := OpenRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// plainHeader is the header under which the tests record.
var plainHeader = Digest{1, 2, 3}

// settledFile is what stat tells about a file of root that changed a day ago.
func settledFile() unix.Stat_t {
	return unix.Stat_t{Dev: 5, Ino: 6, Size: 7, Mode: unix.S_IFREG | 0o644, Ctim: unix.NsecToTimespec(time.Now().Add(-24 * time.Hour).UnixNano())}
}

// TestRecord knows what was added, in this process and the next, and nothing that
// differs from it in anything.
func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verified")
	st := settledFile()
	r := opened(t, path)
	if r.Known(sum(1), plainHeader, &st) {
		t.Error("a new record knows something")
	}
	r.Add(sum(1), plainHeader, &st)
	other := opened(t, path)
	r.Close()
	if r.Known(sum(1), plainHeader, &st) || !other.Known(sum(1), plainHeader, &st) {
		t.Error("a closed record knows, or another does not")
	}
	if other.Known(sum(2), plainHeader, &st) {
		t.Error("another checksum is known")
	}
	if other.Known(sum(1), Digest{1, 2, 4}, &st) {
		t.Error("another header is known")
	}
	for name, change := range map[string]func(*unix.Stat_t){
		"device":    func(st *unix.Stat_t) { st.Dev++ },
		"inode":     func(st *unix.Stat_t) { st.Ino++ },
		"size":      func(st *unix.Stat_t) { st.Size++ },
		"seconds":   func(st *unix.Stat_t) { st.Ctim.Sec-- },
		"nsec":      func(st *unix.Stat_t) { st.Ctim.Nsec ^= 1 },
		"owner":     func(st *unix.Stat_t) { st.Uid = 12345 },
		"group":     func(st *unix.Stat_t) { st.Mode |= 0o020 },
		"others":    func(st *unix.Stat_t) { st.Mode |= 0o002 },
		"directory": func(st *unix.Stat_t) { st.Mode ^= unix.S_IFREG ^ unix.S_IFDIR },
	} {
		changed := st
		change(&changed)
		if other.Known(sum(1), plainHeader, &changed) {
			t.Errorf("known with another %s", name)
		}
	}
	var none *Record
	none.Add(sum(1), plainHeader, &st)
	if none.Known(sum(1), plainHeader, &st) {
		t.Error("no record knows something")
	}
	none.Close()
}

// TestRecordRefuses files that somebody may be changing, or could change unseen.
func TestRecordRefuses(t *testing.T) {
	r := opened(t, filepath.Join(t.TempDir(), "verified"))
	for name, change := range map[string]func(*unix.Stat_t){
		"just changed": func(st *unix.Stat_t) { st.Ctim = unix.NsecToTimespec(time.Now().UnixNano()) },
		"future":       func(st *unix.Stat_t) { st.Ctim.Sec += 1e6 },
		"owner":        func(st *unix.Stat_t) { st.Uid = 12345 },
		"group":        func(st *unix.Stat_t) { st.Mode |= 0o020 },
		"others":       func(st *unix.Stat_t) { st.Mode |= 0o002 },
	} {
		st := settledFile()
		change(&st)
		r.Add(sum(1), plainHeader, &st)
		st.Uid, st.Mode = 0, unix.S_IFREG|0o644
		if r.Known(sum(1), plainHeader, &st) {
			t.Errorf("%s: recorded", name)
		}
	}
	own := settledFile()
	own.Uid = uint32(os.Geteuid())
	if r.Add(sum(1), plainHeader, &own); !r.Known(sum(1), plainHeader, &own) {
		t.Error("an own file is not recorded")
	}
}

// TestRecordBoot: what changed since the machine started is not known after it
// started again; what is older is.
func TestRecordBoot(t *testing.T) {
	r := opened(t, filepath.Join(t.TempDir(), "verified"))
	before, after := settledFile(), settledFile()
	before.Ctim = unix.NsecToTimespec(r.boot.Add(-time.Hour).UnixNano())
	after.Ctim = unix.NsecToTimespec(r.boot.Add(time.Second).UnixNano())
	r.made(sum(1), plainHeader, &before)
	r.made(sum(2), plainHeader, &after)
	if !r.Known(sum(1), plainHeader, &before) || !r.Known(sum(2), plainHeader, &after) {
		t.Error("not known")
	}
	r.bootID = "another start of the machine"
	if !r.Known(sum(1), plainHeader, &before) || r.Known(sum(2), plainHeader, &after) {
		t.Error("the start makes the wrong difference")
	}
}

// TestRecordFull: of files whose slots are the same, the record knows as many as
// there are slots, the last among them.
func TestRecordFull(t *testing.T) {
	r := opened(t, filepath.Join(t.TempDir(), "verified"))
	files := make([]unix.Stat_t, 100)
	for i := range files {
		files[i] = settledFile()
		files[i].Ino = uint64(i)
		r.Add(sum(1), plainHeader, &files[i])
		r.Add(sum(1), plainHeader, &files[i])
		known := 0
		for j := range files[:i+1] {
			if r.Known(sum(1), plainHeader, &files[j]) {
				known++
			}
		}
		if want := min(i+1, recordWays); known != want || !r.Known(sum(1), plainHeader, &files[i]) {
			t.Fatalf("after %d: %d are known, want %d", i+1, known, want)
		}
	}
}

// TestRecordRace adds and asks from many goroutines, through two mappings.
func TestRecordRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verified")
	records := []*Record{opened(t, path), opened(t, path)}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 500 {
				st := settledFile()
				st.Ino = uint64(i)
				own := object.Checksum(sha256.Sum256([]byte{byte(worker), byte(i), byte(i >> 8)}))
				records[worker%2].Add(own, plainHeader, &st)
				if !records[1-worker%2].Known(own, plainHeader, &st) {
					t.Errorf("worker %d does not know %d", worker, i)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkRecord asks for what is known.
func BenchmarkRecord(b *testing.B) {
	r, st := opened(b, filepath.Join(b.TempDir(), "verified")), settledFile()
	r.Add(sum(1), plainHeader, &st)
	b.ReportAllocs()
	for b.Loop() {
		if !r.Known(sum(1), plainHeader, &st) {
			b.Fatal("not known")
		}
	}
}
