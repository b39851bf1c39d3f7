package fs

import (
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// newTestTable makes the table of a mount that begins.
func newTestTable(t testing.TB) *table {
	t.Helper()
	state, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(state.Close)
	table, err := newTable(state)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTable(t *testing.T) {
	table := newTestTable(t)
	if n, ok := table.get(root); !ok || n != (node{ino: rootIno}) || table.size() != 1 {
		t.Errorf("root %+v, %v, of %d rows", n, ok, table.size())
	}
	for _, absent := range []row{1, 1 << 31, 1<<32 - 1} {
		if n, ok := table.get(absent); ok {
			t.Errorf("row %d is %+v", absent, n)
		}
	}
	want := node{parent: root, pos: 7, ino: 99}
	for range 2 {
		r, ok := table.child(want)
		if !ok || r != 1 {
			t.Errorf("row %d, %v", r, ok)
		}
		if n, ok := table.get(r); !ok || n != want {
			t.Errorf("row %d is %+v, %v", r, n, ok)
		}
	}
}

// entryNumber is the i-th of many nodes of a tree: directories of 100 entries.
func entryNumber(i int) node {
	return node{parent: row(i / 100), pos: uint32(i % 100), ino: uint64(i) * 3}
}

// TestTableGrows keeps every row through all growth of rows and index.
func TestTableGrows(t *testing.T) {
	table := newTestTable(t)
	const n = 50_000
	for i := range n {
		if r, ok := table.child(entryNumber(i)); !ok || r != row(i+1) {
			t.Fatalf("node %d got row %d, %v", i, r, ok)
		}
	}
	for i := range n {
		if r, _ := table.child(entryNumber(i)); r != row(i+1) {
			t.Fatalf("node %d has row %d now", i, r)
		}
		if got, ok := table.get(row(i + 1)); !ok || got != entryNumber(i) {
			t.Fatalf("row %d is %+v", i+1, got)
		}
	}
	if table.size() != n+1 {
		t.Errorf("%d rows", table.size())
	}
}

func TestVerifiedBits(t *testing.T) {
	table := newTestTable(t)
	for i := range 3 * chunkRows {
		table.child(entryNumber(i))
	}
	marked := func(r row) bool { return r%3 == 0 }
	for r := row(0); r < 3*chunkRows; r++ {
		if table.verified(r) {
			t.Fatalf("row %d is verified from the start", r)
		}
		if marked(r) {
			table.setVerified(r)
			table.setVerified(r)
		}
	}
	for r := row(0); r < 3*chunkRows; r++ {
		if table.verified(r) != marked(r) {
			t.Fatalf("row %d is verified: %v", r, !marked(r))
		}
	}
}

// TestTableMemory holds the promise of at most 64 bytes for each entry.
func TestTableMemory(t *testing.T) {
	const n = 1_000_000
	table := newTestTable(t)
	for i := range n {
		table.child(entryNumber(i))
		table.setVerified(row(i + 1))
	}
	with := heap()
	file := table.state.file
	runtime.KeepAlive(table)
	table = nil
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	used := float64(int64(with-heap())+st.Blocks*512) / n
	t.Logf("%.1f bytes for each of %d rows", used, n)
	if used < 16 || used > 64 {
		t.Errorf("%.1f bytes for each row", used)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools held
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestTableConcurrent: whoever asks first, a node has one row.
func TestTableConcurrent(t *testing.T) {
	table := newTestTable(t)
	const n = 20_000
	var rows [4][n]row
	var wg sync.WaitGroup
	for worker := range rows {
		wg.Go(func() {
			for k := range n {
				i := (k*7919 + worker*n/4) % n
				r, ok := table.child(entryNumber(i))
				rows[worker][i] = r
				if got, found := table.get(r); !ok || !found || got != entryNumber(i) {
					t.Errorf("node %d: row %d is %+v", i, r, got)
					return
				}
				table.setVerified(r)
				if !table.verified(r) {
					t.Errorf("row %d is not verified", r)
				}
			}
		})
	}
	wg.Wait()
	if table.size() != n+1 {
		t.Errorf("%d rows for %d nodes", table.size(), n)
	}
	for i := range n {
		for worker := range rows {
			if rows[worker][i] != rows[0][i] {
				t.Fatalf("node %d has rows %d and %d", i, rows[0][i], rows[worker][i])
			}
		}
	}
}

// TestTags keeps what was remembered of each row through all growth.
func TestTags(t *testing.T) {
	table := newTestTable(t)
	tag := func(r row) uint32 { return uint32(r)*7 + 1 }
	for i := range 3 * chunkRows {
		r, _ := table.child(entryNumber(i))
		if got := table.tag(r).Load(); got != 0 {
			t.Fatalf("row %d is tagged %d from the start", r, got)
		}
		table.tag(r).Store(tag(r))
	}
	for r := row(1); r <= 3*chunkRows; r++ {
		if got := table.tag(r).Load(); got != tag(r) {
			t.Fatalf("row %d is tagged %d, want %d", r, got, tag(r))
		}
		if n, ok := table.get(r); !ok || n != entryNumber(int(r)-1) {
			t.Fatalf("row %d is %+v", r, n)
		}
	}
}

// TestTableReaders: what a reader has seen of a growing table stays as it is,
// and everything that is below its size can be read.
func TestTableReaders(t *testing.T) {
	table := newTestTable(t)
	const n = 60_000
	var readers sync.WaitGroup
	var ended atomic.Bool
	for worker := range 3 {
		readers.Go(func() {
			random := rand.New(rand.NewSource(int64(worker)))
			for !ended.Load() {
				size := table.size()
				i := random.Intn(size)
				if got, ok := table.get(row(i)); !ok || i > 0 && got != entryNumber(i-1) {
					t.Errorf("row %d of %d is %+v, %v", i, size, got, ok)
					return
				}
				if i == 0 {
					continue
				}
				// right after its row is seen an entry may be missing here, but is no other
				if r := table.find(entryNumber(i - 1)); r != row(i) && (r != 0 || i < size-1) {
					t.Errorf("node %d has row %d of %d", i-1, r, size)
					return
				}
				if got := table.tag(row(i)).Load(); got != 0 && got != uint32(i) {
					t.Errorf("row %d is tagged %d", i, got)
					return
				}
				table.tag(row(i)).Store(uint32(i))
			}
		})
	}
	for i := range n {
		if r, ok := table.child(entryNumber(i)); !ok || r != row(i+1) {
			t.Fatalf("node %d got row %d, %v", i, r, ok)
		}
	}
	ended.Store(true)
	readers.Wait()
}

// TestInodeOf: these numbers may never change.
func TestInodeOf(t *testing.T) {
	long := make([]byte, maxName)
	for i := range long {
		long[i] = 'n'
	}
	usr := inodeOf(rootIno, []byte("usr"))
	for _, c := range []struct{ got, want uint64 }{
		{usr, 0xcf28876801554627},
		{inodeOf(usr, []byte("bin")), 0xffc05fd6ac093cb1},
		{inodeOf(rootIno, []byte("ü")), 0xeb0e16d157398607},
		{inodeOf(rootIno, long), 0x1ab19e3a9caceddf},
	} {
		if c.got != c.want {
			t.Errorf("inode %#x, want %#x", c.got, c.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { inodeOf(rootIno, long) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTableChild(b *testing.B) {
	table := newTestTable(b)
	for i := range 100_000 {
		table.child(entryNumber(i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		table.child(entryNumber(i % 100_000))
	}
}
