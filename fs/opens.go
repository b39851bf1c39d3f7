package fs

import (
	"errors"
	"sync"
	"sync/atomic"
)

// maxOpens is how many files may be open at a time where opens are counted.
const maxOpens = 1 << 16

// resentBit marks a request that the kernel sends again, because the server that
// it was sent to may not have answered.
const resentBit = 1 << 63

var errTooManyOpens = errors.New("too many files are open")

// opened is a file that is open. It stands in the state, so that a request that
// is sent again, to this server or to the next, is known: an OPEN by its number,
// which no other has, and a RELEASE by its handle.
type opened struct {
	request atomic.Uint64 // number of the OPEN, with the resentBit; 0: free
	row     row
	turn    uint32 // twice the opens that this place has held, plus one when READs are sent
}

// opens is who has files open.
type opens struct {
	mu   sync.Mutex
	list *[maxOpens]opened
	used *atomic.Uint32 // places below were used
	free []uint32       // those of them that are free
}

// newOpens goes on with the opens that a state holds, and tells of each.
func newOpens(s *State, each func(r row, asked bool)) *opens {
	o := &opens{list: s.opens, used: &s.first.opens}
	for i := range o.used.Load() {
		if at := &o.list[i]; at.request.Load() != 0 {
			each(at.row, at.asked())
		} else {
			o.free = append(o.free, i)
		}
	}
	return o
}

func (at *opened) asked() bool { return at.turn&1 != 0 }

// add notes the open that a request asks for, and returns its handle, which is
// not 0.
func (o *opens) add(request uint64, r row, asked bool) (handle uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := o.used.Load()
	if last := len(o.free) - 1; last >= 0 {
		i, o.free = o.free[last], o.free[:last]
	} else if i == maxOpens {
		return 0, errTooManyOpens
	}
	at := &o.list[i]
	at.row, at.turn = r, at.turn&^1+2
	if asked {
		at.turn++
	}
	at.request.Store(request | resentBit)
	if i == o.used.Load() {
		o.used.Store(i + 1)
	}
	return o.handle(i), nil
}

// again reports how a request that is sent again was answered, if it was.
func (o *opens) again(request uint64) (handle uint64, asked, ok bool) {
	if request&resentBit == 0 {
		return 0, false, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.used.Load() {
		if at := &o.list[i]; at.request.Load() == request {
			return o.handle(i), at.asked(), true
		}
	}
	return 0, false, false
}

func (o *opens) handle(i uint32) uint64 { return uint64(o.list[i].turn)<<32 | uint64(i+1) }

// remove ends an open, unless it was ended already.
func (o *opens) remove(handle uint64) (r row, asked, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := uint32(handle) - 1
	if i >= o.used.Load() || o.list[i].request.Load() == 0 || o.handle(i) != handle {
		return 0, false, false
	}
	at := &o.list[i]
	at.request.Store(0)
	o.free = append(o.free, i)
	return at.row, at.asked(), true
}
