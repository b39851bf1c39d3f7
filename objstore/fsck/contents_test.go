package fsck

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"deployfs/objstore/object"
)

// TestLine: problems come in the order of the files, whoever finds them first, and
// the first corrupt one ends a check that is hasty.
func TestLine(t *testing.T) {
	const files = 300
	wrong := errors.New("wrong")
	for round := range 40 {
		hasty := round%2 == 0
		bad := map[object.Checksum]error{}
		for range 1 + round/4 {
			bad[numbered(rand.IntN(files))] = []error{wrong, &object.NotExistError{}}[rand.IntN(2)]
		}
		var told []string
		n, done := 0, new(atomic.Int64)
		l := &line{done: done, running: map[int]bool{}, hasty: hasty,
			next: func() (object.Checksum, bool) { n++; return numbered(n - 1), n <= files },
			handle: func(p Problem) error {
				told = append(told, fmt.Sprint(p.Object.Checksum[0], p.Object.Checksum[1], p.Missing))
				if hasty && !p.Missing {
					return &p
				}
				return nil
			}}
		var threads sync.WaitGroup
		for range 4 {
			threads.Go(func() {
				for sum, done, ok := l.take(); ok; sum, done, ok = l.take() {
					for range rand.IntN(2000) {
					}
					done(bad[sum])
				}
			})
		}
		threads.Wait()
		want, ended := expected(bad, hasty)
		if !slices.Equal(told, want) || ended != (l.err != nil) || !ended && done.Load() != files {
			t.Errorf("told %v, want %v; %v, %d files", told, want, l.err, done.Load())
		}
	}
}

func numbered(n int) object.Checksum { return object.Checksum{byte(n >> 8), byte(n)} }

func expected(bad map[object.Checksum]error, hasty bool) (want []string, ended bool) {
	for n := 0; n < 300 && !ended; n++ {
		sum := numbered(n)
		if err := bad[sum]; err != nil {
			p := problemOf(object.Name{}, err)
			want = append(want, fmt.Sprint(sum[0], sum[1], p.Missing))
			ended = hasty && !p.Missing
		}
	}
	return want, ended
}
