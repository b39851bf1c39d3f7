package xz

const (
	probBits  = 11 // of the probability that a bit is 0
	probStart = 1 << (probBits - 1)
	probMove  = 5 // how fast one adapts: the less the faster
	topBits   = 24
)

// rangeCoder writes bits by their probabilities.
type rangeCoder struct {
	out   []byte
	low   uint64
	width uint32
	cache byte
	held  int // bytes that a carry may still change
}

// reset begins anew.
func (c *rangeCoder) reset() {
	*c = rangeCoder{out: c.out[:0], width: 0xffffffff, held: 1}
}

// bit writes a bit and learns from it.
func (c *rangeCoder) bit(prob *uint16, bit uint32) {
	p := uint32(*prob)
	bound := (c.width >> probBits) * p
	if bit == 0 {
		c.width = bound
		*prob = uint16(p + (1<<probBits-p)>>probMove)
	} else {
		c.low += uint64(bound)
		c.width -= bound
		*prob = uint16(p - p>>probMove)
	}
	for c.width < 1<<topBits {
		c.width <<= 8
		c.shift()
	}
}

// tree writes the lowest bits of a symbol, the highest first, each by a probability that depends
// on those before it.
func (c *rangeCoder) tree(probs []uint16, bits int, symbol uint32) {
	at := uint32(1)
	for i := bits - 1; i >= 0; i-- {
		bit := symbol >> i & 1
		c.bit(&probs[at], bit)
		at = at<<1 | bit
	}
}

// reverse is tree with the lowest bit first.
func (c *rangeCoder) reverse(probs []uint16, bits int, symbol uint32) {
	at := uint32(1)
	for range bits {
		bit := symbol & 1
		symbol >>= 1
		c.bit(&probs[at], bit)
		at = at<<1 | bit
	}
}

// direct writes the lowest bits of n, each as likely as not.
func (c *rangeCoder) direct(n uint32, bits int) {
	for i := bits - 1; i >= 0; i-- {
		c.width >>= 1
		if n>>i&1 != 0 {
			c.low += uint64(c.width)
		}
		for c.width < 1<<topBits {
			c.width <<= 8
			c.shift()
		}
	}
}

// shift moves a byte out, once no carry can change it.
func (c *rangeCoder) shift() {
	if uint32(c.low) < 0xff<<topBits || c.low>>32 != 0 {
		carry := byte(c.low >> 32)
		for ; c.held > 0; c.held-- {
			c.out = append(c.out, c.cache+carry)
			c.cache = 0xff
		}
		c.cache = byte(c.low >> topBits)
	}
	c.held++
	c.low = c.low & (1<<topBits - 1) << 8
}

// size is how many bytes there will be after finish.
func (c *rangeCoder) size() int { return len(c.out) + c.held + 4 }

// finish writes what is left.
func (c *rangeCoder) finish() {
	for range 5 {
		c.shift()
	}
}
