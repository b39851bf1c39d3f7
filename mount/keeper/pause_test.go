package keeper

import (
	"slices"
	"testing"
	"time"
)

// TestPauses: five deaths in ten seconds are too many, and then each pause is
// longer, until servers live again.
func TestPauses(t *testing.T) {
	now := time.Now()
	var d deaths
	die := func(after time.Duration, times int) (pauses []time.Duration) {
		for range times {
			now = now.Add(after)
			pause := d.next(now, after)
			pauses = append(pauses, pause)
			now = now.Add(pause)
		}
		return pauses
	}
	if got := die(2600*time.Millisecond, 100); slices.Max(got) != 0 {
		t.Errorf("pauses of %v though there are four in ten seconds", slices.Max(got))
	}
	now = now.Add(time.Minute)
	const ms = time.Millisecond
	want := []time.Duration{0, 0, 0, 0, 250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 16000 * ms, 30000 * ms, 30000 * ms}
	if got := die(10*ms, len(want)); !slices.Equal(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	if got := die(time.Minute, 1); got[0] != 0 {
		t.Errorf("a pause of %v after a minute of life", got[0])
	}
}
