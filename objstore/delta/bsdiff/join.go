package bsdiff

// join writes what lies between the last region and the match at scan: the last region is
// extended forwards and the match backwards, as long as at least half of the bytes are equal; what
// neither reaches is new.
func (d *differ) join() error {
	forward := d.forward()
	backward := 0
	if d.scan < len(d.new) {
		backward = d.backward()
	}
	if overlap := d.lastScan + forward - (d.scan - backward); overlap > 0 {
		kept := d.split(forward, backward, overlap)
		forward += kept - overlap
		backward -= kept
	}
	from := d.lastScan + forward
	s := step{
		add:  int64(forward),
		copy: int64(d.scan - backward - from),
		seek: int64(d.place - backward - (d.lastPlace + forward)),
	}
	if err := d.write(s); err != nil {
		return err
	}
	d.lastScan, d.lastPlace, d.distance = d.scan-backward, d.place-backward, d.place-d.scan
	return nil
}

// forward returns by how many bytes the last region goes on before the match at scan.
func (d *differ) forward() (length int) {
	n := min(d.scan-d.lastScan, len(d.old)-d.lastPlace)
	score, best := 0, 0
	for i := range n {
		score += equal(d.old[d.lastPlace+i], d.new[d.lastScan+i])
		if score > best {
			best, length = score, i+1
		}
	}
	return length
}

// backward returns by how many bytes the match at scan begins earlier.
func (d *differ) backward() (length int) {
	n := min(d.scan-d.lastScan, d.place)
	score, best := 0, 0
	for i := 1; i <= n; i++ {
		score += equal(d.old[d.place-i], d.new[d.scan-i])
		if score > best {
			best, length = score, i
		}
	}
	return length
}

// split returns how many of the bytes that both regions claim go to the last one.
func (d *differ) split(forward, backward, overlap int) (kept int) {
	end, begin := d.lastScan+forward-overlap, d.scan-backward
	last, next := d.lastPlace+forward-overlap, d.place-backward
	score, best := 0, 0
	for i := range overlap {
		score += equal(d.old[last+i], d.new[end+i]) - equal(d.old[next+i], d.new[begin+i])
		if score > best {
			best, kept = score, i+1
		}
	}
	return kept
}

// equal counts a pair of bytes: 1 when they are equal, -1 when not.
func equal(a, b byte) int {
	if a == b {
		return 1
	}
	return -1
}

// write writes a step of the patch, whose bytes begin at the last region.
func (d *differ) write(s step) error {
	if _, err := d.w.Write(s.append(d.block[:0])); err != nil {
		return err
	}
	added := d.new[d.lastScan : d.lastScan+int(s.add)]
	old := d.old[d.lastPlace:]
	for len(added) > 0 {
		block := d.block[:min(len(d.block), len(added))]
		for i := range block {
			block[i] = added[i] - old[i]
		}
		if _, err := d.w.Write(block); err != nil {
			return err
		}
		added, old = added[len(block):], old[len(block):]
	}
	from := d.lastScan + int(s.add)
	if s.copy == 0 {
		return nil
	}
	_, err := d.w.Write(d.new[from : from+int(s.copy)])
	return err
}
