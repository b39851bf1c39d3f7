package fs

import "testing"

// newTestOpens makes the opens of a mount that begins.
func newTestOpens(t *testing.T) (*opens, *State) {
	t.Helper()
	state, err := NewState()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(state.Close)
	return newOpens(state, func(row, bool) { t.Error("a new state has opens") }), state
}

// TestOpens: each open has a handle of its own, which ends it once.
func TestOpens(t *testing.T) {
	o, _ := newTestOpens(t)
	handles := map[uint64]row{}
	for i := range row(1000) {
		h, err := o.add(uint64(i)*2+7, i, i%3 == 0)
		if _, ok := handles[h]; ok || h == 0 || err != nil {
			t.Fatalf("open %d: handle %#x, %v", i, h, err)
		}
		handles[h] = i
	}
	for h, r := range handles {
		if got, asked, ok := o.remove(h); !ok || got != r || asked != (r%3 == 0) {
			t.Fatalf("handle %#x: row %d, %v, %v, want row %d", h, got, asked, ok, r)
		}
		if _, _, ok := o.remove(h); ok {
			t.Fatalf("handle %#x ends twice", h)
		}
	}
	for _, h := range []uint64{0, 1 << 40, 1<<64 - 1} {
		if _, _, ok := o.remove(h); ok {
			t.Errorf("handle %#x ends", h)
		}
	}
}

// TestOpensAgain: an OPEN that is sent again has the handle that it had, also of
// another server; a RELEASE that comes again does not end a later open.
func TestOpensAgain(t *testing.T) {
	o, state := newTestOpens(t)
	first, _ := o.add(10, 5, true)
	second, _ := o.add(12, 6, false)
	o.remove(first)
	for range 2 {
		third, _ := o.add(14, 7, true) // in the place of the first
		if _, _, ok := o.remove(first); ok {
			t.Error("the first open ends again")
		}
		found := map[row]bool{}
		o = newOpens(state, func(r row, asked bool) { found[r] = asked })
		if len(found) != 2 || found[6] || !found[7] {
			t.Errorf("another server finds %v", found)
		}
		if h, asked, ok := o.again(12 | resentBit); !ok || asked || h != second {
			t.Errorf("sent again: handle %#x, %v, %v, want %#x", h, asked, ok, second)
		}
		if h, asked, ok := o.again(14 | resentBit); !ok || !asked || h != third {
			t.Errorf("sent again: handle %#x, %v, %v, want %#x", h, asked, ok, third)
		}
		for _, request := range []uint64{12, 10 | resentBit, 16 | resentBit} {
			if h, _, ok := o.again(request); ok {
				t.Errorf("request %#x has handle %#x", request, h)
			}
		}
		first = third
		o.remove(third)
	}
}

// TestOpensFull: there is a bound, and room again after it.
func TestOpensFull(t *testing.T) {
	o, _ := newTestOpens(t)
	var last uint64
	for i := range maxOpens {
		var err error
		if last, err = o.add(uint64(i), 1, false); err != nil {
			t.Fatalf("open %d: %v", i, err)
		}
	}
	if _, err := o.add(maxOpens, 1, false); err != errTooManyOpens {
		t.Errorf("one more: %v", err)
	}
	o.remove(last)
	if _, err := o.add(maxOpens, 1, false); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
