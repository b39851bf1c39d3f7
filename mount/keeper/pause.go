package keeper

import "time"

const (
	deathsWindow = 10 * time.Second
	deathsMany   = 5 // within that
	firstPause   = 250 * time.Millisecond
	longestPause = 30 * time.Second
)

// deaths is when servers died lately.
type deaths struct {
	times []time.Time   // since none lived long, or of the last while
	many  int           // of them
	pause time.Duration // that came last
}

// next notes the death of a server that has lived so long, and returns how long to
// wait before the next start: not at all, unless it is one of many, and then each
// time longer.
func (d *deaths) next(now time.Time, lived time.Duration) time.Duration {
	if lived >= deathsWindow {
		*d = deaths{}
	}
	for d.pause == 0 && len(d.times) > 0 && now.Sub(d.times[0]) > deathsWindow {
		d.times = d.times[1:]
	}
	if d.pause > 0 {
		d.many++
		d.pause = min(2*d.pause, longestPause)
		return d.pause
	}
	d.times = append(d.times, now)
	if d.many = len(d.times); d.many >= deathsMany {
		d.pause = firstPause
	}
	return d.pause
}
