package backing

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// dropStep is after how many bytes of sequential reading pages are let go.
	dropStep = 4 << 20
	// dropOverlap covers a page cache folio that began before the last step:
	// only whole folios are let go.
	dropOverlap = 2 << 20
	// dropMargin is for reads that come late: the kernel reads ahead in parallel.
	dropMargin = 1 << 20
)

// pages lets go of the page cache that reading a file fills. RWF_DONTCACHE does
// it too, but makes a cold read of a large file more than twice as slow.
type pages struct {
	ours  atomic.Bool  // the file was not cached when it was opened
	begin atomic.Int64 // up to where they were let go
}

// watch asks, before anything is read, whether pages of the file are somebody
// else's. Where the kernel does not say, they are.
func (p *pages) watch(fd int, size int64) {
	cached, ok := cachedPages(fd)
	p.ours.Store(ok && int64(cached)*int64(unix.Getpagesize())*2 <= size)
}

// keep leaves the pages where they are from now on.
func (p *pages) keep() {
	if p.ours.Load() {
		p.ours.Store(false)
	}
}

// served lets go of what lies well behind a read that ended at end, when reads
// go on from one to the next. Reads anywhere keep their pages until the file is
// closed.
func (p *pages) served(fd int, end int64) {
	if !p.ours.Load() {
		return
	}
	begin := p.begin.Load()
	done := end - begin
	if -dropStep < done && done < dropStep+dropMargin {
		return
	}
	next := max(end-dropMargin, 0)
	jumped := done < 0 || done > 4*dropStep
	if p.begin.CompareAndSwap(begin, next) && !jumped {
		from := max(begin-dropOverlap, 0)
		unix.Fadvise(fd, from, next-from, unix.FADV_DONTNEED)
	}
}

// drop lets go of everything.
func (p *pages) drop(fd int) {
	if p.ours.Load() {
		unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)
	}
}

// cachedPages is how many of a file's pages are in the page cache.
func cachedPages(fd int) (n uint64, ok bool) {
	var whole struct{ offset, length uint64 }
	var found struct{ cached, dirty, writeback, evicted, recent uint64 }
	_, _, errno := unix.Syscall6(unix.SYS_CACHESTAT, uintptr(fd), uintptr(unsafe.Pointer(&whole)), uintptr(unsafe.Pointer(&found)), 0, 0, 0)
	return found.cached, errno == 0
}
